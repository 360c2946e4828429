package io.atelier.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** The stub's inference: one request to one model. Used once. */
final class StubInference {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final ObjectMapper MAPPER = new ObjectMapper()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private static final BigInteger MOST_ELEMENTS = BigInteger.valueOf(1 << 20);

    private final StubModel model;
    private final @Nullable Fault fault;
    private final Map<String, List<Object>> inputs = new LinkedHashMap<>();
    private final ByteArrayOutputStream binary = new ByteArrayOutputStream();
    private List<Long> shape = List.of();
    private byte[] rest = {};

    StubInference(StubModel model, @Nullable Fault fault) {
        this.model = model;
        this.fault = fault;
    }

    /** @throws StubRefusal if it is not JSON */
    static JsonNode parsed(byte[] body, @Nullable Fault fault) {
        try {
            JsonNode tree = MAPPER.readTree(body);
            if (tree.isMissingNode()) {
                throw new StubRefusal(400, "the body is empty");
            }
            return tree;
        } catch (IOException notJson) {
            throw new StubRefusal(fault == Fault.BAD_JSON_IS_500 ? 500 : 400, "malformed JSON");
        }
    }

    StubAnswer answer(StubRequest http, byte[] body) {
        String type = http.header("content-type");
        if ((fault == Fault.CONTENT_TYPE_DEMANDED && type == null)
                || (fault == Fault.CURL_REFUSED && "application/x-www-form-urlencoded".equals(type))) {
            throw new StubRefusal(415, "what is this?");
        }
        if (!model.ready) {
            throw new StubRefusal(503, "not loaded");
        }
        ObjectNode request = request(http, body);
        if (request.path("parameters").path("timeout").asLong(Long.MAX_VALUE) == 1) {
            model.executions += fault == Fault.LATE_IS_EXECUTED ? 1 : 0;
            throw new StubRefusal(fault == Fault.LATE_IS_408 ? 408 : 504, "no result in time");
        }
        model.requests++;
        model.rows += fault == Fault.REQUESTS_NOT_ROWS ? 1 : shape.get(0);
        model.executions++;
        return response(request);
    }

    private ObjectNode request(StubRequest http, byte[] body) {
        String length = fault == Fault.BINARY_IGNORED ? null : http.header(Answer.INFERENCE_HEADER);
        if ("0".equals(length)) {
            return raw(body);
        }
        int end = body.length;
        if (length != null) {
            if (!length.matches("\\d{1,8}") || Integer.parseInt(length) > body.length) {
                throw new StubRefusal(400, Answer.INFERENCE_HEADER + " is " + length);
            }
            end = Integer.parseInt(length);
        }
        JsonNode tree = parsed(Arrays.copyOf(body, end), fault);
        rest = Arrays.copyOfRange(body, end, body.length);
        if (!(tree instanceof ObjectNode request) || !(tree.get("inputs") instanceof ArrayNode list)) {
            throw new StubRefusal(400, "inputs are missing");
        }
        for (JsonNode each : list) {
            input(each);
        }
        if (rest.length > 0 && fault != Fault.BYTES_LEFT_OVER) {
            throw new StubRefusal(400, rest.length + " bytes belong to no tensor");
        }
        if (!inputs.keySet().containsAll(model.inputs)) {
            throw new StubRefusal(400, "an input is missing");
        }
        return request;
    }

    private ObjectNode raw(byte[] body) {
        int size = model.type.raw(model.type.sample().subList(0, 1)).length;
        if (model.inputs.size() != 1 || (body.length % size != 0 && fault != Fault.HALF_ELEMENT_CUT)) {
            throw new StubRefusal(400, "no raw binary request");
        }
        List<Object> values = model.type.values(Arrays.copyOf(body, body.length / size * size));
        inputs.put("INPUT0", values);
        shape = Tensor.dimensions(1, values.size());
        ObjectNode request = JSON.objectNode();
        request.putObject("parameters").put("binary_data_output", true);
        return request;
    }

    private void input(JsonNode input) {
        String name = text(input, "name");
        if (!model.inputs.contains(name)) {
            if (fault == Fault.EXTRA_INPUT) {
                return;
            }
            throw new StubRefusal(400, "the model has no input " + name);
        }
        if (!text(input, "datatype").equals(model.type.name())) {
            throw new StubRefusal(400, name + " is of the wrong datatype");
        }
        shape = shape(input.path("shape"));
        long count = shape.stream().reduce(1L, (a, b) -> a * b);
        List<Object> values = values(input);
        if (values.size() != count) {
            throw new StubRefusal(400, name + " has " + values.size() + " elements, not " + count);
        }
        String key = fault == Fault.INPUTS_BY_PLACE ? "INPUT" + inputs.size() : name;
        if (inputs.put(key, values) != null && fault != Fault.DUPLICATE_INPUT) {
            throw new StubRefusal(400, name + " is given twice");
        }
    }

    private String text(JsonNode node, String field) {
        if (!node.path(field).isTextual()) {
            throw typeError(field + " is no text");
        }
        return node.path(field).textValue();
    }

    private StubRefusal typeError(String detail) {
        return new StubRefusal(fault == Fault.TYPE_ERROR_IS_500 ? 500 : 400, detail);
    }

    private List<Long> shape(JsonNode node) {
        if (!node.isArray()) {
            throw typeError("shape is no list");
        }
        List<Long> dimensions = new ArrayList<>();
        BigInteger product = BigInteger.ONE;
        for (JsonNode dimension : node) {
            if (!dimension.isIntegralNumber()) {
                throw typeError("a dimension is no integer");
            }
            product = product.multiply(dimension.bigIntegerValue());
            boolean bad = dimension.bigIntegerValue().signum() <= 0 && fault != Fault.NEGATIVE_DIMENSIONS;
            if (bad || product.compareTo(MOST_ELEMENTS) > 0) {
                throw new StubRefusal(400, "shape " + node);
            }
            dimensions.add(dimension.longValue());
        }
        if (dimensions.size() != 2 || (model.columns > 0 && dimensions.get(1) != model.columns)) {
            throw new StubRefusal(400, "shape " + node + " is not the model's");
        }
        return dimensions;
    }

    private List<Object> values(JsonNode input) {
        JsonNode size = input.path("parameters").path("binary_data_size");
        JsonNode data = input.path("data");
        if (size.isMissingNode()) {
            return jsonValues(data);
        }
        if (!size.isInt() || size.intValue() < 0 || size.intValue() > rest.length || !data.isMissingNode()) {
            throw new StubRefusal(400, "binary_data_size " + size);
        }
        byte[] raw = Arrays.copyOf(rest, size.intValue());
        rest = Arrays.copyOfRange(rest, size.intValue(), rest.length);
        return values(raw);
    }

    private List<Object> values(byte[] raw) {
        try {
            if (model.type == Datatype.BYTES) {
                requireText(raw);
            }
            return model.type.values(raw);
        } catch (Failure malformed) {
            throw new StubRefusal(fault == Fault.LONG_ELEMENT_IS_500 ? 500 : 400, "raw data");
        }
    }

    private static void requireText(byte[] raw) {
        try {
            var unused = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(withoutLengths(raw)));
        } catch (CharacterCodingException notText) {
            throw new StubRefusal(400, "not UTF-8");
        }
    }

    private static byte[] withoutLengths(byte[] raw) {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        for (int i = 4; i < raw.length && i - 4 < raw.length; ) {
            int size = raw[i - 4] & 0xff;
            text.write(raw, i, Math.min(size, raw.length - i));
            i += size + 4;
        }
        return text.toByteArray();
    }

    private List<Object> jsonValues(JsonNode data) {
        if (!data.isArray()) {
            throw typeError("data is no list");
        }
        boolean nested = data.path(0).isArray();
        if (nested && fault == Fault.NESTED_REFUSED) {
            throw new StubRefusal(400, "nested data");
        }
        if (nested && fault != Fault.RAGGED_TAKEN) {
            boolean regular = data.size() == shape.get(0);
            for (JsonNode row : data) {
                regular &= row.isArray() && row.size() == shape.get(1);
            }
            if (!regular) {
                throw new StubRefusal(400, "nested otherwise than the shape");
            }
        }
        List<Object> values = new ArrayList<>();
        flat(data).forEach(element -> values.add(value(element)));
        return values;
    }

    private static List<JsonNode> flat(JsonNode data) {
        List<JsonNode> elements = new ArrayList<>();
        for (JsonNode element : data) {
            if (element.isArray()) {
                elements.addAll(flat(element));
            } else {
                elements.add(element);
            }
        }
        return elements;
    }

    private Object value(JsonNode element) {
        Datatype type = model.type;
        if (type == Datatype.FP32 && element.isTextual() && element.asText().matches("NaN|-?Infinity")) {
            return Float.valueOf(element.asText());
        }
        Object value = type.values(JSON.arrayNode().add(element)).get(0);
        if (fault == Fault.ASCII_ONLY && value instanceof String text) {
            return text.replaceAll("[^\\x00-\\x7f]", "?");
        }
        return value instanceof BigInteger integer ? stored(integer) : value;
    }

    private Object stored(BigInteger integer) {
        Datatype type = model.type;
        Object stored = type.values(type.raw(List.of(integer))).get(0);
        if (!stored.equals(integer) && fault != Fault.NUMBERS_WRAP) {
            throw new StubRefusal(400, integer + " is no " + type);
        }
        if ((type == Datatype.INT64 && fault == Fault.INT64_THROUGH_DOUBLE)
                || (type == Datatype.UINT64 && fault == Fault.UINT64_THROUGH_DOUBLE)) {
            return new BigDecimal(integer.doubleValue()).toBigInteger();
        }
        return stored;
    }

    private StubAnswer response(ObjectNode request) {
        ObjectNode json = JSON.objectNode().put("model_name", model.name).put("model_version", "1");
        if (fault == Fault.NO_MODEL_NAME) {
            json.remove("model_name");
        }
        if (request.has("id") && fault != Fault.ID_DROPPED) {
            String id = text(request, "id");
            json.put("id", fault == Fault.ASCII_ONLY ? id.replaceAll("[^\\x00-\\x7f]", "?") : id);
        }
        ArrayNode outputs = json.putArray("outputs");
        boolean all = request.path("parameters").path("binary_data_output").asBoolean();
        asked(request).forEach((name, parameters) -> outputs.add(output(name, parameters, all)));
        if (binary.size() == 0) {
            return StubAnswer.json(200, json);
        }
        byte[] header = json.toString().getBytes(UTF_8);
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        body.writeBytes(header);
        body.writeBytes(binary.toByteArray());
        String type = fault == Fault.BINARY_AS_JSON_TYPE ? "application/json" : "application/octet-stream";
        return new StubAnswer(
                200,
                Map.of("Content-Type", type, "Inference-Header-Content-Length", Integer.toString(header.length)),
                body.toByteArray());
    }

    /** The parameters of each output that is wanted, in order. */
    private Map<String, JsonNode> asked(ObjectNode request) {
        Map<String, JsonNode> asked = new LinkedHashMap<>();
        if (fault == Fault.OUTPUTS_IN_MODEL_ORDER && request.has("outputs")) {
            Set<String> names = Set.copyOf(request.path("outputs").findValuesAsText("name"));
            model.outputs.stream().filter(names::contains).forEach(name -> asked.put(name, JSON.objectNode()));
        }
        for (JsonNode output : request.path("outputs")) {
            String name = text(output, "name");
            if (!model.outputs.contains(name)) {
                throw new StubRefusal(400, "the model has no output " + name);
            }
            asked.put(name, output.path("parameters"));
        }
        if (asked.isEmpty() || fault == Fault.ALL_OUTPUTS) {
            model.outputs.forEach(name -> asked.putIfAbsent(name, JSON.objectNode()));
        }
        return asked;
    }

    private ObjectNode output(String name, JsonNode parameters, boolean allBinary) {
        List<Object> values = model.output(name, inputs);
        JsonNode classes = parameters.path("classification");
        boolean classified = !classes.isMissingNode() && fault != Fault.CLASSIFICATION_IGNORED;
        Datatype type = classified ? Datatype.BYTES : model.type;
        List<Long> dimensions = shape;
        if (classified) {
            if (!classes.isInt() || classes.intValue() < 1) {
                throw new StubRefusal(400, "classification is " + classes);
            }
            values = classify(values, classes.intValue());
            dimensions = List.of(shape.get(0), (long) classes.intValue());
        }
        ObjectNode output = JSON.objectNode().put("name", name);
        if (fault != Fault.NO_DATATYPE) {
            output.put("datatype", type.name());
        }
        if (fault == Fault.FLAT_SHAPES) {
            dimensions = List.of((long) values.size());
        }
        dimensions.forEach(output.putArray("shape")::add);
        boolean override = parameters.has("binary_data") && !(allBinary && fault == Fault.LAST_OVERRIDE_IGNORED);
        boolean behind = override ? parameters.path("binary_data").asBoolean() : allBinary;
        if (behind && fault != Fault.BINARY_IGNORED) {
            byte[] raw = type.raw(values);
            output.putObject("parameters").put("binary_data_size", raw.length);
            binary.writeBytes(raw);
        } else {
            output.set("data", type == Datatype.FP32 ? floats(values) : type.json(values));
        }
        return output;
    }

    private ArrayNode floats(List<Object> values) {
        ArrayNode data = JSON.arrayNode();
        for (Object value : values) {
            float number = (Float) value;
            if (!Float.isFinite(number)) {
                if (fault == Fault.NAN_AS_ZERO) {
                    data.add(0);
                } else {
                    data.add(Float.toString(number));
                }
            } else if (fault == Fault.FLOATS_OF_SIX_DIGITS) {
                data.add(new BigDecimal(String.format(Locale.ROOT, "%.6g", number)));
            } else {
                data.add(number);
            }
        }
        return data;
    }

    private List<Object> classify(List<Object> values, int count) {
        int columns = Math.toIntExact(shape.get(1));
        List<Object> best = new ArrayList<>();
        for (int row = 0; row < values.size(); row += columns) {
            List<Object> scores = values.subList(row, row + columns);
            IntStream.range(0, columns)
                    .boxed()
                    .sorted(Comparator.comparing((Integer index) -> (Float) scores.get(index))
                            .reversed())
                    .limit(count)
                    .forEach(index -> best.add(scores.get(index) + ":" + index));
        }
        return best;
    }
}
