package io.atelier.conformance;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A model of the stub and what it has done. Guarded by the stub's protocol. */
final class StubModel {
    final String name;
    final Datatype type;
    final List<String> inputs;
    final List<String> outputs;
    final long columns;
    boolean ready = true;
    long requests;
    long failures;
    long rows;
    long executions;

    private StubModel(String name, Datatype type, List<String> inputs, List<String> outputs, long columns) {
        this.name = name;
        this.type = type;
        this.inputs = inputs;
        this.outputs = outputs;
        this.columns = columns;
    }

    static StubModel identity(Datatype type) {
        return new StubModel("identity_" + type.word(), type, List.of("INPUT0"), List.of("OUTPUT0"), -1);
    }

    static StubModel add(String name) {
        return new StubModel(
                name, Datatype.INT32, List.of("INPUT0", "INPUT1"), List.of("OUTPUT0", "OUTPUT1"), Examples.WIDTH);
    }

    /** Values by output; the shape is that of the first input. */
    List<Object> output(String output, Map<String, List<Object>> values) {
        List<Object> first = values.getOrDefault("INPUT0", List.of());
        if (inputs.size() == 1) {
            return first;
        }
        List<Object> second = values.getOrDefault("INPUT1", List.of());
        List<Object> result = new ArrayList<>();
        for (int i = 0; i < first.size(); i++) {
            var left = (BigInteger) first.get(i);
            var right = (BigInteger) second.get(i);
            result.add(output.equals("OUTPUT0") ? left.add(right) : left.subtract(right));
        }
        return result;
    }

    ObjectNode metadata() {
        ObjectNode metadata =
                JsonNodeFactory.instance.objectNode().put("name", name).put("platform", "stub");
        metadata.putArray("versions").add("1");
        tensors(metadata.putArray("inputs"), inputs);
        tensors(metadata.putArray("outputs"), outputs);
        return metadata;
    }

    private void tensors(ArrayNode list, List<String> names) {
        for (String each : names) {
            ObjectNode tensor = list.addObject().put("name", each).put("datatype", type.name());
            tensor.putArray("shape").add(-1).add(columns);
        }
    }

    ObjectNode config() {
        ObjectNode config =
                JsonNodeFactory.instance.objectNode().put("name", name).put("max_batch_size", 16);
        inputs.forEach(each ->
                config.withArrayProperty("input").addObject().put("name", each).put("data_type", "TYPE_" + type));
        outputs.forEach(each ->
                config.withArrayProperty("output").addObject().put("name", each).put("data_type", "TYPE_" + type));
        return config;
    }

    ObjectNode statistics() {
        ObjectNode stats = JsonNodeFactory.instance
                .objectNode()
                .put("name", name)
                .put("version", "1")
                .put("last_inference", 0)
                .put("inference_count", rows)
                .put("execution_count", executions);
        ObjectNode durations = stats.putObject("inference_stats");
        for (String step : List.of("success", "fail", "queue", "compute_input", "compute_infer", "compute_output")) {
            long count = step.equals("fail") ? failures : requests;
            durations.putObject(step).put("count", count).put("ns", count);
        }
        ObjectNode batch = stats.putArray("batch_stats").addObject().put("batch_size", 1);
        batch.putObject("compute_infer").put("count", executions).put("ns", executions);
        return stats;
    }
}
