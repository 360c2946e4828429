package io.atelier.api.oip;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.atelier.api.Json;
import io.atelier.api.ReceivedBody;
import io.atelier.core.DataType;
import io.atelier.core.InferenceResult;
import io.atelier.core.ModelId;
import io.atelier.core.ModelSignature;
import io.atelier.core.Padding;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.engine.BatchLayout;
import io.atelier.serving.ModelView;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.StringJoiner;

/**
 * How fast a tensor of an image's size, FP32 [1,3,224,224], goes from a body into the engine's direct buffer, and from a
 * result into a body; without HTTP. The ways are measured by turns in one process, and the median of the rounds counts.
 *
 * <pre>{@code WireBench [rounds] [milliseconds of each way in a round]}</pre>
 */
final class WireBench {
    private static final Shape SHAPE = Shape.of(1, 3, 224, 224);
    private static final int ELEMENTS = 3 * 224 * 224;
    private static final int CHUNK = 8 << 10;
    private static final ObjectMapper TREES = new ObjectMapper();
    private static final ModelView MODEL = model();

    private WireBench() {}

    /** One way; gives the bytes of the body that it read or wrote. */
    @FunctionalInterface
    private interface Way {
        long run() throws IOException;
    }

    public static void main(String[] args) throws Exception {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 15;
        Duration each = Duration.ofMillis(args.length > 1 ? Integer.parseInt(args[1]) : 300);
        Map<String, Way> ways = new LinkedHashMap<>();
        float[] values = values();
        for (boolean asDouble : new boolean[] {false, true}) {
            byte[] json = json(values, asDouble);
            String digits = asDouble ? ", 17 digits" : ", 8 digits";
            ways.put("read JSON" + digits + ": Jackson's tree", () -> readTree(json));
            ways.put("read JSON" + digits + ": Jackson's tokens, its fast parser", () -> readTokens(json));
            ways.put("read JSON" + digits + ": the service", () -> read(json));
        }
        List<ByteBuffer> chunks = binary(values);
        ways.put("read binary: the service", () -> readBinary(chunks));
        Tensor output = new Tensor("x", DataType.FP32, SHAPE, raw(values));
        InferenceResult result = new InferenceResult(new ModelId("m", "1"), List.of(output));
        ways.put("write JSON: Jackson's tree", () -> writeTree(output));
        ways.put("write JSON: the service", () -> InferResponseWriter.write(result, "1").length);
        PredictRequest binary = InferRequestReader.read(MODEL, REQUEST_FOR_BINARY, REQUEST_FOR_BINARY.length);
        ways.put(
                "write binary: the service",
                () -> InferResponseWriter.write(binary, result).sizeBytes());

        Map<String, List<Double>> speeds = new LinkedHashMap<>();
        for (int round = -2; round < rounds; round++) { // two rounds to warm up
            for (Map.Entry<String, Way> way : ways.entrySet()) {
                double speed = speed(way.getValue(), each);
                if (round >= 0) {
                    speeds.computeIfAbsent(way.getKey(), name -> new ArrayList<>())
                            .add(speed);
                }
            }
        }
        System.out.printf(Locale.ROOT, "| Way | MB/s (lowest–highest) |%n| --- | ---: |%n");
        speeds.forEach((name, all) -> {
            double[] sorted =
                    all.stream().mapToDouble(Double::doubleValue).sorted().toArray();
            System.out.printf(
                    Locale.ROOT,
                    "| %s | %.0f (%.0f–%.0f) |%n",
                    name,
                    sorted[sorted.length / 2],
                    sorted[0],
                    sorted[sorted.length - 1]);
        });
    }

    private static double speed(Way way, Duration duration) throws IOException {
        long start = System.nanoTime();
        long bytes = 0;
        do {
            bytes += way.run();
        } while (System.nanoTime() - start < duration.toNanos());
        return bytes * 1e3 / (System.nanoTime() - start);
    }

    private static long readTree(byte[] json) throws IOException {
        JsonNode data = TREES.readTree(json).path("inputs").path(0).path("data");
        ByteBuffer out = ByteBuffer.allocateDirect(ELEMENTS * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (JsonNode value : data) {
            out.putFloat(value.floatValue());
        }
        return require(out.flip(), json.length);
    }

    private static long readTokens(byte[] json) {
        ByteBuffer room = TensorDataReader.room("x", DataType.FP32, ELEMENTS);
        Json.parse(json, 0, json.length, parser -> {
            while (!"data".equals(parser.currentName()) || parser.currentToken() != JsonToken.START_ARRAY) {
                parser.nextToken();
            }
            new TensorDataReader(parser, "x", DataType.FP32, SHAPE, ELEMENTS).readNumbers(room);
        });
        return require(room, json.length);
    }

    private static long read(byte[] json) {
        Tensor tensor = InferRequestReader.read(MODEL, json, json.length)
                .request()
                .inputs()
                .get(0);
        return require(tensor.data(), json.length);
    }

    private static long readBinary(List<ByteBuffer> chunks) {
        ReceivedBody body = new ReceivedBody(chunks, 0);
        int length = BINARY_HEADER.length;
        PredictRequest predict =
                InferRequestReader.read(MODEL, body.first(length), length, new BinarySection(body.after(length)));
        Tensor gathered = LAYOUT.gather(List.of(predict.request().inputs()), 0, size -> ENGINE_BUFFER);
        return require(gathered.data(), body.length());
    }

    private static long writeTree(Tensor tensor) throws IOException {
        ObjectNode root = TREES.createObjectNode();
        root.put("model_name", "m").put("model_version", "1").put("id", "1");
        ObjectNode output = root.putArray("outputs").addObject();
        output.put("name", "x").put("datatype", "FP32");
        ArrayNode shape = output.putArray("shape");
        Arrays.stream(tensor.shape().toArray()).forEach(shape::add);
        ArrayNode data = output.putArray("data");
        for (ByteBuffer raw = tensor.data(); raw.hasRemaining(); ) {
            data.add(raw.getFloat());
        }
        return TREES.writeValueAsBytes(root).length;
    }

    /** That the way has done its work. */
    private static long require(ByteBuffer data, long bytes) {
        if (data.remaining() != ELEMENTS * Float.BYTES || data.getFloat(4) == 0) {
            throw new AssertionError("not the tensor");
        }
        return bytes;
    }

    private static float[] values() {
        Random random = new Random(1);
        float[] values = new float[ELEMENTS];
        for (int i = 0; i < ELEMENTS; i++) {
            values[i] = (random.nextInt(256) / 255f - 0.485f) / 0.229f;
        }
        return values;
    }

    private static byte[] json(float[] values, boolean asDouble) {
        StringJoiner data = new StringJoiner(",", "\"data\":[", "]");
        for (float value : values) {
            data.add(asDouble ? Double.toString(value) : Float.toString(value));
        }
        return ("{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":" + SHAPE + "," + data + "}]}")
                .getBytes(UTF_8);
    }

    private static ByteBuffer raw(float[] values) {
        ByteBuffer raw = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            raw.putFloat(value);
        }
        return raw.flip();
    }

    private static final byte[] BINARY_HEADER = ("{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":" + SHAPE
                    + ",\"parameters\":{\"binary_data_size\":" + ELEMENTS * Float.BYTES + "}}]}")
            .getBytes(UTF_8);

    private static final byte[] REQUEST_FOR_BINARY =
            ("{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[0,3,224,224],\"data\":[]}],\"id\":\"1\","
                            + "\"parameters\":{\"binary_data_output\":true}}")
                    .getBytes(UTF_8);

    private static final ByteBuffer ENGINE_BUFFER = ByteBuffer.allocateDirect(ELEMENTS * Float.BYTES);
    private static final BatchLayout LAYOUT = layout();

    /** The body in pieces as they come from the network. */
    private static List<ByteBuffer> binary(float[] values) {
        byte[] body = new byte[BINARY_HEADER.length + ELEMENTS * Float.BYTES];
        ByteBuffer.wrap(body).put(BINARY_HEADER).put(raw(values));
        List<ByteBuffer> chunks = new ArrayList<>();
        for (int at = 0; at < body.length; at += CHUNK) {
            chunks.add(ByteBuffer.wrap(Arrays.copyOfRange(body, at, Math.min(body.length, at + CHUNK))));
        }
        return chunks;
    }

    private static BatchLayout layout() {
        return new BatchLayout(MODEL.signature(), Padding.NONE);
    }

    private static ModelView model() {
        List<TensorSpec> specs = List.of(new TensorSpec("x", DataType.FP32, Shape.of(-1, 3, 224, 224)));
        return new ModelView(
                new ModelId("m", "1"),
                List.of("1"),
                "onnxruntime_onnx",
                new ModelSignature(specs, specs),
                0,
                Duration.ofSeconds(1),
                true);
    }
}
