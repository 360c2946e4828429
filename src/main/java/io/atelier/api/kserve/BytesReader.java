package io.atelier.api.kserve;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.atelier.api.Json;
import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.Shape;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;

/**
 * Reads nested lists of texts into the raw layout of BYTES: strings, or {@code {"b64": "…"}} for their
 * bytes.
 *
 * <p>Used once, by one thread.
 */
final class BytesReader {
    static final String BASE64 = "b64";

    private final JsonParser json;
    private final String tensor;
    private final Shape shape;
    private final ByteArrayOutputStream raw = new ByteArrayOutputStream();

    /** @param json stands at the value, whose first lists have this shape */
    BytesReader(JsonParser json, String tensor, Shape shape) {
        this.json = json;
        this.tensor = tensor;
        this.shape = shape;
    }

    /** The elements, as a direct little-endian buffer of exactly their size. */
    ByteBuffer read() throws IOException {
        value(json.currentToken(), 0);
        ByteBuffer out = ByteBuffer.allocateDirect(raw.size()).order(ByteOrder.LITTLE_ENDIAN);
        return out.put(raw.toByteArray()).flip();
    }

    private void value(JsonToken token, int axis) throws IOException {
        if (axis == shape.rank()) {
            element(token);
            return;
        }
        if (token != JsonToken.START_ARRAY) {
            throw invalid(Json.describe(token) + " where shape " + shape + " needs a list");
        }
        long count = 0;
        for (JsonToken next = json.nextToken(); next != JsonToken.END_ARRAY; next = json.nextToken()) {
            value(next, axis + 1);
            count++;
        }
        if (count != shape.dimension(axis)) {
            throw invalid("lists of unequal lengths");
        }
    }

    private void element(JsonToken token) throws IOException {
        byte[] bytes;
        if (token == JsonToken.VALUE_STRING) {
            bytes = json.getText().getBytes(UTF_8);
        } else if (token == JsonToken.START_OBJECT) {
            bytes = base64();
        } else {
            throw invalid(Json.describe(token) + " where a string or {\"b64\": …} is needed");
        }
        raw.writeBytes(ByteBuffer.allocate(Integer.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(bytes.length)
                .array());
        raw.writeBytes(bytes);
    }

    private byte[] base64() throws IOException {
        if (json.nextToken() != JsonToken.FIELD_NAME
                || !json.currentName().equals(BASE64)
                || json.nextToken() != JsonToken.VALUE_STRING) {
            throw invalid("an object that is not {\"b64\": \"…\"}");
        }
        byte[] bytes;
        try {
            bytes = Base64.getDecoder().decode(json.getText());
        } catch (IllegalArgumentException e) {
            throw invalid("a b64 that is not base64");
        }
        if (json.nextToken() != JsonToken.END_OBJECT) {
            throw invalid("an object that is not {\"b64\": \"…\"}");
        }
        return bytes;
    }

    private InvalidInput invalid(String what) {
        return new InvalidInput("input '" + tensor + "' has " + what);
    }
}
