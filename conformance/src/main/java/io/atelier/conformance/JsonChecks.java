package io.atelier.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;

/** B: every datatype in JSON. D: nested data. */
final class JsonChecks {
    private static final Source TENSOR_DATA = Source.rest("Tensor Data");

    private JsonChecks() {}

    static List<Check> checks() {
        Checklist list = new Checklist();
        List<Datatype> types = Stream.of(Datatype.values())
                .filter(type -> !type.isBinaryOnly())
                .toList();
        for (int i = 0; i < types.size(); i++) {
            Datatype type = types.get(i);
            list.specification(
                    "B%02d".formatted(i + 1),
                    type + " in JSON comes back from an identity as it was",
                    Source.rest("Tensor Data Types"),
                    server -> server.infer(server.identity(type), new InferRequest().input(Examples.sample(type)))
                            .expect(Examples.OUTPUT, type, type.sample()));
        }
        exact(list);
        form(list);
        nested(list);
        return list.checks();
    }

    private static void exact(Checklist list) {
        list.specification(
                        "B13",
                        "INT64 is exact to the last bit",
                        TENSOR_DATA,
                        server -> roundTrip(
                                server,
                                Datatype.INT64,
                                Datatype.integers(
                                        "9007199254740993",
                                        "-9007199254740993",
                                        "9223372036854775807",
                                        "-9223372036854775808",
                                        "1234567890123456789",
                                        "-1")))
                .specification(
                        "B14",
                        "UINT64 is exact to the last bit",
                        TENSOR_DATA,
                        server -> roundTrip(
                                server,
                                Datatype.UINT64,
                                Datatype.integers(
                                        "9007199254740993",
                                        "9223372036854775807",
                                        "9223372036854775808",
                                        "18446744073709551615",
                                        "18446744073709551614",
                                        "12345678901234567891")))
                .specification(
                        "B15",
                        "FP32 keeps every bit of a finite number",
                        TENSOR_DATA,
                        server -> roundTrip(
                                server,
                                Datatype.FP32,
                                List.of(
                                        0.1f,
                                        Float.MIN_VALUE,
                                        Float.MAX_VALUE,
                                        -Float.MIN_NORMAL,
                                        16777218f,
                                        Math.nextDown(Float.MAX_VALUE))))
                .specification(
                        "B16",
                        "FP64 keeps every bit of a finite number",
                        TENSOR_DATA,
                        server -> roundTrip(
                                server,
                                Datatype.FP64,
                                List.of(
                                        0.1,
                                        Double.MIN_VALUE,
                                        Double.MAX_VALUE,
                                        -Math.nextDown(Double.MIN_NORMAL),
                                        9007199254740994.0,
                                        1 / 3.0)))
                .specification(
                        "B17",
                        "BYTES carry text beyond ASCII",
                        TENSOR_DATA,
                        server -> roundTrip(
                                server,
                                Datatype.BYTES,
                                List.of("Größe", "日本語", "🎻 emoji", "e\u0301 combined", "\u0001\u007f", "\u2028")))
                .specification("B18", "BYTES may be written with escapes", TENSOR_DATA, server -> {
                    String body = """
                            {"inputs": [{"name": "INPUT0", "datatype": "BYTES", "shape": [1, 3],
                                         "data": ["\\u00e4", "\\ud83c\\udfbb", "\\/\\t"]}]}""";
                    Answer answer = server.postJson(
                            Server.inferPath(server.identity(Datatype.BYTES)),
                            body.getBytes(StandardCharsets.US_ASCII));
                    InferAnswer.of(answer).expect(Examples.OUTPUT, Datatype.BYTES, List.of("ä", "🎻", "/\t"));
                })
                .robustness(
                        "B19",
                        "a float that is not finite is written in a form that is read back",
                        TENSOR_DATA,
                        JsonChecks::nonFinite);
    }

    private static void form(Checklist list) {
        list.specification("B20", "an output has its shape", Source.rest("Response Output"), server -> {
                    JsonNode output = server.infer(server.identity(Datatype.FP32), Examples.floats())
                            .output(Examples.OUTPUT);
                    PathChecks.expect(
                            "shape [2,3]", output.path("shape").toString().equals("[2,3]"), output);
                })
                .specification("B21", "an output has its datatype", Source.rest("Response Output"), server -> {
                    JsonNode output = server.infer(server.identity(Datatype.FP32), Examples.floats())
                            .output(Examples.OUTPUT);
                    PathChecks.expect(
                            "datatype FP32", output.path("datatype").asText().equals("FP32"), output);
                })
                .specification(
                        "B22", "a response names its model", Source.rest("Inference Response JSON Object"), server -> {
                            JsonNode json =
                                    server.infer(server.add(), Examples.add()).json();
                            PathChecks.expect(
                                    "model_name " + server.add(),
                                    json.path("model_name").asText().equals(server.add()),
                                    json);
                        })
                .specification(
                        "B23",
                        "a response's model_version, if there is one, is that which was asked for",
                        Source.rest("Inference Response JSON Object"),
                        server -> {
                            String version = server.addVersion();
                            JsonNode named = InferAnswer.of(server.postJson(
                                            "/v2/models/" + server.add() + "/versions/" + version + "/infer",
                                            Examples.add().body()))
                                    .json()
                                    .path("model_version");
                            PathChecks.expect(
                                    "model_version \"" + version + "\"",
                                    named.isMissingNode()
                                            || (named.isTextual()
                                                    && named.asText().equals(version)),
                                    named);
                        })
                .robustness(
                        "B24",
                        "a response in JSON is of type application/json",
                        Source.rest("Inference Request Examples"),
                        server -> {
                            Answer answer =
                                    server.infer(server.add(), Examples.add()).answer();
                            String type = String.valueOf(answer.header("content-type"));
                            PathChecks.expect("application/json", type.startsWith("application/json"), type);
                        });
    }

    private static void nested(Checklist list) {
        list.specification("D01", "nested numbers are the same as flat ones", TENSOR_DATA, server -> {
                    InferRequest request = Examples.floats();
                    request.firstInput().set("data", twoRows(Datatype.FP32));
                    server.infer(server.identity(Datatype.FP32), request)
                            .expect(Examples.OUTPUT, Datatype.FP32, Datatype.FP32.sample());
                })
                .specification("D02", "nested BYTES are the same as flat ones", TENSOR_DATA, server -> {
                    InferRequest request = new InferRequest().input(Examples.sample(Datatype.BYTES));
                    request.firstInput().set("data", twoRows(Datatype.BYTES));
                    server.infer(server.identity(Datatype.BYTES), request)
                            .expect(Examples.OUTPUT, Datatype.BYTES, Datatype.BYTES.sample());
                })
                .robustness("D03", "nesting that contradicts the shape is refused", TENSOR_DATA, server -> {
                    InferRequest request = Examples.floats();
                    ArrayNode data = JsonNodeFactory.instance.arrayNode();
                    data.addArray().add(1).add(2);
                    data.addArray().add(3).add(4).add(5).add(6);
                    request.firstInput().set("data", data);
                    server.post(server.identity(Datatype.FP32), request).refused();
                });
    }

    private static ArrayNode twoRows(Datatype type) {
        ArrayNode flat = type.json(type.sample());
        ArrayNode rows = JsonNodeFactory.instance.arrayNode();
        for (int row = 0; row < 2; row++) {
            ArrayNode cells = rows.addArray();
            for (int i = 0; i < 3; i++) {
                cells.add(flat.get(3 * row + i));
            }
        }
        return rows;
    }

    private static void roundTrip(Server server, Datatype type, List<Object> values)
            throws IOException, InterruptedException {
        InferRequest request = new InferRequest().input(Tensor.of(Examples.INPUT, type, values, 2, 3));
        server.infer(server.identity(type), request).expect(Examples.OUTPUT, type, values);
    }

    /** In binary to JSON, then that JSON to binary. */
    private static void nonFinite(Server server) throws IOException, InterruptedException {
        server.require(BinaryChecks.NAME);
        String model = server.identity(Datatype.FP32);
        List<Object> values = List.of(Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 1f);
        Tensor tensor = Tensor.of(Examples.INPUT, Datatype.FP32, values, 1, 4);
        JsonNode written = server.infer(model, new InferRequest().binaryInput(tensor))
                .output(Examples.OUTPUT)
                .path("data");
        InferRequest again = new InferRequest().input(Tensor.of(Examples.INPUT, Datatype.FP32, List.of(), 1, 4));
        again.firstInput().set("data", written);
        server.infer(model, again.binaryOutput(Examples.OUTPUT, true)).expect(Examples.OUTPUT, Datatype.FP32, values);
    }
}
