package io.atelier.api.oip;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.exc.InputCoercionException;
import io.atelier.api.Json;
import io.atelier.api.JsonText;
import io.atelier.core.DataType;
import io.atelier.core.InferenceRequest;
import io.atelier.core.ModelSignature;
import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.core.Trace;
import io.atelier.serving.ModelView;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads an infer request and checks it against the model: its JSON in one pass over the bytes, and behind it the tensors
 * in binary, which are not copied here.
 *
 * <p>Fields may stand in any order. Where {@code data} comes before the name, type or shape that it needs, its place is
 * remembered and read afterwards. Nothing is allocated before the body is known to be long enough to fill it.
 *
 * <p>Fields and parameters that the protocol does not name are ignored.
 *
 * <p>Used once, by one thread.
 */
final class InferRequestReader {
    /** A digit and a comma or bracket: no element takes less. */
    private static final int MIN_BYTES_PER_ELEMENT = 2;

    private static final int MAX_RANK = 32;

    private final ModelView model;
    private final ModelSignature signature;
    private final byte[] body;
    private final int length;
    private final JsonText text;
    private final @Nullable BinarySection binary;
    private final Map<String, Tensor> inputs = new HashMap<>();
    private final Map<String, Wanted> outputs = new LinkedHashMap<>();
    private @Nullable String id;
    private @Nullable Duration timeout;
    private int priority;
    private boolean binaryOutput;

    private InferRequestReader(ModelView model, byte[] body, int length, @Nullable BinarySection binary) {
        this.model = model;
        this.signature = model.signature();
        this.body = body;
        this.length = length;
        this.text = new JsonText(body, 0, length);
        this.binary = binary;
    }

    /**
     * The request in the first {@code length} bytes of {@code body}, all of it JSON.
     *
     * @throws InvalidInput if they are not a request that this model can answer
     */
    static PredictRequest read(ModelView model, byte[] body, int length) {
        return read(model, body, length, null);
    }

    /**
     * The request whose JSON is the first {@code length} bytes of {@code body}.
     *
     * @param binary what follows the JSON; null if nothing does
     * @throws InvalidInput if they are not a request that this model can answer
     */
    static PredictRequest read(ModelView model, byte[] body, int length, @Nullable BinarySection binary) {
        InferRequestReader reader = new InferRequestReader(model, body, length, binary);
        Json.readObject(reader.text, reader::request);
        return reader.finish();
    }

    /**
     * The request of a body that is nothing but the model's only input; all outputs come back in binary.
     *
     * @throws InvalidInput if the model has more inputs, or the body does not tell the input's shape
     */
    static PredictRequest readRaw(ModelView model, BinarySection body) {
        List<TensorSpec> specs = model.signature().inputs();
        if (specs.size() != 1) {
            throw new InvalidInput("header %s is 0, but model '%s' has %d inputs, and a raw body is one"
                    .formatted(BinarySection.HEADER, model.id().name(), specs.size()));
        }
        InferRequestReader reader = new InferRequestReader(model, new byte[0], 0, body);
        reader.binaryOutput = true;
        Tensor input = BinaryTensor.whole(specs.get(0), reader.hasRows(), body);
        reader.inputs.put(input.name(), input);
        return reader.finish();
    }

    private void request(JsonParser json) throws IOException {
        Json.members(json, (field, value) -> {
            switch (field) {
                case "id" -> id = Json.label(json, "id");
                case "parameters" -> parameters(json, "parameters", this::requestParameter);
                case "inputs" -> list(json, "inputs", this::input);
                case "outputs" -> list(json, "outputs", this::output);
                default -> json.skipChildren();
            }
        });
    }

    private PredictRequest finish() {
        List<Tensor> ordered = signature.inOrder(inputs);
        if (binary != null && binary.remaining() > 0) {
            throw new InvalidInput("the body has %d bytes more than the JSON and its inputs' binary_data_size say"
                    .formatted(binary.remaining()));
        }
        checkRows(ordered.subList(0, signature.inputs().size()));
        if (outputs.isEmpty()) {
            signature.outputs().forEach(spec -> outputs.put(spec.name(), Wanted.ANYHOW));
        }
        List<OutputForm> forms = new ArrayList<>(outputs.size());
        outputs.forEach((name, wanted) -> forms.add(form(name, wanted)));
        Duration inQueue = model.timeoutIsOfQueue() && timeout != null ? timeout : Duration.ZERO;
        return new PredictRequest(
                new InferenceRequest(
                        id, model.id(), ordered, List.copyOf(outputs.keySet()), priority, inQueue, Trace.NONE),
                model.timeoutIsOfQueue() ? null : timeout,
                forms);
    }

    private OutputForm form(String name, Wanted wanted) {
        DataType type = signature.output(name).orElseThrow().dataType();
        boolean inBinary = wanted.binary() == null ? binaryOutput : wanted.binary();
        if (wanted.classes() > 0) {
            if (!Classification.canOrder(type)) {
                throw new InvalidInput("output '%s' is %s, which has no best classes".formatted(name, type));
            }
            return new OutputForm(
                    inBinary,
                    new Classification(
                            wanted.classes(), hasRows(), model.labels().getOrDefault(name, List.of())));
        }
        if (!inBinary && isBinaryOnly(type)) {
            throw new InvalidInput("output '%s' is %s, which travels in binary only: ask with binary_data_output"
                    .formatted(name, type));
        }
        return new OutputForm(inBinary, null);
    }

    /** Whether the first axis of each tensor is one of rows that share batches. */
    private boolean hasRows() {
        return signature.hasBatchAxis() && model.maxBatchSize() > 0;
    }

    private void checkRows(List<Tensor> tensors) {
        if (!hasRows()) {
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
        if (rows > model.maxRequestRows()) {
            throw new InvalidInput("input '%s' has %d rows, the model takes at most %d"
                    .formatted(first.name(), rows, model.maxRequestRows()));
        }
    }

    private static boolean isBinaryOnly(DataType type) {
        return type == DataType.FP16 || type == DataType.BF16;
    }

    private void requestParameter(JsonParser json, String name) throws IOException {
        switch (name) {
            case "timeout" -> {
                long micros = integer(json, "parameters.timeout");
                if (micros < 0) {
                    throw new InvalidInput("parameters.timeout is %d, not 0 or more microseconds".formatted(micros));
                }
                timeout = micros == 0 ? null : Duration.of(micros, ChronoUnit.MICROS); // 0 is Triton's word for none
            }
            case "priority" -> {
                long value = integer(json, "parameters.priority");
                if (value < 0 || value > InferenceRequest.LOWEST_PRIORITY) {
                    throw new InvalidInput("parameters.priority is %d, not 0 to %d"
                            .formatted(value, InferenceRequest.LOWEST_PRIORITY));
                }
                priority = (int) value;
            }
            case "binary_data_output" -> binaryOutput = flag(json, "parameters.binary_data_output");
            default -> {
                // meant for another server
            }
        }
    }

    private void output(JsonParser json, int index) throws IOException {
        String place = "outputs[" + index + "]";
        WantedReader wanted = new WantedReader(place);
        Json.members(json, (field, value) -> wanted.member(json, field));
        String name = wanted.name();
        if (signature.output(name).isEmpty()) {
            throw new InvalidInput(place + ": " + signature.noOutput(name));
        }
        if (outputs.putIfAbsent(name, wanted.read()) != null) {
            throw new InvalidInput(place + ": output '" + name + "' is asked for twice");
        }
    }

    /**
     * What the parameters of an element of {@code outputs} say.
     *
     * @param binary  null if they do not say
     * @param classes how many of the best classes; 0 for the output itself
     */
    private record Wanted(@Nullable Boolean binary, int classes) {
        static final Wanted ANYHOW = new Wanted(null, 0);
    }

    private static final class WantedReader {
        private final String place;
        private @Nullable String name;
        private @Nullable Boolean binary;
        private int classes;

        WantedReader(String place) {
            this.place = place;
        }

        void member(JsonParser json, String field) throws IOException {
            switch (field) {
                case "name" -> name = Json.label(json, place + ".name");
                case "parameters" -> parameters(json, place + ".parameters", this::parameter);
                default -> json.skipChildren();
            }
        }

        private void parameter(JsonParser json, String parameter) throws IOException {
            switch (parameter) {
                case "binary_data" -> binary = flag(json, place + ".parameters.binary_data");
                case "classification" -> {
                    long count = integer(json, place + ".parameters.classification");
                    if (count < 1) {
                        throw new InvalidInput(
                                "%s.parameters.classification is %d, not at least 1".formatted(place, count));
                    }
                    classes = (int) Math.min(count, Integer.MAX_VALUE);
                }
                default -> {
                    // meant for another server
                }
            }
        }

        String name() {
            if (name == null) {
                throw new InvalidInput(place + " has no name");
            }
            return name;
        }

        Wanted read() {
            return new Wanted(binary, classes);
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
        private long binarySize = -1;
        private int dataFrom = -1;
        private int dataTo;

        Input(String place) {
            this.place = place;
        }

        void read(JsonParser json) throws IOException {
            Json.members(json, (field, value) -> {
                switch (field) {
                    case "name" -> name = Json.label(json, place + ".name");
                    case "datatype" -> type = dataType(Json.label(json, place + ".datatype"));
                    case "shape" -> shape = readShape(json);
                    case "parameters" -> parameters(json, place + ".parameters", this::parameter);
                    case "data" -> readOrRemember(json);
                    default -> json.skipChildren();
                }
            });
            if (name == null) {
                throw new InvalidInput(place + " has no name");
            }
            if (type == null) {
                throw new InvalidInput(place + " has no datatype");
            }
            if (shape == null) {
                throw new InvalidInput(place + " has no shape");
            }
            if (inputs.put(name, asTheModelTakesIt(tensor(name, type, shape))) != null) {
                throw new InvalidInput(place + ": input '" + name + "' is given twice");
            }
        }

        private void parameter(JsonParser json, String parameter) throws IOException {
            if (parameter.equals("binary_data_size")) {
                String where = place + ".parameters.binary_data_size";
                binarySize = integer(json, where);
                if (binarySize < 0) {
                    throw new InvalidInput(where + " is negative: " + binarySize);
                }
                if (binary == null) {
                    throw new InvalidInput(where + " needs the header " + BinarySection.HEADER);
                }
            }
        }

        private Tensor tensor(String name, DataType type, Shape shape) {
            if (binarySize >= 0 && binary != null) {
                if (data != null || dataFrom >= 0) {
                    throw new InvalidInput("input '" + name + "' has both data and binary_data_size");
                }
                check(name, type, shape);
                return BinaryTensor.read(name, type, shape, binarySize, binary);
            }
            return new Tensor(name, type, shape, data != null ? data : readRemembered(name, type, shape));
        }

        private void readOrRemember(JsonParser json) throws IOException {
            expect(json, JsonToken.START_ARRAY, place + ".data");
            if (binarySize >= 0 && binary != null) {
                throw new InvalidInput(
                        (name == null ? place : "input '" + name + "'") + " has both data and binary_data_size");
            }
            int from = text.position(json);
            if (name == null || type == null || shape == null) {
                dataFrom = from - 1;
                json.skipChildren();
                dataTo = text.position(json);
                return;
            }
            int elements = elements(name, type, shape, length - from + 1);
            TensorDataReader reader = new TensorDataReader(json, name, type, shape, elements);
            if (!type.isFixedSize()) {
                data = reader.readBytes();
                return;
            }
            ByteBuffer room = TensorDataReader.room(name, type, elements);
            int closing = NumberScanner.scan(body, from, length, type, shape, room);
            if (closing == NumberScanner.GIVEN_UP) {
                data = reader.readNumbers(room);
            } else {
                text.moveTo(closing);
                json.nextToken();
                data = room.flip();
            }
        }

        private ByteBuffer readRemembered(String name, DataType type, Shape shape) {
            if (dataFrom < 0) {
                check(name, type, shape);
                throw new InvalidInput("input '%s' has no data".formatted(name));
            }
            int elements = elements(name, type, shape, dataTo - dataFrom);
            ByteBuffer room = type.isFixedSize() ? TensorDataReader.room(name, type, elements) : null;
            if (room != null
                    && NumberScanner.scan(body, dataFrom + 1, dataTo, type, shape, room) != NumberScanner.GIVEN_UP) {
                return room.flip();
            }
            ByteBuffer[] result = new ByteBuffer[1];
            Json.parse(body, dataFrom, dataTo, json -> {
                json.nextToken();
                TensorDataReader reader = new TensorDataReader(json, name, type, shape, elements);
                result[0] = room == null ? reader.readBytes() : reader.readNumbers(room);
            });
            return result[0];
        }

        /** How many elements there must be, which the bytes that are left can hold. */
        private int elements(String name, DataType type, Shape shape, int bytesLeft) {
            check(name, type, shape);
            long elements = shape.elements()
                    .orElseThrow(() -> new InvalidInput(
                            "input '%s' has shape %s, which has too many elements".formatted(name, shape)));
            if (elements > bytesLeft / MIN_BYTES_PER_ELEMENT) {
                throw new InvalidInput(
                        "input '%s' has shape %s, but less data than its %d elements".formatted(name, shape, elements));
            }
            return (int) elements;
        }

        private void check(String name, DataType type, Shape shape) {
            TensorSpec spec =
                    signature.input(name).orElseThrow(() -> new InvalidInput(place + ": " + signature.noInput(name)));
            if (isBinaryOnly(type) && binarySize < 0) {
                throw new InvalidInput("input '%s' is %s, which travels in binary only".formatted(name, type));
            }
            if (spec.dataType() != type) {
                throw new InvalidInput("input '%s' is %s, the model takes %s".formatted(name, type, spec.dataType()));
            }
            if (spec.accept(shape).isEmpty()) {
                throw new InvalidInput(
                        "input '%s' has shape %s, the model takes %s".formatted(name, shape, spec.shape()));
            }
        }

        /** In the shape of the signature, where it came in the other one that fits. */
        private Tensor asTheModelTakesIt(Tensor tensor) {
            return signature
                    .input(tensor.name())
                    .flatMap(spec -> spec.accept(tensor.shape()))
                    .map(tensor::reshaped)
                    .orElse(tensor);
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
        Json.members(json, (name, value) -> {
            if (!value.isScalarValue()) {
                throw new InvalidInput(
                        "%s.%s is %s, not a string, number or boolean".formatted(place, name, Json.describe(value)));
            }
            parameter.read(json, name);
        });
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

    private static boolean flag(JsonParser json, String place) {
        return switch (json.currentToken()) {
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            default -> throw new InvalidInput(place + " is not true or false");
        };
    }

    private static void expect(JsonParser json, JsonToken expected, String place) {
        JsonToken token = json.currentToken();
        if (token != expected) {
            throw new InvalidInput("%s is %s, not %s".formatted(place, Json.describe(token), Json.describe(expected)));
        }
    }
}
