package io.atelier.app;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.testing.ServiceClient;
import io.atelier.testing.SuiteService;
import io.quarkus.test.junit.QuarkusIntegrationTest;
import io.quarkus.test.junit.TestProfile;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Heads that contradict themselves or never end, sent to the service as it is packaged, where connections are guarded. */
@QuarkusIntegrationTest
@TestProfile(SuiteService.class)
class HeadGuardIT {
    /** Longer than a head may take; who knows how long that is of a service that runs already? */
    private static final int PATIENCE_SECONDS = SuiteService.elsewhere().isPresent() ? 90 : 20;

    private static final String REQUEST = "POST /v2/models/minilm/infer HTTP/1.1\r\nHost: a\r\n";

    @Test
    void refusesARequestThatTellsItsLengthTwice() throws IOException {
        for (String headers : List.of(
                "Content-Length: 3\r\nContent-Length: 3\r\n", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n")) {
            try (Socket client = connect()) {
                client.getOutputStream().write((REQUEST + headers + "\r\n0\r\n\r\n").getBytes(ISO_8859_1));
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
                    .write((first + REQUEST + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc" + first)
                            .getBytes(ISO_8859_1));

            String answers = new String(client.getInputStream().readAllBytes(), ISO_8859_1);

            assertThat(answers).startsWith("HTTP/1.1 200 ").contains("HTTP/1.1 400 ");
            assertThat(answers.split("HTTP/1.1 ", -1)).as("nothing behind them").hasSize(3);
        }
    }

    @Test
    void saysWhyAnAddressIsRefused() throws IOException {
        for (String request : List.of("GET /v2?%zz", "POST /v2/models/minilm/infer?%zz", "GET /v2/models/%zz")) {
            try (Socket client = connect()) {
                client.getOutputStream().write((request + " HTTP/1.1\r\nHost: a\r\n\r\n").getBytes(ISO_8859_1));
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
            client.getOutputStream().write((REQUEST + headers.replace("\n", "\r\n")).getBytes(ISO_8859_1));
            assertThat(new String(client.getInputStream().readAllBytes(), ISO_8859_1))
                    .startsWith("HTTP/1.1 400 ")
                    .contains("the request has Content-Encoding and Upgrade, and is read with one of them only");
        }
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
