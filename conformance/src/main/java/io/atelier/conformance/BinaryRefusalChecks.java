package io.atelier.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;

/** F: binary requests whose sizes lie. */
final class BinaryRefusalChecks {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final Source EXTENSION = Source.extension("binary_data", "Binary Tensor Data Extension");
    private static final Source RAW = Source.extension("binary_data", "Raw Binary Request");

    private BinaryRefusalChecks() {}

    static List<Check> checks() {
        Checklist list = new Checklist();
        headers(list);
        sizes(list);
        return list.checks();
    }

    private static void headers(Checklist list) {
        refusal(
                list,
                "F01",
                "a header length past the body is refused",
                EXTENSION,
                server -> withHeader(server, Integer.toString(whole().body().length + 1)));
        refusal(
                list,
                "F02",
                "a raw binary request to a model of two inputs is refused",
                RAW,
                server -> withHeader(server, "0"));
        refusal(list, "F03", "a negative header length is refused", EXTENSION, server -> withHeader(server, "-1"));
        refusal(list, "F04", "a header length that is no number is refused", EXTENSION, server -> {
            withHeader(server, "many");
            withHeader(server, "1e2");
            withHeader(server, "99999999999999999999999");
        });
        refusal(
                list,
                "F05",
                "a header length that cuts the JSON is refused",
                EXTENSION,
                server -> withHeader(server, Integer.toString(whole().header().length - 1)));
        refusal(
                list,
                "F06",
                "binary_data_size without the header is refused",
                EXTENSION,
                server -> server.postJson(Server.inferPath(server.add()), whole().body())
                        .refused());
    }

    private static void sizes(Checklist list) {
        refusal(
                list,
                "F07",
                "a binary_data_size below the shape's is refused",
                EXTENSION,
                server -> sized(server, Arrays.copyOf(Examples.second().raw(), 60), JSON.numberNode(60)));
        refusal(
                list,
                "F08",
                "a binary_data_size above the shape's is refused",
                EXTENSION,
                server -> sized(server, Arrays.copyOf(Examples.second().raw(), 68), JSON.numberNode(68)));
        refusal(
                list,
                "F09",
                "fewer bytes than binary_data_size are refused",
                EXTENSION,
                server -> sized(server, Arrays.copyOf(Examples.second().raw(), 63), JSON.numberNode(64)));
        refusal(
                list,
                "F10",
                "bytes that belong to no tensor are refused",
                EXTENSION,
                server -> sized(server, Arrays.copyOf(Examples.second().raw(), 65), JSON.numberNode(64)));
        refusal(list, "F11", "a binary_data_size that is no size is refused", EXTENSION, server -> {
            for (JsonNode size : List.of(
                    JSON.numberNode(-64), JSON.textNode("64"), JSON.numberNode(64.5), JSON.numberNode(1L << 40))) {
                sized(server, Examples.second().raw(), size);
            }
        });
        refusal(list, "F12", "an input with both data and binary_data_size is refused", EXTENSION, server -> {
            InferRequest request = whole();
            request.firstInput()
                    .set("data", Datatype.INT32.json(Examples.first().values()));
            server.post(server.add(), request).refused();
        });
        refusal(list, "F13", "an element of BYTES that is longer than its tensor is refused", EXTENSION, server -> {
            for (byte[] raw :
                    List.of(new byte[] {9, 0, 0, 0, 'a'}, new byte[] {-1, -1, -1, -1, 'a'}, new byte[] {1, 0, 0})) {
                bytes(server, raw, 1);
            }
        });
        refusal(list, "F14", "BYTES of another count than the shape's are refused", EXTENSION, server -> {
            bytes(server, new byte[] {1, 0, 0, 0, 'a'}, 2);
            bytes(server, new byte[] {1, 0, 0, 0, 'a', 1, 0, 0, 0, 'b'}, 1);
        });
        refusal(list, "F15", "a shape whose size passes 2^64 is refused", EXTENSION, server -> {
            Tensor tensor = Tensor.of(Examples.INPUT, Datatype.FP32, List.of(), 4294967296L, 1073741825L);
            InferRequest request = new InferRequest().binaryInput(tensor, new byte[4], JSON.numberNode(4));
            server.post(server.identity(Datatype.FP32), request).refused();
        });
    }

    private static void refusal(Checklist list, String number, String title, Source source, Check.Procedure procedure) {
        list.extension(BinaryChecks.NAME, number, title, source, procedure);
    }

    private static InferRequest whole() {
        return new InferRequest().binaryInput(Examples.first()).binaryInput(Examples.second());
    }

    private static void withHeader(Server server, String length) throws IOException, InterruptedException {
        server.post(
                        Server.inferPath(server.add()),
                        whole().body(),
                        "Content-Type",
                        "application/octet-stream",
                        Answer.INFERENCE_HEADER,
                        length)
                .refused();
    }

    /** The second input as these bytes, with this declared size. */
    private static void sized(Server server, byte[] raw, JsonNode size) throws IOException, InterruptedException {
        InferRequest request =
                new InferRequest().binaryInput(Examples.first()).binaryInput(Examples.second(), raw, size);
        server.post(server.add(), request).refused();
    }

    private static void bytes(Server server, byte[] raw, long count) throws IOException, InterruptedException {
        InferRequest request = new InferRequest()
                .binaryInput(
                        Tensor.of(Examples.INPUT, Datatype.BYTES, List.of(), 1, count),
                        raw,
                        JSON.numberNode(raw.length));
        server.post(server.identity(Datatype.BYTES), request).refused();
    }
}
