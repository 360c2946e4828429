package io.atelier.api.predict;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.atelier.api.Json;
import io.atelier.api.ReceivedBody;
import io.atelier.api.oip.TensorDataReader;
import io.atelier.api.oip.TensorDataWriter;
import io.atelier.core.DataType;
import io.atelier.core.InferenceRequest;
import io.atelier.core.InferenceResult;
import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.serving.ModelView;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a model without a task takes plainly, {@code {"x": [[1, 2]]}}, nested lists by name of input, or the bare value of
 * a scalar, and what it answers, likewise by name of output. Types come from the model, shapes from the nesting. Used once, by one thread.
 */
final class NamedArrays {
    private static final int MOST_AXES = 32;
    private static final int BYTES_PER_NUMBER = 13;

    private final ModelView model;
    private final byte[] body;
    private final Map<String, Tensor> inputs = new HashMap<>();

    private NamedArrays(ModelView model, byte[] body) {
        this.model = model;
        this.body = body;
    }

    /** @throws InvalidInput if the body is no request that this model can answer */
    static InferenceRequest read(ModelView model, ReceivedBody body) {
        NamedArrays arrays = new NamedArrays(model, body.bytes());
        Json.readObject(arrays.body, 0, body.length(), arrays::read);
        return arrays.request();
    }

    /** About how much data there is to write. */
    static long bytes(InferenceResult result) {
        return result.outputs().stream().mapToLong(Tensor::sizeBytes).sum();
    }

    static byte[] write(InferenceResult result) {
        return Json.write((int) Math.min(bytes(result) / Float.BYTES * BYTES_PER_NUMBER + 256, 1 << 28), json -> {
            json.writeStartObject();
            for (Tensor output : result.outputs()) {
                json.writeFieldName(output.name());
                write(output, output.data(), 0, json);
            }
            json.writeEndObject();
        });
    }

    private void read(JsonParser json) throws IOException {
        Json.members(json, (name, value) -> {
            TensorSpec spec = model.signature()
                    .input(name)
                    .orElseThrow(() -> new InvalidInput(model.signature().noInput(name)));
            boolean scalar = value.isScalarValue() && spec.shape().accepts(Shape.of());
            if (value != JsonToken.START_ARRAY && !scalar) {
                throw new InvalidInput("input '%s' is %s, not a list".formatted(name, Json.describe(value)));
            }
            int from = (int) json.currentTokenLocation().getByteOffset();
            Shape shape = scalar ? Shape.of() : shape(name, json);
            json.finishToken();
            int to = (int) json.currentLocation().getByteOffset();
            inputs.put(name, tensor(spec, shape, from, to));
        });
    }

    /** Sizes of the first list on each level; whether the others are alike is seen when they are read. */
    private static Shape shape(String name, JsonParser json) throws IOException {
        long[] sizes = new long[MOST_AXES];
        boolean[] whole = new boolean[MOST_AXES];
        int rank = 1;
        int depth = 0;
        while (!whole[0]) {
            JsonToken token = json.nextToken();
            if (token == JsonToken.END_ARRAY) {
                whole[depth] = true;
                depth--;
            } else {
                if (!whole[depth]) {
                    sizes[depth]++;
                }
                if (token == JsonToken.START_ARRAY) {
                    depth++;
                    if (depth == MOST_AXES) {
                        throw new InvalidInput("input '%s' is nested more than %d deep".formatted(name, MOST_AXES));
                    }
                    rank = Math.max(rank, depth + 1);
                } else if (token == JsonToken.START_OBJECT) {
                    throw new InvalidInput("input '%s' holds an object, not numbers or strings".formatted(name));
                }
            }
        }
        return Shape.of(Arrays.copyOf(sizes, rank));
    }

    private Tensor tensor(TensorSpec spec, Shape shape, int from, int to) {
        if (spec.dataType() == DataType.FP16 || spec.dataType() == DataType.BF16) {
            throw new InvalidInput("input '%s' is %s, which travels in binary only: see /v2/models/%s/infer"
                    .formatted(spec.name(), spec.dataType(), model.id().name()));
        }
        if (!spec.shape().accepts(shape)) {
            throw new InvalidInput(
                    "input '%s' has shape %s, the model takes %s".formatted(spec.name(), shape, spec.shape()));
        }
        long elements = shape.elements().orElse(Long.MAX_VALUE);
        if (elements > to - from) {
            throw new InvalidInput("input '%s' is not nested evenly".formatted(spec.name()));
        }
        ByteBuffer[] data = new ByteBuffer[1];
        Json.parse(body, from, to, json -> {
            json.nextToken();
            data[0] = new TensorDataReader(json, spec.name(), spec.dataType(), shape, (int) elements).read();
        });
        return new Tensor(spec.name(), spec.dataType(), shape, data[0]);
    }

    private InferenceRequest request() {
        List<Tensor> ordered = model.signature().inOrder(inputs);
        requireRows(ordered.subList(0, model.signature().inputs().size()));
        return new InferenceRequest(
                null,
                model.id(),
                ordered,
                model.signature().outputs().stream().map(TensorSpec::name).toList(),
                0);
    }

    private void requireRows(List<Tensor> tensors) {
        if (model.signature().hasBatchAxis() && model.maxBatchSize() > 0) {
            for (Tensor tensor : tensors) {
                long rows = tensor.shape().dimension(0);
                long first = tensors.get(0).shape().dimension(0);
                if (rows != first || rows < 1 || rows > model.maxRequestRows()) {
                    throw new InvalidInput("input '%s' has %d rows, the model takes 1 to %d, the same for each input"
                            .formatted(tensor.name(), rows, model.maxRequestRows()));
                }
            }
        }
    }

    private static void write(Tensor tensor, ByteBuffer data, int axis, JsonGenerator json) throws IOException {
        Shape shape = tensor.shape();
        if (shape.rank() == 0) {
            TensorDataWriter.write(tensor, data, 1, json);
            return;
        }
        json.writeStartArray();
        int size = (int) shape.dimension(axis);
        if (axis == shape.rank() - 1) {
            TensorDataWriter.write(tensor, data, size, json);
        } else {
            for (int i = 0; i < size; i++) {
                write(tensor, data, axis + 1, json);
            }
        }
        json.writeEndArray();
    }
}
