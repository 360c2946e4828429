package io.atelier.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/** A successful inference: its JSON, and the raw tensors behind it, still as bytes. */
final class InferAnswer {
    private final Answer answer;
    private final JsonNode json;
    private final Map<String, JsonNode> outputs = new LinkedHashMap<>();
    private final Map<String, byte[]> binaries = new LinkedHashMap<>();

    private InferAnswer(Answer answer, int headerLength) {
        this.answer = answer;
        this.json = Answer.tree(Arrays.copyOf(answer.body(), headerLength), "an inference response in JSON");
        int next = headerLength;
        for (JsonNode output : json.path("outputs")) {
            String name = output.path("name").asText();
            outputs.put(name, output);
            JsonNode size = output.path("parameters").path("binary_data_size");
            if (size.isInt()) {
                int end = next + size.intValue();
                if (size.intValue() < 0 || end > answer.body().length) {
                    throw new Failure(
                            size + " bytes of output " + name, (answer.body().length - next) + " that are left");
                }
                binaries.put(name, Arrays.copyOfRange(answer.body(), next, end));
                next = end;
            }
        }
        if (next != answer.body().length) {
            throw new Failure("a body that ends behind its tensors", (answer.body().length - next) + " bytes more");
        }
    }

    /** @throws Failure if it is none */
    static InferAnswer of(Answer answer) {
        answer.expect(200);
        String header = answer.header(Answer.INFERENCE_HEADER);
        if (header == null) {
            return new InferAnswer(answer, answer.body().length);
        }
        String expected = "Inference-Header-Content-Length within the " + answer.body().length + " bytes of the body";
        if (!header.matches("\\d{1,9}") || Integer.parseInt(header) > answer.body().length) {
            throw new Failure(expected, header);
        }
        return new InferAnswer(answer, Integer.parseInt(header));
    }

    Answer answer() {
        return answer;
    }

    JsonNode json() {
        return json;
    }

    List<String> names() {
        return StreamSupport.stream(json.path("outputs").spliterator(), false)
                .map(output -> output.path("name").asText())
                .toList();
    }

    JsonNode output(String name) {
        JsonNode output = outputs.get(name);
        if (output == null) {
            throw new Failure("an output " + name, "outputs " + names());
        }
        return output;
    }

    /** The raw bytes of an output; null where it came in the JSON. */
    byte @Nullable [] binary(String name) {
        output(name);
        return binaries.get(name);
    }

    /** The values of an output, however it came. */
    List<Object> values(String name, Datatype type) {
        byte[] raw = binary(name);
        if (raw != null) {
            return type.values(raw);
        }
        JsonNode data = output(name).path("data");
        if (!data.isArray()) {
            throw new Failure("data of output " + name, output(name).toString());
        }
        return type.values(data);
    }

    InferAnswer expect(String name, Datatype type, List<Object> expected) {
        List<Object> seen = values(name, type);
        if (!seen.equals(expected)) {
            throw new Failure(name + " " + expected, seen.toString());
        }
        return this;
    }

    /** Demands that an output came behind the JSON, or in it. */
    InferAnswer expectBinary(String name, boolean binary) {
        boolean came = binary(name) != null;
        if (came != binary) {
            throw new Failure(
                    name + (binary ? " behind the JSON" : " in the JSON"),
                    output(name).toString());
        }
        return this;
    }
}
