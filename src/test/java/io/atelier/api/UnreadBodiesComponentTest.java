package io.atelier.api;

import static io.atelier.api.RawHttp.bytes;
import static io.atelier.api.RawHttp.connect;
import static io.atelier.api.RawHttp.exchange;
import static io.atelier.api.RawHttp.join;
import static io.atelier.api.RawHttp.rest;
import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.test.junit.QuarkusTest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Compressed bodies that nobody reads, byte by byte over real HTTP. */
@QuarkusTest
@Timeout(60)
class UnreadBodiesComponentTest {
    private static final String BODY =
            "{\"inputs\":[{\"name\":\"x\",\"shape\":[1,1],\"datatype\":\"FP32\",\"data\":[1]},"
                    + "{\"name\":\"y\",\"shape\":[1,1],\"datatype\":\"INT64\",\"data\":[1]}]}";

    /** Most of these read no body. Each gets an answer: its own if that was there first, or the refusal of the body. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET /v2",
                "GET /v2/health/live",
                "GET /v2/models/echo",
                "GET /v2/models/stats",
                "GET /v1/models",
                "GET /q/health/ready",
                "GET /q/metrics",
                "GET /nothing",
                "DELETE /v2/jobs/none",
                "POST /nothing",
                "PUT /v2",
                "POST /v2/models/echo/ready",
                "POST /v2/repository/models/echo/unload",
                "POST /v2/models/none/map",
                "POST /v2/models/echo/map",
            })
    void aBrokenCompressedBodyLosesNoAnswer(String request) throws IOException {
        byte[] broken = gzip(BODY);
        broken[0]++;
        String head = request + " HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: " + broken.length
                + "\r\n\r\n";

        String together = exchange(join(bytes(head), broken));
        String apart;
        try (Socket client = connect()) {
            client.getOutputStream().write(bytes(head));
            client.getOutputStream().write(broken);
            client.shutdownOutput();
            apart = rest(client);
        }

        for (String answer : new String[] {together, apart}) {
            assertThat(answer).matches("(?s)HTTP/1\\.1 (200|400|403|404|405) .*\\r\\n\\r\\n.+");
            if (answer.startsWith("HTTP/1.1 400 ")) {
                assertThat(answer).contains("the body is not what its Content-Encoding says");
            }
        }
    }

    private static byte[] gzip(String text) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (OutputStream out = new GZIPOutputStream(bytes)) {
            out.write(RawHttp.bytes(text));
        }
        return bytes.toByteArray();
    }
}
