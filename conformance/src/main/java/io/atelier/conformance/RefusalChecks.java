package io.atelier.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.math.BigInteger;
import java.util.List;
import java.util.function.Consumer;

/** E: requests in JSON that are wrong. */
final class RefusalChecks {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final Source REQUEST = Source.rest("Inference Request JSON Object");
    private static final Source INPUT = Source.rest("Request Input");
    private static final Source OUTPUT = Source.rest("Request Output");
    private static final Source DATA = Source.rest("Tensor Data");
    private static final Source ERROR = Source.rest("Inference Response JSON Error Object");
    private static final int DEEP = 100_000;

    private RefusalChecks() {}

    static List<Check> checks() {
        Checklist list = new Checklist();
        shapes(list);
        tensors(list);
        values(list);
        bodies(list);
        return list.checks();
    }

    private static void shapes(Checklist list) {
        list.specification(
                        "E01",
                        "fewer elements than the shape has are refused",
                        INPUT,
                        server -> bent(server, input -> data(input).remove(0)))
                .specification(
                        "E02",
                        "more elements than the shape has are refused",
                        INPUT,
                        server -> bent(server, input -> data(input).add(1)))
                .specification(
                        "E03", "a negative dimension is refused", INPUT, server -> shape(server, integers(-2, -3)))
                .specification(
                        "E04",
                        "a shape whose product passes 2^64 is refused",
                        INPUT,
                        server -> shape(server, integers(4294967296L, 4294967297L)))
                .specification("E05", "a dimension past 2^64 is refused", INPUT, server -> {
                    ArrayNode shape = JSON.arrayNode().add(new BigInteger("18446744073709551617"));
                    shape(server, shape.add(6));
                })
                .specification(
                        "E06",
                        "a shape of another rank than the model's is refused",
                        INPUT,
                        server -> shape(server, integers(6)))
                .specification("E07", "a dimension that the model does not take is refused", INPUT, server -> {
                    InferRequest request = Examples.add();
                    request.json().get("inputs").forEach(input -> {
                        data((ObjectNode) input).remove(Examples.WIDTH - 1);
                        ((ObjectNode) input).set("shape", integers(1, Examples.WIDTH - 1L));
                    });
                    server.post(server.add(), request).refused();
                })
                .robustness("E08", "a dimension that is no integer is refused", INPUT, server -> {
                    shape(server, JSON.arrayNode().add(2.5).add(3));
                    shape(server, JSON.arrayNode().add("2").add(3));
                });
    }

    private static void tensors(Checklist list) {
        list.specification(
                        "E09",
                        "another datatype than the model's is refused",
                        INPUT,
                        server -> bent(server, input -> input.put("datatype", "INT32")))
                .specification(
                        "E10",
                        "a datatype that does not exist is refused",
                        INPUT,
                        server -> bent(server, input -> input.put("datatype", "FP31")))
                .specification(
                        "E11",
                        "a missing input is refused",
                        REQUEST,
                        server -> server.post(server.add(), new InferRequest().input(Examples.first()))
                                .refused())
                .robustness(
                        "E12",
                        "an input that is given twice is refused",
                        REQUEST,
                        server -> server.post(server.add(), Examples.add().input(Examples.second()))
                                .refused())
                .specification(
                        "E13",
                        "an input that the model has not is refused",
                        INPUT,
                        server -> server.post(
                                        server.add(),
                                        Examples.add().input(Tensor.of("NO_SUCH", Datatype.FP32, List.of(1f), 1, 1)))
                                .refused())
                .specification(
                        "E14", "no inputs are refused", REQUEST, server -> refused(server, "{\"outputs\": []}", "{}"))
                .specification(
                        "E15",
                        "an empty list of inputs is refused",
                        REQUEST,
                        server -> refused(server, "{\"inputs\": []}"))
                .specification(
                        "E16",
                        "an output that the model has not is refused",
                        OUTPUT,
                        server -> server.post(server.add(), Examples.add().output("NO_SUCH"))
                                .refused())
                .specification("E17", "an input without name, shape, datatype or data is refused", INPUT, server -> {
                    for (String field : List.of("name", "shape", "datatype", "data")) {
                        bent(server, input -> input.remove(field));
                    }
                })
                .robustness("E18", "fields of the wrong JSON type are refused", INPUT, server -> {
                    for (String field : List.of("name", "shape", "datatype", "data")) {
                        for (JsonNode wrong : List.of(
                                JSON.numberNode(5), JSON.objectNode(), JSON.booleanNode(true), JSON.nullNode())) {
                            bent(server, input -> input.set(field, wrong));
                        }
                    }
                    refused(
                            server,
                            "{\"inputs\": {}}",
                            "{\"inputs\": \"INPUT0\"}",
                            "{\"inputs\": [null]}",
                            "{\"inputs\": [[]]}",
                            "{\"inputs\": null}");
                });
    }

    private static void values(Checklist list) {
        list.robustness("E19", "a number out of its type's range is refused", DATA, server -> {
                    value(server, Datatype.UINT8, JSON.numberNode(256));
                    value(server, Datatype.UINT8, JSON.numberNode(-1));
                    value(server, Datatype.INT32, JSON.numberNode(2147483648L));
                    value(server, Datatype.INT64, JSON.numberNode(new BigInteger("9223372036854775808")));
                })
                .robustness(
                        "E20",
                        "an integer with a fraction is refused",
                        DATA,
                        server -> value(server, Datatype.INT32, JSON.numberNode(1.5)))
                .robustness("E21", "a value of another JSON type than the datatype's is refused", DATA, server -> {
                    value(server, Datatype.INT32, JSON.textNode("1"));
                    value(server, Datatype.FP32, JSON.textNode("one"));
                    value(server, Datatype.FP32, JSON.booleanNode(true));
                    value(server, Datatype.BOOL, JSON.numberNode(1));
                    value(server, Datatype.BYTES, JSON.numberNode(1));
                })
                .robustness("E22", "null among the data is refused", DATA, server -> {
                    value(server, Datatype.FP32, JSON.nullNode());
                    value(server, Datatype.BYTES, JSON.nullNode());
                })
                .robustness(
                        "E23",
                        "an object among the data is refused",
                        DATA,
                        server -> value(server, Datatype.FP32, JSON.objectNode()));
    }

    private static void bodies(Checklist list) {
        list.specification(
                        "E24",
                        "a body that is not JSON is refused",
                        ERROR,
                        server -> refused(server, "no JSON", "{\"inputs\": [}", "{\"inputs\"", "{'inputs': []}"))
                .specification("E25", "an empty body is refused", ERROR, server -> refused(server, ""))
                .specification(
                        "E26",
                        "JSON that is no object is refused",
                        ERROR,
                        server -> refused(server, "[]", "5", "null", "\"text\""))
                .robustness("E27", "lists nested 100,000 deep are refused", DATA, server -> {
                    String deep = "[".repeat(DEEP) + "]".repeat(DEEP);
                    refused(
                            server,
                            "{\"inputs\": [{\"name\": \"INPUT0\", \"datatype\": \"FP32\", \"shape\": [1, 1], \"data\": "
                                    + deep + "}]}");
                })
                .robustness("E28", "text that is not UTF-8 is refused", Source.rfc(8259, "8.1"), server -> {
                    byte[] body = "{\"inputs\": [], \"id\": \"?\"}".getBytes(UTF_8);
                    body[body.length - 3] = (byte) 0xff;
                    server.postJson(Server.inferPath(server.add()), body).refused();
                })
                .robustness("E29", "an error is of a JSON type", Source.rfc(9110, "8.3"), server -> {
                    Answer answer = server.postJson(PathChecks.UNKNOWN + "/infer", new byte[0]);
                    String type = String.valueOf(answer.header("content-type"));
                    PathChecks.expect(
                            "application/json or application/…+json",
                            type.matches("application/([\\w.-]+\\+)?json(;.*)?"),
                            type);
                });
    }

    /** Sends FP32 of the shape [2,3], with its input bent. */
    private static void bent(Server server, Consumer<ObjectNode> bend) throws IOException, InterruptedException {
        InferRequest request = Examples.floats();
        bend.accept(request.firstInput());
        refused(server, server.identity(Datatype.FP32), request);
    }

    private static void shape(Server server, ArrayNode shape) throws IOException, InterruptedException {
        bent(server, input -> input.set("shape", shape));
    }

    /** Sends one value as [1,1] of a type; a type that is not served is left out. */
    private static void value(Server server, Datatype type, JsonNode value) throws IOException, InterruptedException {
        String model;
        try {
            model = server.identity(type);
        } catch (NotApplicable notServed) {
            return;
        }
        InferRequest request = new InferRequest().input(Tensor.of(Examples.INPUT, type, List.of(), 1, 1));
        request.firstInput().set("data", JSON.arrayNode().add(value));
        refused(server, model, request);
    }

    private static void refused(Server server, String model, InferRequest request)
            throws IOException, InterruptedException {
        Answer answer = server.post(model, request);
        try {
            answer.refused();
        } catch (Failure failure) {
            throw new Failure("a refusal of " + request.json(), answer.toString());
        }
    }

    private static void refused(Server server, String... bodies) throws IOException, InterruptedException {
        for (String body : bodies) {
            server.postJson(Server.inferPath(server.add()), body.getBytes(UTF_8))
                    .refused();
        }
    }

    private static ArrayNode data(ObjectNode input) {
        return (ArrayNode) input.get("data");
    }

    private static ArrayNode integers(long... values) {
        ArrayNode list = JSON.arrayNode();
        for (long value : values) {
            list.add(value);
        }
        return list;
    }
}
