package io.atelier.repository;

import io.atelier.core.DataType;
import io.atelier.core.ModelSignature;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.engine.ElementBits;
import io.atelier.engine.ModelLoadException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** The tensors of a warm-up request that a model's owner wrote down. */
final class GivenWarmUp {
    private final ModelDefinition definition;
    private final ModelSignature signature;

    GivenWarmUp(ModelDefinition definition, ModelSignature signature) {
        this.definition = definition;
        this.signature = signature;
    }

    /**
     * Its inputs, in the order of the signature.
     *
     * @throws ModelLoadException if it does not fit the model, or a file of it cannot be used
     */
    List<Tensor> inputs(WarmUpRequest request) throws ModelLoadException {
        for (String name : request.inputs().keySet()) {
            if (signature.input(name).isEmpty()) {
                throw new ModelLoadException(where(request) + signature.noInput(name));
            }
        }
        List<Tensor> inputs = new ArrayList<>();
        for (TensorSpec spec : signature.inputs()) {
            WarmUpRequest.Input input = request.inputs().get(spec.name());
            if (input == null) {
                throw new ModelLoadException(where(request) + "the input '" + spec.name() + "' is missing");
            }
            inputs.add(tensor(request, spec, input));
        }
        for (TensorSpec spec : signature.optionalInputs()) {
            WarmUpRequest.Input input = request.inputs().get(spec.name());
            if (input != null) {
                inputs.add(tensor(request, spec, input));
            }
        }
        return inputs;
    }

    private Tensor tensor(WarmUpRequest request, TensorSpec spec, WarmUpRequest.Input input)
            throws ModelLoadException {
        long[] row = input.shape().stream().mapToLong(Long::longValue).toArray();
        Shape shape = Shape.of(row);
        if (request.rows() > 0) {
            long[] stacked = new long[row.length + 1];
            stacked[0] = request.rows();
            System.arraycopy(row, 0, stacked, 1, row.length);
            shape = Shape.of(stacked);
        }
        if (input.dataType() != spec.dataType() || !spec.shape().accepts(shape)) {
            throw new ModelLoadException(where(request) + "the input '" + spec.name() + "' is " + input.dataType()
                    + shape + ", the model takes " + SignatureCheck.typeOf(spec));
        }
        try {
            return new Tensor(spec.name(), spec.dataType(), shape, data(request, input, shape));
        } catch (IllegalArgumentException misfit) {
            throw new ModelLoadException(where(request) + misfit.getMessage(), misfit);
        }
    }

    private ByteBuffer data(WarmUpRequest request, WarmUpRequest.Input input, Shape shape) throws ModelLoadException {
        DataType type = input.dataType();
        int elementBytes = type.isFixedSize() ? type.sizeBytes() : Integer.BYTES; // an empty string is its length, 0
        long elements = shape.elements().orElse(Long.MAX_VALUE);
        if (elements > Integer.MAX_VALUE / elementBytes) {
            throw new ModelLoadException(where(request) + "an input " + type + shape + " is too large");
        }
        if (input.data() instanceof WarmUpRequest.Data.File file) {
            return repeated(read(request, file.name()), Math.max(1, request.rows()));
        }
        ByteBuffer data =
                ByteBuffer.allocateDirect((int) elements * elementBytes).order(ByteOrder.LITTLE_ENDIAN);
        if (input.data() instanceof WarmUpRequest.Data.Random && type.isFixedSize()) {
            Random random = new Random(elements);
            while (data.hasRemaining()) {
                boolean whole = type != DataType.FP16 && type != DataType.BF16 && type != DataType.FP32 && type != DataType.FP64;
                ElementBits.put(data, type, whole ? random.nextInt(2) : random.nextDouble());
            }
            data.flip();
        }
        return data;
    }

    private static ByteBuffer repeated(byte[] row, int rows) {
        ByteBuffer all = ByteBuffer.allocateDirect(Math.multiplyExact(row.length, rows));
        for (int i = 0; i < rows; i++) {
            all.put(row);
        }
        return all.flip();
    }

    private byte[] read(WarmUpRequest request, String name) throws ModelLoadException {
        Path file = definition.folder().resolve(WarmUpRequest.FOLDER).resolve(name);
        try {
            return Files.readAllBytes(file);
        } catch (IOException failure) {
            throw new ModelLoadException(
                    where(request) + WarmUpRequest.FOLDER + "/" + name + " cannot be read", failure);
        }
    }

    private static String where(WarmUpRequest request) {
        return request.name().isEmpty() ? "warm-up: " : "warm-up '" + request.name() + "': ";
    }
}
