package io.atelier.repository;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.atelier.core.DataType;
import io.atelier.core.ModelSignature;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.engine.GoldenSample;
import io.atelier.engine.ModelLoadException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads a golden sample from a file: {@code {"inputs": [...], "outputs": [...]}}, each tensor as in the protocol's JSON
 * with flat data.
 */
final class GoldenFile {
    private GoldenFile() {}

    static GoldenSample read(Path file, ModelSignature signature, double tolerance) throws ModelLoadException {
        String name = String.valueOf(file.getFileName());
        try {
            JsonNode root = JsonMapper.builder().build().readTree(Files.readString(file));
            return new GoldenSample(
                    tensors(name, root.path("inputs"), signature.inputs(), true),
                    tensors(name, root.path("outputs"), signature.outputs(), false),
                    tolerance);
        } catch (IOException failure) {
            throw new ModelLoadException(name + " cannot be read as JSON", failure);
        }
    }

    private static List<Tensor> tensors(String file, JsonNode array, List<TensorSpec> specs, boolean all)
            throws ModelLoadException {
        List<Tensor> tensors = new ArrayList<>();
        for (TensorSpec spec : specs) {
            JsonNode found = null;
            for (JsonNode candidate : array) {
                if (candidate.path("name").asText().equals(spec.name())) {
                    found = candidate;
                }
            }
            if (found != null) {
                tensors.add(tensor(file, found, spec));
            } else if (all) {
                throw new ModelLoadException(file + " has no input " + spec.name());
            }
        }
        if (tensors.isEmpty() || tensors.size() != array.size()) {
            throw new ModelLoadException(
                    file + " names tensors that the model does not have, or none: " + names(array));
        }
        return tensors;
    }

    private static Tensor tensor(String file, JsonNode node, TensorSpec spec) throws ModelLoadException {
        long[] dimensions = new long[node.path("shape").size()];
        for (int i = 0; i < dimensions.length; i++) {
            dimensions[i] = Math.max(0, node.path("shape").path(i).asLong());
        }
        Shape shape = Shape.of(dimensions);
        JsonNode data = node.path("data");
        if (!node.path("datatype").asText().equals(spec.dataType().name())
                || spec.accept(shape).isEmpty()
                || shape.elements().orElse(-1) != data.size()) {
            throw new ModelLoadException("%s: %s is not %s%s with as many numbers as its shape says"
                    .formatted(file, spec.name(), spec.dataType(), spec.shape()));
        }
        return new Tensor(spec.name(), spec.dataType(), spec.accept(shape).orElse(shape), raw(spec.dataType(), data));
    }

    private static ByteBuffer raw(DataType type, JsonNode data) throws ModelLoadException {
        int size = 0;
        for (JsonNode element : data) {
            size += type.isFixedSize()
                    ? type.sizeBytes()
                    : Integer.BYTES + element.asText().getBytes(StandardCharsets.UTF_8).length;
        }
        ByteBuffer raw = ByteBuffer.allocateDirect(size).order(ByteOrder.LITTLE_ENDIAN);
        for (JsonNode element : data) {
            switch (type) {
                case BOOL -> raw.put((byte) (element.asBoolean() ? 1 : 0));
                case INT8, UINT8 -> raw.put((byte) element.asInt());
                case INT16, UINT16 -> raw.putShort((short) element.asInt());
                case INT32, UINT32 -> raw.putInt((int) element.asLong());
                case INT64 -> raw.putLong(element.asLong());
                case UINT64 -> raw.putLong(element.bigIntegerValue().longValue());
                case FP32 -> raw.putFloat((float) element.asDouble());
                case FP64 -> raw.putDouble(element.asDouble());
                case BYTES -> {
                    byte[] bytes = element.asText().getBytes(StandardCharsets.UTF_8);
                    raw.putInt(bytes.length).put(bytes);
                }
                case FP16, BF16 -> throw new ModelLoadException("a golden sample of " + type + " cannot be written");
            }
        }
        return raw.flip();
    }

    private static List<String> names(JsonNode array) {
        List<String> names = new ArrayList<>();
        array.forEach(tensor -> names.add(tensor.path("name").asText()));
        return names;
    }
}
