package io.atelier.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** The body of an infer request under construction: JSON, and raw tensors behind it. Not thread-safe. */
final class InferRequest {
    private final ObjectNode json = JsonNodeFactory.instance.objectNode();
    private final ByteArrayOutputStream binary = new ByteArrayOutputStream();

    InferRequest id(String id) {
        json.put("id", id);
        return this;
    }

    InferRequest parameter(String name, JsonNode value) {
        json.withObjectProperty("parameters").set(name, value);
        return this;
    }

    InferRequest parameter(String name, boolean value) {
        return parameter(name, JsonNodeFactory.instance.booleanNode(value));
    }

    InferRequest parameter(String name, long value) {
        return parameter(name, JsonNodeFactory.instance.numberNode(value));
    }

    /** An input with its data in the JSON, flat. */
    InferRequest input(Tensor tensor) {
        head(tensor).set("data", tensor.type().json(tensor.values()));
        return this;
    }

    /** An input with its data behind the JSON. */
    InferRequest binaryInput(Tensor tensor) {
        byte[] raw = tensor.raw();
        return binaryInput(tensor, raw, JsonNodeFactory.instance.numberNode(raw.length));
    }

    /** An input whose declared size need not be that of its data. */
    InferRequest binaryInput(Tensor tensor, byte[] raw, JsonNode declaredSize) {
        head(tensor).putObject("parameters").set("binary_data_size", declaredSize);
        binary.writeBytes(raw);
        return this;
    }

    private ObjectNode head(Tensor tensor) {
        ObjectNode input = json.withArrayProperty("inputs").addObject();
        input.put("name", tensor.name()).put("datatype", tensor.type().name());
        tensor.shape().forEach(input.putArray("shape")::add);
        return input;
    }

    InferRequest output(String name) {
        json.withArrayProperty("outputs").addObject().put("name", name);
        return this;
    }

    InferRequest binaryOutput(String name, boolean binary) {
        return output(name, "binary_data", JsonNodeFactory.instance.booleanNode(binary));
    }

    InferRequest output(String name, String parameter, JsonNode value) {
        ObjectNode output = json.withArrayProperty("outputs").addObject().put("name", name);
        output.putObject("parameters").set(parameter, value);
        return this;
    }

    /** To be bent into what no client would send. */
    ObjectNode json() {
        return json;
    }

    /** The first input, to be bent. */
    ObjectNode firstInput() {
        return (ObjectNode) json.get("inputs").get(0);
    }

    boolean hasBinary() {
        return binary.size() > 0;
    }

    byte[] header() {
        return json.toString().getBytes(StandardCharsets.UTF_8);
    }

    byte[] body() {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        body.writeBytes(header());
        body.writeBytes(binary.toByteArray());
        return body.toByteArray();
    }
}
