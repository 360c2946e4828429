package io.atelier.app;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.conformance.Answer;
import io.atelier.conformance.RawConnection;
import io.atelier.testing.ServiceClient;
import io.atelier.testing.SuiteService;
import io.quarkus.test.junit.QuarkusIntegrationTest;
import io.quarkus.test.junit.TestProfile;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Heads that contradict themselves, heads and bodies that never end, sent to the service as it is packaged, where connections are guarded. */
@QuarkusIntegrationTest
@TestProfile(SuiteService.class)
class HeadGuardIT {
    /** Longer than a head or a body may take; who knows how long that is of a service that runs already? */
    private static final int PATIENCE_SECONDS = SuiteService.elsewhere().isPresent() ? 90 : 20;

    private static final String LOOKS_LIKE_HEADS = " {} \nContent-Length: 1\nContent-Length: 2\n\n";
    private static final String REQUEST = "POST /v2/models/minilm/infer HTTP/1.1\r\nHost: a\r\n";

    @Test
    void refusesARequestThatTellsItsLengthTwice() throws IOException {
        for (String headers : List.of(
                "Content-Length: 3\r\nContent-Length: 3\r\n", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n")) {
            try (Socket client = connect()) {
                client.getOutputStream().write(bytes(REQUEST + headers + "\r\n0\r\n\r\n"));
                assertThat(new String(client.getInputStream().readAllBytes(), ISO_8859_1))
                        .startsWith("HTTP/1.1 400 ")
                        .contains("the request tells the length of its body more than once");
            }
        }
    }

    /** Which Netty sees, and refuses in its turn, but without a word. */
    @Test
    void refusesTwoLengthsBehindARequestThatIsNotAnsweredYet() throws IOException {
        String first = "GET /v2/health/live HTTP/1.1\r\nHost: a\r\n\r\n";
        try (Socket client = connect()) {
            client.getOutputStream()
                    .write(bytes(first + REQUEST + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc" + first));

            String answers = new String(client.getInputStream().readAllBytes(), ISO_8859_1);

            assertThat(answers).startsWith("HTTP/1.1 200 ").contains("HTTP/1.1 400 ");
            assertThat(answers.split("HTTP/1.1 ", -1)).as("nothing behind them").hasSize(3);
        }
    }

    @Test
    void saysWhyAnAddressIsRefused() throws IOException {
        for (String request : List.of("GET /v2?%zz", "POST /v2/models/minilm/infer?%zz", "GET /v2/models/%zz")) {
            try (Socket client = connect()) {
                client.getOutputStream().write(bytes(request + " HTTP/1.1\r\nHost: a\r\n\r\n"));
                assertThat(new String(client.getInputStream().readAllBytes(), ISO_8859_1))
                        .startsWith("HTTP/1.1 400 ")
                        .contains("\r\ncontent-type: application/problem+json\r\n")
                        .containsPattern("\"error\":\"the address is no URI: Malformed escape pair, behind \\d+ char");
            }
        }
    }

    /** As HTTP clients send that prefer HTTP/2. */
    @Test
    void refusesACompressedBodyThatUpgrades() throws IOException {
        String headers = """
                Connection: Upgrade, HTTP2-Settings
                Upgrade: h2c
                HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA
                Content-Encoding: gzip
                Content-Length: 20

                """;
        try (Socket client = connect()) {
            client.getOutputStream().write(bytes(REQUEST + headers.replace("\n", "\r\n")));
            assertThat(new String(client.getInputStream().readAllBytes(), ISO_8859_1))
                    .startsWith("HTTP/1.1 400 ")
                    .contains("the request has Content-Encoding and Upgrade, and is read with one of them only");
        }
    }

    /** Whatever it looks like; and the connection serves on, with the next heads guarded. */
    @ParameterizedTest
    @CsvSource({
        "POST /nothing, 404, true",
        "POST /v2/models/none/map, 404, true",
        "POST /v2/models/minilm/ready, 405, true",
        "PUT /v2, 405, false",
    })
    void readsNoHeadInABodyThatNobodyWants(String request, int status, boolean early) throws IOException {
        String body = LOOKS_LIKE_HEADS.repeat(2_000);
        for (boolean chunked : List.of(false, true)) {
            String length = chunked ? "Transfer-Encoding: chunked" : "Content-Length: " + body.length();
            String sent = chunked ? Integer.toHexString(body.length()) + "\r\n" + body + "\r\n0\r\n\r\n" : body;
            try (RawConnection connection = RawConnection.open(SuiteService.url(), Duration.ofSeconds(20))) {
                connection.send(bytes(request + " HTTP/1.1\r\nHost: a\r\n" + length + "\r\n\r\n"));
                if (early) {
                    assertThat(answer(connection).status()).isEqualTo(status);
                }
                connection.send(bytes(sent));
                if (!early) {
                    assertThat(answer(connection).status()).isEqualTo(status);
                }

                connection.send(bytes("GET /v2/health/live HTTP/1.1\r\nHost: a\r\n\r\n"));
                assertThat(answer(connection).status()).isEqualTo(200);
                connection.send(bytes("GET /v2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n"));
                Answer refusal = answer(connection);
                assertThat(refusal.status()).isEqualTo(400);
                assertThat(new String(refusal.body(), ISO_8859_1)).contains("length of its body more than once");
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "POST /v2/models/minilm/infer, 67108865, 413, the body is larger than",
        "POST /v2?%zz, 1000000, 400, the address is no URI",
    })
    void aRefusalReachesWhoStillSends(String request, int bytes, int status, String reason) throws IOException {
        byte[] part = bytes(LOOKS_LIKE_HEADS.repeat(1_000));
        try (Socket client = connect()) {
            OutputStream out = client.getOutputStream();
            out.write(bytes(request + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + bytes + "\r\n\r\n"));
            for (int left = bytes; left > 0; left -= part.length) {
                out.write(part, 0, Math.min(left, part.length));
            }

            String answers = new String(client.getInputStream().readAllBytes(), ISO_8859_1);

            assertThat(answers).startsWith("HTTP/1.1 " + status).contains(reason);
            assertThat(answers.split("HTTP/1.1 ", -1)).as("one answer").hasSize(2);
        }
    }

    @Test
    void refusesABodyThatStopsHalfWay() throws IOException {
        Duration patience = Duration.ofSeconds(PATIENCE_SECONDS);
        try (RawConnection connection = RawConnection.open(SuiteService.url(), patience)) {
            connection.send(bytes(REQUEST + "Content-Length: 100\r\n\r\n{\"inputs\":"));

            Answer refusal = answer(connection);

            assertThat(refusal.status()).isEqualTo(408);
            assertThat(new String(refusal.body(), ISO_8859_1))
                    .contains("\"code\":\"REQUEST_TIMEOUT\"")
                    .contains("\"error\":\"the body took too long to arrive\"");
        }
    }

    private static Answer answer(RawConnection connection) throws IOException {
        return requireNonNull(connection.answer(), "the connection is closed");
    }

    private static byte[] bytes(String text) {
        return text.getBytes(ISO_8859_1);
    }

    @Test
    void closesConnectionsWhoseHeadsTrickleWhileOthersAreServed() throws IOException {
        ServiceClient probe = ServiceClient.ofTestedService();
        probe.awaitStatus("/q/health/started", 200, Duration.ofSeconds(60));
        List<Socket> slow = new ArrayList<>();
        long started = System.nanoTime();
        long slowest = 0;
        try {
            for (int i = 0; i < 300; i++) {
                slow.add(connect());
            }
            for (int at = 0; !slow.isEmpty() && seconds(started) < PATIENCE_SECONDS; at++) {
                char next = REQUEST.charAt(at % REQUEST.length());
                slow.removeIf(client -> isClosed(client, next));
                long asked = System.nanoTime();
                assertThat(probe.get("/v2/health/ready").join().statusCode()).isEqualTo(200);
                slowest = Math.max(slowest, System.nanoTime() - asked);
            }
            assertThat(slow).isEmpty();
            assertThat(seconds(started)).isGreaterThan(1.5);
            assertThat(Duration.ofNanos(slowest)).isLessThan(Duration.ofSeconds(1));
        } finally {
            for (Socket client : slow) {
                client.close();
            }
        }
    }

    /** Sends one more byte, and waits a moment for the end. */
    private static boolean isClosed(Socket client, char next) {
        try {
            client.getOutputStream().write(next);
            client.setSoTimeout(1);
            return client.getInputStream().read() < 0;
        } catch (SocketTimeoutException open) {
            return false;
        } catch (SocketException closed) {
            return true;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static Socket connect() throws IOException {
        Socket client =
                new Socket(SuiteService.url().getHost(), SuiteService.url().getPort());
        client.setSoTimeout(20_000);
        return client;
    }

    private static double seconds(long started) {
        return (System.nanoTime() - started) / 1e9;
    }
}
