package io.atelier.models;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Asks a service in the Open Inference Protocol, with tensors in JSON or in binary, and waits. Thread-safe. */
final class InferClient {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final URI base;

    InferClient(int port) {
        base = URI.create("http://localhost:" + port);
    }

    /** How tensors travel. */
    enum Form {
        JSON,
        BINARY
    }

    /**
     * What came.
     *
     * @param outputs empty unless the status is 200
     * @param problem what the service says of a refusal; empty if the status is 200
     */
    record Answer(int status, List<Value> outputs, String problem) {
        boolean ok() {
            return status == 200;
        }
    }

    /** Sends what the model's outputs may travel as; FP16 and BF16 go in binary only. */
    Answer infer(String model, List<Value> inputs, Form form) throws IOException, InterruptedException {
        ObjectNode request = JSON.createObjectNode();
        ByteArrayOutputStream raw = new ByteArrayOutputStream();
        ArrayNode list = request.putArray("inputs");
        for (Value input : inputs) {
            ObjectNode tensor = list.addObject().put("name", input.name()).put("datatype", input.datatype());
            ArrayNode shape = tensor.putArray("shape");
            Arrays.stream(input.shape()).forEach(shape::add);
            if (form == Form.BINARY) {
                tensor.putObject("parameters").put("binary_data_size", input.data().length);
                raw.writeBytes(input.data());
            } else {
                putData(tensor.putArray("data"), input);
            }
        }
        if (form == Form.BINARY) {
            request.putObject("parameters").put("binary_data_output", true);
        }
        byte[] json = JSON.writeValueAsBytes(request);
        ByteArrayOutputStream body = new ByteArrayOutputStream(json.length + raw.size());
        body.writeBytes(json);
        raw.writeTo(body);
        HttpRequest.Builder message =
                post("/v2/models/" + URLEncoder.encode(model, UTF_8) + "/infer", body.toByteArray());
        if (form == Form.BINARY) {
            message.header("Inference-Header-Content-Length", Integer.toString(json.length));
        }
        return answer(http.send(message.build(), BodyHandlers.ofByteArray()));
    }

    /** Status and body of whatever else. */
    HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return http.send(HttpRequest.newBuilder(base.resolve(path)).build(), BodyHandlers.ofString());
    }

    HttpResponse<String> post(String path, String body) throws IOException, InterruptedException {
        return http.send(post(path, body.getBytes(UTF_8)).build(), BodyHandlers.ofString());
    }

    JsonNode json(String path) throws IOException, InterruptedException {
        return JSON.readTree(get(path).body());
    }

    /** What a refusal says: the member {@code error} of the problem, or all of it. */
    static String problem(String body) {
        try {
            return JSON.readTree(body).path("error").asText(body);
        } catch (IOException noJson) {
            return body;
        }
    }

    private HttpRequest.Builder post(String path, byte[] body) {
        return HttpRequest.newBuilder(base.resolve(path)).timeout(PATIENCE).POST(BodyPublishers.ofByteArray(body));
    }

    private static Answer answer(HttpResponse<byte[]> response) throws IOException {
        byte[] body = response.body();
        if (response.statusCode() != 200) {
            return new Answer(response.statusCode(), List.of(), problem(new String(body, UTF_8)));
        }
        int head = (int) response.headers()
                .firstValueAsLong("Inference-Header-Content-Length")
                .orElse(body.length);
        int at = head;
        List<Value> outputs = new ArrayList<>();
        for (JsonNode output : JSON.readTree(body, 0, head).path("outputs")) {
            long[] shape = new long[output.path("shape").size()];
            for (int axis = 0; axis < shape.length; axis++) {
                shape[axis] = output.path("shape").get(axis).longValue();
            }
            String name = output.path("name").asText();
            String datatype = output.path("datatype").asText();
            JsonNode size = output.at("/parameters/binary_data_size");
            if (size.isMissingNode()) {
                outputs.add(read(name, datatype, shape, output.path("data")));
            } else {
                outputs.add(new Value(name, datatype, shape, Arrays.copyOfRange(body, at, at + size.intValue())));
                at += size.intValue();
            }
        }
        return new Answer(200, outputs, "");
    }

    private static Value read(String name, String datatype, long[] shape, JsonNode data) {
        if (datatype.equals("BYTES")) {
            List<String> texts = new ArrayList<>();
            data.forEach(text -> texts.add(text.asText()));
            return Value.texts(name, shape, texts);
        }
        ByteBuffer into = Value.buffer(data.size() * Value.elementBytes(datatype));
        for (JsonNode number : data) {
            switch (datatype) {
                case "BOOL" -> into.put((byte) (number.booleanValue() ? 1 : 0));
                case "INT8", "UINT8" -> into.put((byte) number.intValue());
                case "INT16", "UINT16" -> into.putShort((short) number.intValue());
                case "INT32", "UINT32" -> into.putInt((int) number.longValue());
                case "INT64", "UINT64" -> into.putLong(number.bigIntegerValue().longValue());
                case "FP32" ->
                    into.putFloat(number.isTextual() ? Float.parseFloat(number.asText()) : number.floatValue());
                case "FP64" ->
                    into.putDouble(number.isTextual() ? Double.parseDouble(number.asText()) : number.doubleValue());
                default -> throw new IllegalArgumentException(datatype + " in JSON");
            }
        }
        byte[] bytes = new byte[into.flip().remaining()];
        into.get(bytes);
        return new Value(name, datatype, shape, bytes);
    }

    private static void putData(ArrayNode data, Value value) {
        ByteBuffer from = value.buffer();
        if (value.datatype().equals("BYTES")) {
            value.texts().forEach(data::add);
            return;
        }
        while (from.hasRemaining()) {
            switch (value.datatype()) {
                case "BOOL" -> data.add(from.get() != 0);
                case "INT8" -> data.add((int) from.get());
                case "UINT8" -> data.add(from.get() & 0xff);
                case "INT16" -> data.add((int) from.getShort());
                case "UINT16" -> data.add(from.getShort() & 0xffff);
                case "UINT32" -> data.add(from.getInt() & 0xffffffffL);
                case "UINT64" -> data.add(new BigInteger(Long.toUnsignedString(from.getLong())));
                case "INT32" -> data.add(from.getInt());
                case "INT64" -> data.add(from.getLong());
                case "FP32" -> putNumber(data, from.getFloat());
                case "FP64" -> putNumber(data, from.getDouble());
                default -> throw new IllegalArgumentException(value.datatype() + " in JSON");
            }
        }
    }

    private static void putNumber(ArrayNode data, double number) {
        if (Double.isFinite(number)) {
            data.add(number);
        } else {
            data.add(Double.toString(number));
        }
    }

    private static void putNumber(ArrayNode data, float number) {
        if (Float.isFinite(number)) {
            data.add(number);
        } else {
            data.add(Float.toString(number));
        }
    }
}
