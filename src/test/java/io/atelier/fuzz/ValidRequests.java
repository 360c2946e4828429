package io.atelier.fuzz;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.atelier.conformance.ModelFiles;
import io.atelier.testing.TaskModels;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Requests that are answered, of every kind that takes a body: inference in JSON, in binary and mixed, also as jobs and
 * in streams of lines; KServe's first protocol; embeddings; plain arrays, texts and images.
 */
final class ValidRequests {
    private static final List<String> JSON_TYPES =
            List.of("BOOL", "UINT8", "INT8", "INT16", "INT32", "INT64", "FP32", "FP64", "BYTES");
    private static final List<String> BINARY_TYPES = List.of("FP16", "BF16");
    private static final List<String> TYPES =
            Stream.of(JSON_TYPES, BINARY_TYPES).flatMap(List::stream).toList();
    private static final List<String> WITHOUT_ORDER = List.of("BOOL", "BYTES");

    private static final List<String> WORDS = List.of("good", "bad", "film", "ä", "Film!");
    private static final List<Image> IMAGES =
            List.of(Image.of("turned.png", "image/png"), Image.of("upright.jpg", "image/jpeg"));

    private final RandomGenerator random;

    ValidRequests(RandomGenerator random) {
        this.random = random;
    }

    /** Writes the models that answer them into this folder, which is made. */
    static Path writeModels(Path folder) throws IOException {
        ModelFiles.writeTo(folder);
        return TaskModels.writeSmall(folder);
    }

    FuzzRequest next() {
        return switch (random.nextInt(32)) {
            case 0 -> image();
            case 1, 2 -> text();
            case 3, 4 -> embeddings();
            case 5, 6 -> arrays();
            case 7, 8, 9 -> kserve();
            case 10, 11, 12, 13 -> map();
            default -> infer();
        };
    }

    private record Image(String base64, String type) {
        static Image of(String file, String type) {
            try {
                return new Image(Base64.getEncoder().encodeToString(TaskModels.resource("/images/" + file)), type);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Returns its inputs, or their sum and difference. */
    private record Model(String name, String type, int inputs, int columns) {}

    private Model model(List<String> types) {
        if (random.nextInt(4) == 0) {
            return new Model("add", "INT32", 2, 16);
        }
        String type = any(types);
        return new Model("identity_" + type.toLowerCase(Locale.ROOT), type, 1, 1 + random.nextInt(6));
    }

    private FuzzRequest infer() {
        Model model = model(TYPES);
        ByteArrayOutputStream binary = new ByteArrayOutputStream();
        FuzzRequest request = new FuzzRequest(inference(model, "/infer"), question(model, binary));
        request.binary.writeBytes(binary.toByteArray());
        if (random.nextInt(10) == 0) {
            request.fields.add("Prefer: respond-async");
        }
        return request;
    }

    private FuzzRequest map() {
        Model model = model(JSON_TYPES);
        ObjectNode[] lines = new ObjectNode[1 + random.nextInt(5)];
        for (int i = 0; i < lines.length; i++) {
            lines[i] = question(model, null);
        }
        return new FuzzRequest(inference(model, "/map"), lines);
    }

    private FuzzRequest kserve() {
        Model model = model(JSON_TYPES);
        ObjectNode json = object();
        int rows = rows();
        if (random.nextBoolean()) {
            json.set("inputs", named(model, rows));
        } else {
            ArrayNode instances = json.putArray("instances");
            for (int row = 0; row < rows; row++) {
                if (model.inputs() == 1 && random.nextBoolean()) {
                    values(instances.addArray(), model.type(), model.columns());
                } else {
                    ObjectNode instance = instances.addObject();
                    for (int i = 0; i < model.inputs(); i++) {
                        values(instance.putArray("INPUT" + i), model.type(), model.columns());
                    }
                }
            }
        }
        return new FuzzRequest("/v1/models/" + model.name() + ":predict", json);
    }

    private FuzzRequest arrays() {
        Model model = model(JSON_TYPES);
        return new FuzzRequest("/predict/" + model.name(), named(model, rows())).of("application/json");
    }

    private FuzzRequest text() {
        if (random.nextInt(3) == 0) {
            FuzzRequest request = new FuzzRequest("/predict/mood").of("text/plain");
            request.binary.writeBytes(words().getBytes(StandardCharsets.UTF_8));
            return request;
        }
        return new FuzzRequest("/predict/mood", oneOrMore("text", this::words)).of("application/json");
    }

    private FuzzRequest image() {
        if (random.nextBoolean()) {
            return new FuzzRequest(
                            "/predict/angle",
                            oneOrMore("image", () -> any(IMAGES).base64()))
                    .of("application/json");
        }
        Image image = any(IMAGES);
        FuzzRequest request = new FuzzRequest("/predict/angle").of(image.type());
        request.binary.writeBytes(Base64.getDecoder().decode(image.base64()));
        return request;
    }

    private FuzzRequest embeddings() {
        ObjectNode json = object().put("model", "worth");
        if (random.nextBoolean()) {
            json.put("input", words());
        } else {
            IntStream.range(0, rows())
                    .forEach(i -> json.withArrayProperty("input").add(words()));
        }
        if (random.nextBoolean()) {
            json.put("encoding_format", random.nextBoolean() ? "float" : "base64");
        }
        if (random.nextInt(3) == 0) {
            json.put("dimensions", 2);
        }
        return new FuzzRequest("/v1/embeddings", json);
    }

    private String inference(Model model, String verb) {
        return "/v2/models/" + model.name() + (random.nextInt(8) == 0 ? "/versions/1" : "") + verb;
    }

    /** @param binary takes what travels behind the JSON; without it all is in JSON */
    private ObjectNode question(Model model, @Nullable ByteArrayOutputStream binary) {
        ObjectNode json = object();
        if (random.nextBoolean()) {
            json.put("id", "fuzz " + random.nextInt(1000));
        }
        int rows = rows();
        ArrayNode inputs = json.putArray("inputs");
        for (int i = 0; i < model.inputs(); i++) {
            input(inputs.addObject().put("name", "INPUT" + i), model, rows, binary);
        }
        outputs(json, model, binary != null);
        if (random.nextInt(3) == 0) {
            json.withObjectProperty("parameters")
                    .put("priority", random.nextInt(3))
                    .put("timeout", 10_000_000);
        }
        return json;
    }

    private void input(ObjectNode input, Model model, int rows, @Nullable ByteArrayOutputStream binary) {
        int columns = model.columns();
        input.put("datatype", model.type()).putArray("shape").add(rows).add(columns);
        if (binary != null && (BINARY_TYPES.contains(model.type()) || random.nextBoolean())) {
            byte[] raw = raw(model.type(), rows * columns);
            input.putObject("parameters").put("binary_data_size", raw.length);
            binary.writeBytes(raw);
        } else if (random.nextInt(3) == 0) {
            matrix(input.putArray("data"), model, rows);
        } else {
            values(input.putArray("data"), model.type(), rows * columns);
        }
    }

    private void outputs(ObjectNode json, Model model, boolean mayBeBinary) {
        boolean binaryOnly = BINARY_TYPES.contains(model.type());
        if (binaryOnly || (mayBeBinary && random.nextInt(3) == 0)) {
            json.withObjectProperty("parameters").put("binary_data_output", true);
        }
        for (int i = random.nextInt(model.inputs() + 1); i > 0; i--) {
            ObjectNode output = json.withArrayProperty("outputs").addObject().put("name", "OUTPUT" + (i - 1));
            if (binaryOnly || random.nextBoolean()) {
                output.withObjectProperty("parameters")
                        .put("binary_data", binaryOnly || (mayBeBinary && random.nextBoolean()));
            }
            if (!WITHOUT_ORDER.contains(model.type()) && random.nextInt(4) == 0) {
                output.withObjectProperty("parameters").put("classification", 1 + random.nextInt(4));
            }
        }
    }

    /** A tensor for each input, by its name. */
    private ObjectNode named(Model model, int rows) {
        ObjectNode inputs = object();
        for (int i = 0; i < model.inputs(); i++) {
            matrix(inputs.putArray("INPUT" + i), model, rows);
        }
        return inputs;
    }

    private void matrix(ArrayNode data, Model model, int rows) {
        for (int row = 0; row < rows; row++) {
            values(data.addArray(), model.type(), model.columns());
        }
    }

    private void values(ArrayNode data, String type, int count) {
        for (int i = 0; i < count; i++) {
            switch (type) {
                case "BOOL" -> data.add(random.nextBoolean());
                case "UINT8" -> data.add(random.nextInt(256));
                case "INT8" -> data.add(random.nextInt(256) - 128);
                case "INT16" -> data.add((short) random.nextInt());
                case "INT32" -> data.add(random.nextInt());
                case "INT64" -> data.add(random.nextLong());
                case "FP32" -> data.add(random.nextFloat() * 100 - 50);
                case "FP64" -> data.add(random.nextDouble() * 100 - 50);
                default -> data.add("text ä " + random.nextInt(100));
            }
        }
    }

    private byte[] raw(String type, int elements) {
        if (type.equals("BYTES")) {
            ByteBuffer raw = ByteBuffer.allocate(7 * elements).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < elements; i++) {
                raw.putInt(3).put(new byte[] {'a', 'b', (byte) ('a' + random.nextInt(26))});
            }
            return raw.array();
        }
        int size = switch (type) {
            case "BOOL", "UINT8", "INT8" -> 1;
            case "INT16", "FP16", "BF16" -> 2;
            case "INT32", "FP32" -> 4;
            default -> 8;
        };
        byte[] raw = new byte[size * elements];
        random.nextBytes(raw);
        if (type.equals("BOOL")) {
            for (int i = 0; i < raw.length; i++) {
                raw[i] &= 1;
            }
        }
        return raw;
    }

    /** {@code {"text": …}} or {@code {"texts": […]}}. */
    private ObjectNode oneOrMore(String name, Supplier<String> value) {
        ObjectNode json = object();
        if (random.nextBoolean()) {
            return json.put(name, value.get());
        }
        ArrayNode values = json.putArray(name + "s");
        for (int i = rows(); i > 0; i--) {
            values.add(value.get());
        }
        return json;
    }

    private String words() {
        StringBuilder text = new StringBuilder(any(WORDS));
        for (int more = random.nextInt(6); more > 0; more--) {
            text.append(' ').append(any(WORDS));
        }
        return text.toString();
    }

    private int rows() {
        return 1 + random.nextInt(3);
    }

    private <T> T any(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    private static ObjectNode object() {
        return JsonNodeFactory.instance.objectNode();
    }
}
