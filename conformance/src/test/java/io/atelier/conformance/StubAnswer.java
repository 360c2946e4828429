package io.atelier.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;

/** What the stub answers. */
final class StubAnswer {
    private final int status;
    private final Map<String, String> headers;
    private final byte[] body;

    StubAnswer(int status, Map<String, String> headers, byte[] body) {
        this.status = status;
        this.headers = headers;
        this.body = body;
    }

    int status() {
        return status;
    }

    Map<String, String> headers() {
        return headers;
    }

    byte[] body() {
        return body;
    }

    static StubAnswer json(int status, JsonNode body) {
        return new StubAnswer(
                status,
                Map.of("Content-Type", "application/json"),
                body.toString().getBytes(UTF_8));
    }
}
