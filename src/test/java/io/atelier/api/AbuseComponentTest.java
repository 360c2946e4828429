package io.atelier.api;

import static io.atelier.api.RawHttp.bytes;
import static io.atelier.api.RawHttp.connect;
import static io.atelier.api.RawHttp.exchange;
import static io.atelier.api.RawHttp.post;
import static io.atelier.api.RawHttp.rest;
import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that lie about themselves or never end, and a probe beside them that notices nothing. */
@QuarkusTest
@TestProfile(AbuseComponentTest.Impatient.class)
@Timeout(60)
class AbuseComponentTest {
    private static final String PATH = "/v2/models/echo/infer";
    private static final String BODY =
            "{\"inputs\":[{\"name\":\"x\",\"shape\":[1,1],\"datatype\":\"FP32\",\"data\":[1]},"
                    + "{\"name\":\"y\",\"shape\":[1,1],\"datatype\":\"INT64\",\"data\":[1]}]}";

    /** Bodies must be there after a second. */
    public static class Impatient implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of("quarkus.http.read-timeout", "1s");
        }
    }

    @Test
    void bodiesThatStopHalfWayAreAnsweredAndClosedWhileOthersAreServed() throws IOException {
        byte[] half = Arrays.copyOf(post(PATH, "", bytes(BODY)), post(PATH, "", bytes(BODY)).length - 10);
        List<Socket> stopped = new ArrayList<>();
        try {
            for (int i = 0; i < 300; i++) {
                Socket client = connect();
                stopped.add(client);
                client.getOutputStream().write(half);
            }
            given().body(BODY).post(PATH).then().statusCode(200);
            given().get("/v2/health/live").then().statusCode(200);
            for (Socket client : stopped) {
                assertThat(rest(client))
                        .startsWith("HTTP/1.1 408 ")
                        .contains("\"error\":\"the body took too long to arrive\"");
            }
        } finally {
            for (Socket client : stopped) {
                client.close();
            }
        }
        given().body(BODY).post(PATH).then().statusCode(200);
    }

    /** Each byte comes well within the time; all of them together do not. */
    @Test
    void aBodyThatTricklesIsNotWaitedForMuchLonger() throws IOException {
        try (Socket client = connect()) {
            OutputStream out = client.getOutputStream();
            out.write(bytes("POST " + PATH + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
            long started = System.nanoTime();
            client.setSoTimeout(100);
            StringBuilder answer = new StringBuilder();
            byte[] piece = new byte[1024];
            for (int read = 0; read >= 0; ) {
                try {
                    read = client.getInputStream().read(piece);
                    answer.append(new String(piece, 0, Math.max(read, 0), UTF_8));
                } catch (SocketTimeoutException nothingYet) {
                    out.write(bytes("1\r\n \r\n"));
                }
            }
            assertThat(answer).startsWith("HTTP/1.1 408 ");
            assertThat((System.nanoTime() - started) / 1e9).isLessThan(10);
        } catch (SocketException closed) {
            assertThat(closed).hasMessageMatching("(?i).*(reset|broken pipe|abort).*");
        }
    }

    @Test
    void refusesTwoDeclaredLengths() throws IOException {
        for (String lengths : List.of(
                "Content-Length: 3\r\nContent-Length: 3\r\n",
                "Content-Length: 3\r\nContent-Length: 4\r\n",
                "Content-Length: 3, 3\r\n",
                "Content-Length: -1\r\n",
                "Content-Length: x\r\n",
                "Content-Length: 99999999999999999999\r\n")) {
            assertThat(exchange(bytes("POST " + PATH + " HTTP/1.1\r\nHost: a\r\n" + lengths + "\r\nabc")))
                    .as(lengths)
                    .startsWith("HTTP/1.1 4");
        }
    }

    @Test
    void refusesNinetyNineGigabytesUnread() throws IOException {
        assertThat(exchange(bytes("POST " + PATH + " HTTP/1.1\r\nHost: a\r\nContent-Length: 99000000000\r\n\r\n{")))
                .startsWith("HTTP/1.1 413 ")
                .contains("the body is larger than 67108864 bytes");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 5, 10, 30})
    void aCompressedBodyThatIsNoneAndACutOneAreRefused(int goodBytes) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (OutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(bytes(BODY));
        }
        byte[] compressed = out.toByteArray();
        byte[] damaged = new byte[compressed.length];
        new Random(goodBytes).nextBytes(damaged);
        System.arraycopy(compressed, 0, damaged, 0, goodBytes);
        assertThat(exchange(post(PATH, "Content-Encoding: gzip\r\n", damaged))).startsWith("HTTP/1.1 400 ");
        byte[] cut = Arrays.copyOf(compressed, goodBytes);
        assertThat(exchange(post(PATH, "Content-Encoding: gzip\r\n", cut))).startsWith("HTTP/1.1 4");
    }

    @Test
    void deepNestingAndHugeShapesAreRefused() {
        for (String body : List.of(
                "[".repeat(1_000_000),
                "{\"a\":".repeat(100_000),
                BODY.replace("[1,1]", "[" + "1,".repeat(1000) + "1]"),
                BODY.replace("[1,1]", "[4294967296,4294967296]"),
                BODY.replace("[1,1]", "[9223372036854775807,9223372036854775807,4]"),
                BODY.replace("[1,1]", "[1,-1]"),
                BODY.replace("\"data\":[1]", "\"data\":[1e999]"),
                BODY.replace("\"data\":[1]", "\"data\":[" + "[".repeat(60) + "1" + "]".repeat(60) + "]"),
                BODY.substring(0, BODY.length() - 1))) {
            given().body(body).post(PATH).then().statusCode(400);
        }
    }
}
