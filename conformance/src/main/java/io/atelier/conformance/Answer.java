package io.atelier.conformance;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What a server said. */
public final class Answer {
    static final String INFERENCE_HEADER = "inference-header-content-length";

    private static final int SHOWN_CHARACTERS = 160;
    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private final int status;
    private final Map<String, String> headers;
    private final byte[] body;

    /** @param headers by their names in lower case */
    Answer(int status, Map<String, String> headers, byte[] body) {
        this.status = status;
        this.headers = headers;
        this.body = body;
    }

    public int status() {
        return status;
    }

    Map<String, String> headers() {
        return headers;
    }

    public byte[] body() {
        return body;
    }

    Answer expect(int expected) {
        if (status != expected) {
            throw new Failure("status " + expected, toString());
        }
        return this;
    }

    /** Refused: a status of the caller's kind, and JSON that says why in {@code error}. */
    Answer refused() {
        return refused("from 400 to 499", status >= 400 && status <= 499);
    }

    /** Refused with one of these, and JSON that says why in {@code error}. */
    Answer refusedWith(Set<Integer> statuses) {
        return refused("among " + new TreeSet<>(statuses), statuses.contains(status));
    }

    private Answer refused(String which, boolean right) {
        String expected = "a status " + which + " and a JSON object with a text in \"error\"";
        if (!right) {
            throw new Failure(expected, toString());
        }
        JsonNode error = tree(body, expected).path("error");
        if (!error.isTextual() || error.textValue().isBlank()) {
            throw new Failure(expected, toString());
        }
        return this;
    }

    /** Whatever it is, no failure of the server. */
    Answer withoutServerError() {
        if (status >= 500) {
            throw new Failure("no status from 500 on", toString());
        }
        return this;
    }

    /** What an error says; empty where it says nothing. */
    public String error() {
        return tree(body, "a JSON object").path("error").asText();
    }

    JsonNode json() {
        return tree(body, "JSON");
    }

    public @Nullable String header(String lowerCaseName) {
        return headers.get(lowerCaseName);
    }

    static JsonNode tree(byte[] bytes, String expected) {
        try {
            JsonNode tree = JSON.readTree(bytes);
            if (tree.isMissingNode()) {
                throw new Failure(expected, "nothing");
            }
            return tree;
        } catch (IOException notJson) {
            throw new Failure(expected, shown(bytes));
        }
    }

    /** The status and the beginning of the body. */
    @Override
    public String toString() {
        return "status " + status + " with " + (body.length == 0 ? "no body" : shown(body));
    }

    private static String shown(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        String line = text.replaceAll("\\p{Cntrl}", " ");
        return line.length() <= SHOWN_CHARACTERS ? line : line.substring(0, SHOWN_CHARACTERS) + "…";
    }
}
