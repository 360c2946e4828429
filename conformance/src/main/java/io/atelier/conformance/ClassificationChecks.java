package io.atelier.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.util.List;

/** K: the best classes instead of all numbers. */
final class ClassificationChecks {
    private static final String NAME = "classification";
    private static final Source SOURCE = Source.extension("classification", "HTTP/REST");

    private ClassificationChecks() {}

    static List<Check> checks() {
        return new Checklist()
                .extension(NAME, "K01", "classification gives the best as value:index, best first", SOURCE, server -> {
                    List<Object> best = classified(server, 2).values(Examples.OUTPUT, Datatype.BYTES);
                    PathChecks.expect("the classes 2 and 1", indices(best).equals(List.of("2", "1")), best);
                    PathChecks.expect(
                            "the values 10 and 5",
                            Float.parseFloat(part(best.get(0), 0)) == 10 && Float.parseFloat(part(best.get(1), 0)) == 5,
                            best);
                })
                .extension(NAME, "K02", "its output is BYTES of the shape [batch, count]", SOURCE, server -> {
                    JsonNode output = classified(server, 3).output(Examples.OUTPUT);
                    PathChecks.expect(
                            "BYTES [1,3]",
                            output.path("datatype").asText().equals("BYTES")
                                    && output.path("shape").toString().equals("[1,3]"),
                            output);
                })
                .extension(NAME, "K03", "each row has its own", SOURCE, server -> {
                    List<Object> scores = List.of(1f, 2f, 3f, 6f, 5f, 4f);
                    InferRequest request = new InferRequest()
                            .input(Tensor.of(Examples.INPUT, Datatype.FP32, scores, 2, 3))
                            .output(Examples.OUTPUT, NAME, JsonNodeFactory.instance.numberNode(1));
                    List<Object> best = server.infer(server.identity(Datatype.FP32), request)
                            .values(Examples.OUTPUT, Datatype.BYTES);
                    PathChecks.expect("the classes 2 and 0", indices(best).equals(List.of("2", "0")), best);
                })
                .extension(NAME, "K04", "a count below 1 or that is no integer is refused", SOURCE, server -> {
                    for (JsonNode count : List.of(
                            JsonNodeFactory.instance.numberNode(-1), JsonNodeFactory.instance.textNode("two"))) {
                        server.post(server.identity(Datatype.FP32), request(count))
                                .refused();
                    }
                })
                .checks();
    }

    /** The example of the extension's page. */
    private static InferAnswer classified(Server server, int count) throws IOException, InterruptedException {
        return server.infer(server.identity(Datatype.FP32), request(JsonNodeFactory.instance.numberNode(count)));
    }

    private static InferRequest request(JsonNode count) {
        return new InferRequest()
                .input(Tensor.of(Examples.INPUT, Datatype.FP32, List.of(1f, 5f, 10f, 4f), 1, 4))
                .output(Examples.OUTPUT, NAME, count);
    }

    private static List<String> indices(List<Object> classes) {
        return classes.stream().map(each -> part(each, 1)).toList();
    }

    private static String part(Object text, int index) {
        String[] parts = text.toString().split(":", -1);
        if (parts.length < 2) {
            throw new Failure("value:index", text.toString());
        }
        return parts[index];
    }
}
