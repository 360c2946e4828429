package io.atelier.fuzz;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Locale;
import java.util.random.RandomGenerator;

/** Infer requests that the conformance models answer: some in JSON, some in binary, some mixed. */
final class ValidRequests {
    private static final List<String> TYPES =
            List.of("BOOL", "UINT8", "INT8", "INT16", "INT32", "INT64", "FP16", "BF16", "FP32", "FP64", "BYTES");

    private final RandomGenerator random;

    ValidRequests(RandomGenerator random) {
        this.random = random;
    }

    FuzzRequest next() {
        boolean add = random.nextInt(4) == 0;
        String type = add ? "INT32" : TYPES.get(random.nextInt(TYPES.size()));
        String model = add ? "add" : "identity_" + type.toLowerCase(Locale.ROOT);
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        FuzzRequest request = new FuzzRequest(
                "/v2/models/" + model + (random.nextInt(8) == 0 ? "/versions/1/infer" : "/infer"), json);
        if (random.nextBoolean()) {
            json.put("id", "fuzz " + random.nextInt(1000));
        }
        int rows = 1 + random.nextInt(3);
        int columns = add ? 16 : 1 + random.nextInt(6);
        ArrayNode inputs = json.putArray("inputs");
        for (int i = 0; i < (add ? 2 : 1); i++) {
            input(request, inputs.addObject().put("name", "INPUT" + i), type, rows, columns);
        }
        outputs(json, add, type.equals("FP16") || type.equals("BF16"));
        if (random.nextInt(3) == 0) {
            json.withObjectProperty("parameters")
                    .put("priority", random.nextInt(3))
                    .put("timeout", 10_000_000);
        }
        return request;
    }

    private void input(FuzzRequest request, ObjectNode input, String type, int rows, int columns) {
        input.put("datatype", type).putArray("shape").add(rows).add(columns);
        boolean binaryOnly = type.equals("FP16") || type.equals("BF16");
        if (binaryOnly || random.nextBoolean()) {
            byte[] raw = raw(type, rows * columns);
            input.putObject("parameters").put("binary_data_size", raw.length);
            request.binary.writeBytes(raw);
            return;
        }
        ArrayNode data = input.putArray("data");
        boolean nested = random.nextInt(3) == 0;
        for (int row = 0; row < rows; row++) {
            ArrayNode cells = nested ? data.addArray() : data;
            for (int i = 0; i < columns; i++) {
                value(cells, type);
            }
        }
    }

    private void outputs(ObjectNode json, boolean two, boolean binaryOnly) {
        if (binaryOnly || random.nextInt(3) == 0) {
            json.withObjectProperty("parameters").put("binary_data_output", true);
        }
        for (int i = two ? random.nextInt(3) : random.nextInt(2); i > 0; i--) {
            ObjectNode output = json.withArrayProperty("outputs").addObject().put("name", "OUTPUT" + (i - 1));
            if (binaryOnly || random.nextBoolean()) {
                output.putObject("parameters").put("binary_data", binaryOnly || random.nextBoolean());
            }
        }
    }

    private void value(ArrayNode data, String type) {
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
}
