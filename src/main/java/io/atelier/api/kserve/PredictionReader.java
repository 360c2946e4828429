package io.atelier.api.kserve;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.atelier.api.Json;
import io.atelier.api.oip.TensorDataReader;
import io.atelier.core.DataType;
import io.atelier.core.InferenceRequest;
import io.atelier.core.ModelSignature;
import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.serving.ModelView;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Reads the JSON body of a prediction: {@code instances}, a list of rows, or {@code inputs}, a tensor for each input.
 *
 * <p>In either a model of one input takes the bare value; several are given by name. A value's shape is that of its nested
 * lists, its type is the model's. The lists of an input are found first, as bytes of the body, and read afterwards.
 *
 * <p>Used once, by one thread.
 */
final class PredictionReader {
    private static final int DEEPEST = 32;

    /** A digit and a comma or bracket: no element takes less. */
    private static final int MIN_BYTES_PER_ELEMENT = 2;

    private final ModelView model;
    private final ModelSignature signature;
    private final byte[] body;
    private final int length;
    private final Map<String, Pieces> inputs = new LinkedHashMap<>();
    private @Nullable Boolean byRow;
    private int rows;

    /** The JSON of one input: one piece, or a piece for each row. */
    private static final class Pieces {
        final ByteArrayOutputStream json = new ByteArrayOutputStream();
        int count;
    }

    private PredictionReader(ModelView model, byte[] body, int length) {
        this.model = model;
        this.signature = model.signature();
        this.body = body;
        this.length = length;
    }

    /**
     * The prediction in the first {@code length} bytes of {@code body}.
     *
     * @throws InvalidInput if they are not one that this model can answer
     */
    static Prediction read(ModelView model, byte[] body, int length) {
        PredictionReader reader = new PredictionReader(model, body, length);
        Json.readObject(body, 0, length, reader::body);
        return reader.finish();
    }

    private void body(JsonParser json) throws IOException {
        Json.members(json, (field, value) -> {
            switch (field) {
                case "instances" -> {
                    requireFirst(true);
                    instances(json, value);
                }
                case "inputs" -> {
                    requireFirst(false);
                    columns(json, value);
                }
                default -> json.skipChildren(); // such as TensorFlow Serving's signature_name
            }
        });
    }

    private void requireFirst(boolean instances) {
        if (byRow != null) {
            throw new InvalidInput("the body has both instances and inputs, allowed is one");
        }
        byRow = instances;
    }

    private void instances(JsonParser json, JsonToken value) throws IOException {
        if (value != JsonToken.START_ARRAY) {
            throw new InvalidInput("instances is " + Json.describe(value) + ", not a list");
        }
        if (!signature.hasBatchAxis()) {
            throw new InvalidInput("the model takes no rows: send inputs instead of instances");
        }
        for (; json.nextToken() != JsonToken.END_ARRAY; rows++) {
            String place = "instances[" + rows + "]";
            if (json.currentToken() == JsonToken.START_OBJECT && !isBase64(json)) {
                named(json, place);
            } else {
                add(onlyInput(place), json, place);
            }
        }
        if (rows == 0) {
            throw new InvalidInput("instances is empty");
        }
    }

    private void columns(JsonParser json, JsonToken value) throws IOException {
        if (value == JsonToken.START_OBJECT && !isBase64(json)) {
            named(json, "inputs");
        } else {
            add(onlyInput("inputs"), json, "inputs");
        }
    }

    /** Whether the object is base64 rather than inputs by name: it begins so, and no input is called so. */
    private boolean isBase64(JsonParser json) {
        int from = (int) json.currentTokenLocation().getByteOffset() + 1;
        while (from < length && Character.isWhitespace(body[from])) {
            from++;
        }
        return signature.input(BytesReader.BASE64).isEmpty()
                && from + 5 <= length
                && new String(body, from, 5, ISO_8859_1).equals("\"b64\"");
    }

    private void named(JsonParser json, String place) throws IOException {
        Json.members(json, (name, value) -> {
            if (signature.input(name).isEmpty()) {
                throw new InvalidInput(place + ": " + signature.noInput(name));
            }
            add(name, json, place + "." + name);
        });
    }

    private String onlyInput(String place) {
        if (signature.inputs().size() != 1) {
            throw new InvalidInput(place + " does not name its inputs, the model has "
                    + signature.inputs().stream().map(TensorSpec::name).toList());
        }
        return signature.inputs().get(0).name();
    }

    private void add(String input, JsonParser json, String place) throws IOException {
        int from = (int) json.currentTokenLocation().getByteOffset();
        if (json.currentToken().isStructStart()) {
            json.skipChildren();
        } else {
            json.finishToken();
        }
        int to = (int) json.currentLocation().getByteOffset();
        Pieces pieces = inputs.computeIfAbsent(input, name -> new Pieces());
        if (pieces.count > rows) {
            throw new InvalidInput(place + " is given twice");
        }
        pieces.json.write(pieces.count == 0 ? '[' : ',');
        pieces.json.write(body, from, to - from);
        pieces.count++;
    }

    private Prediction finish() {
        if (byRow == null) {
            throw new InvalidInput("instances is missing");
        }
        Map<String, Tensor> given = new HashMap<>();
        for (String name : inputs.keySet()) {
            given.put(name, tensor(signature.input(name).orElseThrow()));
        }
        List<Tensor> tensors = signature.inOrder(given);
        checkRows(tensors.subList(0, signature.inputs().size()));
        List<String> outputs = new ArrayList<>();
        for (TensorSpec spec : signature.outputs()) {
            requireJson("output", spec);
            outputs.add(spec.name());
        }
        return new Prediction(new InferenceRequest(null, model.id(), tensors, outputs, 0), byRow);
    }

    private void checkRows(List<Tensor> tensors) {
        if (!signature.hasBatchAxis()) {
            return;
        }
        long count = tensors.get(0).shape().dimension(0);
        for (Tensor tensor : tensors) {
            if (tensor.shape().dimension(0) != count) {
                throw new InvalidInput("input '%s' has %d rows, input '%s' has %d"
                        .formatted(
                                tensor.name(),
                                tensor.shape().dimension(0),
                                tensors.get(0).name(),
                                count));
            }
        }
        if (count < 1 || (model.maxBatchSize() > 0 && count > model.maxRequestRows())) {
            throw new InvalidInput(
                    "the body has %d rows, the model takes 1 to %d".formatted(count, model.maxRequestRows()));
        }
    }

    private Tensor tensor(TensorSpec spec) {
        requireJson("input", spec);
        boolean inRows = Boolean.TRUE.equals(byRow);
        Pieces pieces = Objects.requireNonNull(inputs.get(spec.name()));
        if (inRows && pieces.count < rows) {
            throw new InvalidInput("input '%s' is missing in one of the instances".formatted(spec.name()));
        }
        byte[] json;
        int from;
        if (inRows) {
            pieces.json.write(']');
            json = pieces.json.toByteArray();
            from = 0;
        } else {
            json = pieces.json.toByteArray();
            from = 1; // a value of its own, without the list around it
        }
        Tensor[] tensor = new Tensor[1];
        Json.parse(json, from, json.length, parser -> tensor[0] = tensor(spec, json, from, shape(parser)));
        return tensor[0];
    }

    /** The shape of nested lists, from their first elements; whoever reads them sees that the others agree. */
    private static Shape shape(JsonParser json) throws IOException {
        long[] sizes = new long[DEEPEST];
        int rank = json.nextToken() == JsonToken.START_ARRAY ? measure(json, sizes, 0) : 0;
        return Shape.of(Arrays.copyOf(sizes, rank));
    }

    private static int measure(JsonParser json, long[] sizes, int axis) throws IOException {
        if (axis == DEEPEST) {
            throw new InvalidInput("a tensor has more than " + DEEPEST + " dimensions");
        }
        int rank = axis + 1;
        for (JsonToken token = json.nextToken(); token != JsonToken.END_ARRAY; token = json.nextToken()) {
            if (sizes[axis]++ == 0 && token == JsonToken.START_ARRAY) {
                rank = measure(json, sizes, axis + 1);
            } else {
                json.skipChildren();
            }
        }
        return rank;
    }

    private static Tensor tensor(TensorSpec spec, byte[] json, int from, Shape shape) {
        if (!spec.shape().accepts(shape)) {
            throw new InvalidInput(
                    "input '%s' has shape %s, the model takes %s".formatted(spec.name(), shape, spec.shape()));
        }
        long elements = shape.elements().orElse(Long.MAX_VALUE);
        if (elements > json.length / MIN_BYTES_PER_ELEMENT + 1) {
            throw new InvalidInput("input '%s' has lists of unequal lengths".formatted(spec.name()));
        }
        ByteBuffer[] data = new ByteBuffer[1];
        Json.parse(json, from, json.length, parser -> {
            JsonToken first = parser.nextToken();
            if (spec.dataType() == DataType.BYTES) {
                data[0] = new BytesReader(parser, spec.name(), shape).read();
            } else if (first != JsonToken.START_ARRAY && shape.rank() > 0) {
                throw new InvalidInput("input '%s' is not a list".formatted(spec.name()));
            } else {
                data[0] = new TensorDataReader(parser, spec.name(), spec.dataType(), shape, (int) elements)
                        .readNumbers(TensorDataReader.room(spec.name(), spec.dataType(), (int) elements));
            }
        });
        return new Tensor(spec.name(), spec.dataType(), shape, data[0].order(ByteOrder.LITTLE_ENDIAN));
    }

    private static void requireJson(String what, TensorSpec spec) {
        if (spec.dataType() == DataType.FP16 || spec.dataType() == DataType.BF16) {
            throw new InvalidInput(
                    "%s '%s' is %s, which travels in binary only".formatted(what, spec.name(), spec.dataType()));
        }
    }
}
