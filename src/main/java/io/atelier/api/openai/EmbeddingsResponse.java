package io.atelier.api.openai;

import com.fasterxml.jackson.core.JsonGenerator;
import io.atelier.api.Json;
import io.atelier.core.ServingException.InvalidInput;
import io.atelier.serving.Embeddings;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;

/** Writes embeddings as OpenAI does. */
final class EmbeddingsResponse {
    private static final int BYTES_AROUND_VECTOR = 128;
    private static final int BYTES_PER_FLOAT = 13;

    private EmbeddingsResponse() {}

    /** About how much data there is to write. */
    static long dataBytes(Embeddings embeddings) {
        return embeddings.vectors().stream()
                .mapToLong(vector -> (long) vector.length * Float.BYTES)
                .sum();
    }

    /** @throws InvalidInput if the caller wants vectors of another size than the model's */
    static byte[] write(EmbeddingsRequest request, Embeddings embeddings) {
        checkDimensions(request, embeddings);
        return Json.write(expectedBytes(embeddings), json -> {
            json.writeStartObject();
            json.writeStringField("object", "list");
            json.writeArrayFieldStart("data");
            for (int index = 0; index < embeddings.vectors().size(); index++) {
                json.writeStartObject();
                json.writeStringField("object", "embedding");
                json.writeNumberField("index", index);
                json.writeFieldName("embedding");
                vector(embeddings.vectors().get(index), request.base64(), json);
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeStringField("model", request.model());
            json.writeObjectFieldStart("usage");
            json.writeNumberField("prompt_tokens", embeddings.tokens());
            json.writeNumberField("total_tokens", embeddings.tokens());
            json.writeEndObject();
            json.writeEndObject();
        });
    }

    private static void checkDimensions(EmbeddingsRequest request, Embeddings embeddings) {
        Integer wanted = request.dimensions();
        if (wanted == null) {
            return;
        }
        for (float[] vector : embeddings.vectors()) {
            if (vector.length != wanted) {
                throw new InvalidInput(
                        "dimensions is %d, the model's vectors have %d".formatted(wanted, vector.length));
            }
        }
    }

    private static int expectedBytes(Embeddings embeddings) {
        long data = dataBytes(embeddings) / Float.BYTES * BYTES_PER_FLOAT;
        long around = (long) (embeddings.vectors().size() + 1) * BYTES_AROUND_VECTOR;
        return (int) Math.min(data + around, Integer.MAX_VALUE - Byte.MAX_VALUE);
    }

    private static void vector(float[] vector, boolean base64, JsonGenerator json) throws IOException {
        if (base64) {
            ByteBuffer raw = ByteBuffer.allocate(vector.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            raw.asFloatBuffer().put(vector);
            json.writeString(Base64.getEncoder().encodeToString(raw.array()));
            return;
        }
        json.writeStartArray();
        for (float value : vector) {
            json.writeNumber(value);
        }
        json.writeEndArray();
    }
}
