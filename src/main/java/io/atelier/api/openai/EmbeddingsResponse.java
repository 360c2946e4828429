package io.atelier.api.openai;

import com.fasterxml.jackson.core.JsonGenerator;
import io.atelier.api.Json;
import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.TaskAnswer.Embedding;
import io.atelier.serving.Prediction;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;

/** Writes embeddings as OpenAI does. */
final class EmbeddingsResponse {
    private static final int BYTES_AROUND_VECTOR = 128;
    private static final int BYTES_PER_FLOAT = 13;

    private EmbeddingsResponse() {}

    /** About how much data there is to write. */
    static long dataBytes(Prediction prediction) {
        return embeddings(prediction)
                .mapToLong(embedding -> (long) embedding.vector().length * Float.BYTES)
                .sum();
    }

    /** @throws InvalidInput if the caller wants vectors of another size than the model's */
    static byte[] write(EmbeddingsRequest request, Prediction prediction) {
        checkDimensions(request, prediction);
        List<Embedding> embeddings = embeddings(prediction).toList();
        long tokens = embeddings.stream().mapToLong(Embedding::tokens).sum();
        return Json.write(expectedBytes(prediction), json -> {
            json.writeStartObject();
            json.writeStringField("object", "list");
            json.writeArrayFieldStart("data");
            for (int index = 0; index < embeddings.size(); index++) {
                json.writeStartObject();
                json.writeStringField("object", "embedding");
                json.writeNumberField("index", index);
                json.writeFieldName("embedding");
                vector(embeddings.get(index).vector(), request.base64(), json);
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeStringField("model", request.model());
            json.writeObjectFieldStart("usage");
            json.writeNumberField("prompt_tokens", tokens);
            json.writeNumberField("total_tokens", tokens);
            json.writeEndObject();
            json.writeEndObject();
        });
    }

    private static void checkDimensions(EmbeddingsRequest request, Prediction prediction) {
        Integer wanted = request.dimensions();
        if (wanted == null) {
            return;
        }
        embeddings(prediction).map(embedding -> embedding.vector().length).forEach(size -> {
            if (!size.equals(wanted)) {
                throw new InvalidInput("dimensions is %d, the model's vectors have %d".formatted(wanted, size));
            }
        });
    }

    private static Stream<Embedding> embeddings(Prediction prediction) {
        return prediction.answers().stream().map(Embedding.class::cast);
    }

    private static int expectedBytes(Prediction prediction) {
        long data = dataBytes(prediction) / Float.BYTES * BYTES_PER_FLOAT;
        long around = (long) (prediction.answers().size() + 1) * BYTES_AROUND_VECTOR;
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
