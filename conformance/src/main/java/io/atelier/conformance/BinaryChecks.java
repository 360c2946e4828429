package io.atelier.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/** C: tensors behind the JSON. */
final class BinaryChecks {
    static final String NAME = "binary_tensor_data";

    private static final Source EXTENSION = Source.extension("binary_data", "Binary Tensor Data Extension");
    private static final Source RAW = Source.extension("binary_data", "Raw Binary Request");

    private BinaryChecks() {}

    static List<Check> checks() {
        Checklist list = new Checklist();
        Datatype[] types = Datatype.values();
        for (int i = 0; i < types.length; i++) {
            Datatype type = types[i];
            list.extension(
                    NAME,
                    "C%02d".formatted(i + 1),
                    type + " in binary comes back from an identity as it was",
                    EXTENSION,
                    server -> server.infer(
                                    server.identity(type),
                                    new InferRequest()
                                            .binaryInput(Examples.sample(type))
                                            .binaryOutput(Examples.OUTPUT, true))
                            .expectBinary(Examples.OUTPUT, true)
                            .expect(Examples.OUTPUT, type, type.sample()));
        }
        form(list);
        mixed(list);
        raw(list);
        return list.checks();
    }

    private static void form(Checklist list) {
        list.extension(
                        NAME,
                        "C15",
                        "a binary answer has the lengths of its JSON and of its tensors",
                        EXTENSION,
                        server -> {
                            InferAnswer answer = server.infer(server.add(), binaryAdd());
                            for (String name : List.of(Examples.OUTPUT, Examples.SECOND_OUTPUT)) {
                                JsonNode output = answer.output(name);
                                PathChecks.expect(
                                        "binary_data_size 64 and no data",
                                        output.path("parameters")
                                                                .path("binary_data_size")
                                                                .asInt()
                                                        == 64
                                                && output.path("data").isMissingNode(),
                                        output);
                            }
                        })
                .extension(NAME, "C16", "a binary answer is of type application/octet-stream", EXTENSION, server -> {
                    String type = String.valueOf(
                            server.infer(server.add(), binaryAdd()).answer().header("content-type"));
                    PathChecks.expect("application/octet-stream", type.startsWith("application/octet-stream"), type);
                })
                .extension(
                        NAME,
                        "C17",
                        "a binary request may come without a Content-Type",
                        Source.example("simple_http_infer_client.py"),
                        server -> Examples.expectSums(sendAdd(server)))
                .extension(
                        NAME,
                        "C18",
                        "a binary request may say that it is application/json",
                        EXTENSION,
                        server -> Examples.expectSums(sendAdd(server, "Content-Type", "application/json")))
                .extension(
                        NAME,
                        "C19",
                        "BYTES that are not UTF-8 come back as they were, or are refused",
                        EXTENSION,
                        BinaryChecks::anyBytes)
                .extension(
                        NAME,
                        "C20",
                        "FP16 asked for in JSON is refused or answered",
                        EXTENSION,
                        server -> server.post(
                                        server.identity(Datatype.FP16),
                                        new InferRequest()
                                                .binaryInput(Examples.sample(Datatype.FP16))
                                                .binaryOutput(Examples.OUTPUT, false))
                                .withoutServerError());
    }

    private static void mixed(Checklist list) {
        list.extension(
                        NAME,
                        "C21",
                        "a binary input is answered in JSON where nothing else is asked",
                        EXTENSION,
                        server -> {
                            InferAnswer answer = server.infer(
                                    server.add(),
                                    new InferRequest()
                                            .binaryInput(Examples.first())
                                            .binaryInput(Examples.second()));
                            Examples.expectSums(answer.expectBinary(Examples.OUTPUT, false));
                        })
                .extension(NAME, "C22", "an input in JSON is answered in binary if asked", EXTENSION, server -> {
                    InferAnswer answer = server.infer(
                            server.add(),
                            Examples.add()
                                    .binaryOutput(Examples.OUTPUT, true)
                                    .binaryOutput(Examples.SECOND_OUTPUT, true));
                    Examples.expectSums(answer.expectBinary(Examples.OUTPUT, true));
                })
                .extension(NAME, "C23", "JSON and binary mix, in both directions", EXTENSION, server -> {
                    InferAnswer answer = server.infer(
                            server.add(),
                            new InferRequest()
                                    .input(Examples.first())
                                    .binaryInput(Examples.second())
                                    .binaryOutput(Examples.OUTPUT, true)
                                    .binaryOutput(Examples.SECOND_OUTPUT, false));
                    Examples.expectSums(
                            answer.expectBinary(Examples.OUTPUT, true).expectBinary(Examples.SECOND_OUTPUT, false));
                })
                .extension(NAME, "C24", "binary_data_output asks for all outputs in binary", EXTENSION, server -> {
                    InferAnswer answer =
                            server.infer(server.add(), Examples.add().parameter("binary_data_output", true));
                    Examples.expectSums(
                            answer.expectBinary(Examples.OUTPUT, true).expectBinary(Examples.SECOND_OUTPUT, true));
                })
                .extension(NAME, "C25", "binary_data of one output overrides binary_data_output", EXTENSION, server -> {
                    InferAnswer answer = server.infer(
                            server.add(),
                            Examples.add()
                                    .parameter("binary_data_output", true)
                                    .output(Examples.OUTPUT)
                                    .binaryOutput(Examples.SECOND_OUTPUT, false));
                    Examples.expectSums(
                            answer.expectBinary(Examples.OUTPUT, true).expectBinary(Examples.SECOND_OUTPUT, false));
                })
                .extension(
                        NAME,
                        "C26",
                        "raw inputs stand in the order of the request's inputs",
                        EXTENSION,
                        server -> Examples.expectSums(server.infer(
                                server.add(),
                                new InferRequest()
                                        .binaryInput(Examples.second())
                                        .binaryInput(Examples.first()))))
                .extension(
                        NAME, "C27", "raw outputs stand in the order of the response's outputs", EXTENSION, server -> {
                            InferAnswer answer = server.infer(
                                    server.add(),
                                    Examples.add()
                                            .binaryOutput(Examples.SECOND_OUTPUT, true)
                                            .binaryOutput(Examples.OUTPUT, true));
                            Examples.expectSums(answer.expectBinary(Examples.OUTPUT, true));
                        });
    }

    private static void raw(Checklist list) {
        list.extension(NAME, "C28", "a raw binary request: the whole body is the only input", RAW, server -> {
                    List<Object> values = List.of(1f, 2.5f, -3f);
                    InferAnswer answer = InferAnswer.of(server.post(
                            Server.inferPath(server.identity(Datatype.FP32)),
                            Datatype.FP32.raw(values),
                            "Content-Type",
                            "application/octet-stream",
                            Answer.INFERENCE_HEADER,
                            "0"));
                    answer.expectBinary(Examples.OUTPUT, true).expect(Examples.OUTPUT, Datatype.FP32, values);
                    JsonNode output = answer.output(Examples.OUTPUT);
                    PathChecks.expect(
                            "shape [1,3]", output.path("shape").toString().equals("[1,3]"), output);
                })
                .extension(
                        NAME,
                        "C29",
                        "a raw binary request of half an element is refused",
                        RAW,
                        server -> server.post(
                                        Server.inferPath(server.identity(Datatype.FP32)),
                                        new byte[] {1, 2, 3, 4, 5, 6},
                                        "Content-Type",
                                        "application/octet-stream",
                                        Answer.INFERENCE_HEADER,
                                        "0")
                                .refused());
    }

    private static InferRequest binaryAdd() {
        return new InferRequest()
                .binaryInput(Examples.first())
                .binaryInput(Examples.second())
                .parameter("binary_data_output", true);
    }

    private static InferAnswer sendAdd(Server server, String... headers) throws IOException, InterruptedException {
        InferRequest request = binaryAdd();
        String[] all = Arrays.copyOf(headers, headers.length + 2);
        all[headers.length] = Answer.INFERENCE_HEADER;
        all[headers.length + 1] = Integer.toString(request.header().length);
        return InferAnswer.of(server.post(Server.inferPath(server.add()), request.body(), all));
    }

    private static void anyBytes(Server server) throws IOException, InterruptedException {
        byte[] element = {(byte) 0xff, 0, (byte) 0xc3, 0x28, (byte) 0x80};
        byte[] raw = ByteBuffer.allocate(Integer.BYTES + element.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(element.length)
                .put(element)
                .array();
        InferRequest request = new InferRequest()
                .binaryInput(
                        Tensor.of(Examples.INPUT, Datatype.BYTES, List.of(), 1, 1),
                        raw,
                        JsonNodeFactory.instance.numberNode(raw.length))
                .binaryOutput(Examples.OUTPUT, true);
        Answer answer = server.post(server.identity(Datatype.BYTES), request);
        if (answer.status() != 200) {
            answer.refused();
            return;
        }
        byte[] seen = InferAnswer.of(answer).binary(Examples.OUTPUT);
        PathChecks.expect("the bytes " + Arrays.toString(raw), Arrays.equals(raw, seen), Arrays.toString(seen));
    }
}
