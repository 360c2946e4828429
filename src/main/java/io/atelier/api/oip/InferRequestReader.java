package io.atelier.api.oip;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.exc.InputCoercionException;
import io.atelier.api.Json;
import io.atelier.core.DataType;
import io.atelier.core.InferenceRequest;
import io.atelier.core.ModelSignature;
import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.serving.ModelView;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads the JSON body of an infer request and checks it against the model, in one pass over the bytes.
 *
 * <p>Fields may stand in any order. Where {@code data} comes before the name, type or shape that it needs, its place is
 * remembered and read afterwards. Nothing is allocated before the body is known to be long enough to fill it.
 *
 * <p>Fields and parameters that the protocol does not name are ignored, and so are the ones that ask for a binary
 * answer: the answer is JSON. What would change the answer's meaning ({@code classification}, tensors in binary) is
 * refused.
 *
 * <p>Used once, by one thread.
 */
final class InferRequestReader {
    /** The protocol's header that says that tensors follow the JSON. */
    static final String BINARY_HEADER = "Inference-Header-Content-Length";

    static final String NO_BINARY = "the binary tensor data extension is not served yet";

    /** A digit and a comma or bracket: no element takes less. */
    private static final int MIN_BYTES_PER_ELEMENT = 2;

    private static final int MAX_RANK = 32;

    private final ModelView model;
    private final ModelSignature signature;
    private final byte[] body;
    private final int length;
    private final Map<String, Tensor> inputs = new HashMap<>();
    private final List<String> outputs = new ArrayList<>();
    private @Nullable String id;
    private @Nullable Duration timeout;
    private int priority;

    private InferRequestReader(ModelView model, byte[] body, int length) {
        this.model = model;
        this.signature = model.signature();
        this.body = body;
        this.length = length;
    }

    /**
     * The request in the first {@code length} bytes of {@code body}.
     *
     * @throws InvalidInput if they are not a request that this model can answer
     */
    static PredictRequest read(ModelView model, byte[] body, int length) {
        InferRequestReader reader = new InferRequestReader(model, body, length);
        Json.readObject(body, 0, length, reader::request);
        return reader.finish();
    }

    private void request(JsonParser json) throws IOException {
        while (json.nextToken() != JsonToken.END_OBJECT) {
            String field = json.currentName();
            JsonToken value = json.nextToken();
            switch (field) {
                case "id" -> id = Json.label(json, "id");
                case "parameters" -> parameters(json, "parameters", this::requestParameter);
                case "inputs" -> list(json, "inputs", this::input);
                case "outputs" -> list(json, "outputs", this::output);
                default -> skip(json, value);
            }
        }
    }

    private PredictRequest finish() {
        List<Tensor> ordered = new ArrayList<>(signature.inputs().size());
        for (TensorSpec spec : signature.inputs()) {
            Tensor tensor = inputs.get(spec.name());
            if (tensor == null) {
                throw new InvalidInput("input '%s' is missing".formatted(spec.name()));
            }
            ordered.add(tensor);
        }
        checkRows(ordered);
        signature.contradiction(ordered).ifPresent(contradiction -> {
            throw new InvalidInput(contradiction);
        });
        List<String> wanted = outputs.isEmpty()
                ? signature.outputs().stream().map(TensorSpec::name).toList()
                : outputs;
        for (String name : wanted) {
            signature.output(name).ifPresent(spec -> checkWritable(spec));
        }
        return new PredictRequest(new InferenceRequest(id, model.id(), ordered, wanted, priority), timeout);
    }

    private void checkRows(List<Tensor> tensors) {
        if (!signature.hasBatchAxis() || model.maxBatchSize() <= 0) {
            return;
        }
        Tensor first = tensors.get(0);
        long rows = first.shape().dimension(0);
        for (Tensor tensor : tensors) {
            if (tensor.shape().dimension(0) != rows) {
                throw new InvalidInput("input '%s' has %d rows, input '%s' has %d"
                        .formatted(tensor.name(), tensor.shape().dimension(0), first.name(), rows));
            }
        }
        if (rows < 1 || rows > model.maxBatchSize()) {
            throw new InvalidInput("input '%s' has %d rows, the model takes 1 to %d"
                    .formatted(first.name(), rows, model.maxBatchSize()));
        }
    }

    private static void checkWritable(TensorSpec spec) {
        if (isBinaryOnly(spec.dataType())) {
            throw new InvalidInput(
                    "output '%s' is %s, which travels in binary only".formatted(spec.name(), spec.dataType()));
        }
    }

    private static boolean isBinaryOnly(DataType type) {
        return type == DataType.FP16 || type == DataType.BF16;
    }

    private void requestParameter(JsonParser json, String name) throws IOException {
        switch (name) {
            case "timeout" -> {
                long micros = integer(json, "parameters.timeout");
                if (micros < 1) {
                    throw new InvalidInput("parameters.timeout is %d, not at least 1 microsecond".formatted(micros));
                }
                timeout = Duration.of(micros, ChronoUnit.MICROS);
            }
            case "priority" -> {
                long value = integer(json, "parameters.priority");
                if (value < 0 || value > InferenceRequest.LOWEST_PRIORITY) {
                    throw new InvalidInput("parameters.priority is %d, not 0 to %d"
                            .formatted(value, InferenceRequest.LOWEST_PRIORITY));
                }
                priority = (int) value;
            }
            default -> {
                // meant for another server, or a wish for a binary answer
            }
        }
    }

    private void output(JsonParser json, int index) throws IOException {
        String place = "outputs[" + index + "]";
        String name = null;
        while (json.nextToken() != JsonToken.END_OBJECT) {
            String field = json.currentName();
            JsonToken value = json.nextToken();
            switch (field) {
                case "name" -> name = Json.label(json, place + ".name");
                case "parameters" -> parameters(json, place + ".parameters", InferRequestReader::outputParameter);
                default -> skip(json, value);
            }
        }
        if (name == null) {
            throw new InvalidInput(place + " has no name");
        }
        if (signature.output(name).isEmpty()) {
            throw new InvalidInput(place + ": the model has no output '" + name + "'");
        }
        if (outputs.contains(name)) {
            throw new InvalidInput(place + ": output '" + name + "' is asked for twice");
        }
        outputs.add(name);
    }

    private static void outputParameter(JsonParser json, String name) {
        if (name.equals("classification")) {
            throw new InvalidInput("the output parameter 'classification' is not served");
        }
    }

    private void input(JsonParser json, int index) throws IOException {
        new Input("inputs[" + index + "]").read(json);
    }

    /** One element of {@code inputs}, as far as it is known. */
    private final class Input {
        private final String place;
        private @Nullable String name;
        private @Nullable DataType type;
        private @Nullable Shape shape;
        private @Nullable ByteBuffer data;
        private int dataFrom = -1;
        private int dataTo;

        Input(String place) {
            this.place = place;
        }

        void read(JsonParser json) throws IOException {
            while (json.nextToken() != JsonToken.END_OBJECT) {
                String field = json.currentName();
                JsonToken value = json.nextToken();
                switch (field) {
                    case "name" -> name = Json.label(json, place + ".name");
                    case "datatype" -> type = dataType(Json.label(json, place + ".datatype"));
                    case "shape" -> shape = readShape(json);
                    case "parameters" -> parameters(json, place + ".parameters", InferRequestReader::inputParameter);
                    case "data" -> readOrRemember(json);
                    default -> skip(json, value);
                }
            }
            if (name == null) {
                throw new InvalidInput(place + " has no name");
            }
            if (type == null) {
                throw new InvalidInput(place + " has no datatype");
            }
            if (shape == null) {
                throw new InvalidInput(place + " has no shape");
            }
            if (data == null) {
                data = readRemembered(name, type, shape);
            }
            if (inputs.put(name, new Tensor(name, type, shape, data)) != null) {
                throw new InvalidInput(place + ": input '" + name + "' is given twice");
            }
        }

        private void readOrRemember(JsonParser json) throws IOException {
            expect(json, JsonToken.START_ARRAY, place + ".data");
            if (name != null && type != null && shape != null) {
                int from = (int) json.currentTokenLocation().getByteOffset();
                data = readData(json, name, type, shape, length - from);
            } else {
                dataFrom = (int) json.currentTokenLocation().getByteOffset();
                json.skipChildren();
                dataTo = (int) json.currentLocation().getByteOffset();
            }
        }

        private ByteBuffer readRemembered(String name, DataType type, Shape shape) {
            if (dataFrom < 0) {
                check(name, type, shape);
                throw new InvalidInput("input '%s' has no data".formatted(name));
            }
            ByteBuffer[] result = new ByteBuffer[1];
            Json.parse(body, dataFrom, dataTo, json -> {
                json.nextToken();
                result[0] = readData(json, name, type, shape, dataTo - dataFrom);
            });
            return result[0];
        }

        private ByteBuffer readData(JsonParser json, String name, DataType type, Shape shape, int bytesLeft)
                throws IOException {
            check(name, type, shape);
            long elements = shape.elements()
                    .orElseThrow(() -> new InvalidInput(
                            "input '%s' has shape %s, which has too many elements".formatted(name, shape)));
            if (elements > bytesLeft / MIN_BYTES_PER_ELEMENT) {
                throw new InvalidInput(
                        "input '%s' has shape %s, but less data than its %d elements".formatted(name, shape, elements));
            }
            return new TensorDataReader(json, name, type, shape, (int) elements).read();
        }

        private void check(String name, DataType type, Shape shape) {
            TensorSpec spec = signature
                    .input(name)
                    .orElseThrow(() -> new InvalidInput(place + ": the model has no input '" + name + "'"));
            if (isBinaryOnly(type)) {
                throw new InvalidInput("input '%s' is %s, which travels in binary only".formatted(name, type));
            }
            if (spec.dataType() != type) {
                throw new InvalidInput("input '%s' is %s, the model takes %s".formatted(name, type, spec.dataType()));
            }
            if (!spec.shape().accepts(shape)) {
                throw new InvalidInput(
                        "input '%s' has shape %s, the model takes %s".formatted(name, shape, spec.shape()));
            }
        }

        private DataType dataType(String text) {
            return DataType.byName(text)
                    .orElseThrow(() -> new InvalidInput(place + ".datatype: '" + text + "' is not a datatype"));
        }

        private Shape readShape(JsonParser json) throws IOException {
            expect(json, JsonToken.START_ARRAY, place + ".shape");
            long[] dimensions = new long[MAX_RANK];
            int rank = 0;
            while (json.nextToken() != JsonToken.END_ARRAY) {
                String dimension = place + ".shape[" + rank + "]";
                long size = integer(json, dimension);
                if (size < 0) {
                    throw new InvalidInput(dimension + " is negative: " + size);
                }
                if (rank == MAX_RANK) {
                    throw new InvalidInput(place + ".shape has more than " + MAX_RANK + " dimensions");
                }
                dimensions[rank++] = size;
            }
            return Shape.of(Arrays.copyOf(dimensions, rank));
        }
    }

    private static void inputParameter(JsonParser json, String name) {
        if (name.equals("binary_data_size")) {
            throw new InvalidInput(NO_BINARY);
        }
    }

    @FunctionalInterface
    private interface ListElement {
        void read(JsonParser json, int index) throws IOException;
    }

    @FunctionalInterface
    private interface Parameter {
        void read(JsonParser json, String name) throws IOException;
    }

    /** A list of objects; each is read from behind its opening brace. */
    private static void list(JsonParser json, String place, ListElement element) throws IOException {
        expect(json, JsonToken.START_ARRAY, place);
        for (int index = 0; json.nextToken() != JsonToken.END_ARRAY; index++) {
            expect(json, JsonToken.START_OBJECT, place + "[" + index + "]");
            element.read(json, index);
        }
    }

    private static void parameters(JsonParser json, String place, Parameter parameter) throws IOException {
        expect(json, JsonToken.START_OBJECT, place);
        while (json.nextToken() != JsonToken.END_OBJECT) {
            String name = json.currentName();
            JsonToken value = json.nextToken();
            if (!value.isScalarValue() || value == JsonToken.VALUE_NULL) {
                throw new InvalidInput(
                        "%s.%s is %s, not a string, number or boolean".formatted(place, name, Json.describe(value)));
            }
            parameter.read(json, name);
        }
    }

    private static long integer(JsonParser json, String place) throws IOException {
        if (json.currentToken() != JsonToken.VALUE_NUMBER_INT) {
            throw new InvalidInput(place + " is not an integer");
        }
        try {
            return json.getLongValue();
        } catch (InputCoercionException e) {
            throw new InvalidInput(place + " is too large");
        }
    }

    private static void expect(JsonParser json, JsonToken expected, String place) {
        JsonToken token = json.currentToken();
        if (token != expected) {
            throw new InvalidInput("%s is %s, not %s".formatted(place, Json.describe(token), Json.describe(expected)));
        }
    }

    private static void skip(JsonParser json, JsonToken value) throws IOException {
        if (value.isStructStart()) {
            json.skipChildren();
        }
    }
}
