package io.atelier.repository;

import io.atelier.core.DataType;
import io.atelier.core.ModelSignature;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.engine.ElementBits;
import io.atelier.engine.ModelLoadException;
import io.atelier.repository.WarmUpRequest.Data;
import io.atelier.repository.WarmUpRequest.Input;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.LongStream;

/** Makes the tensors of the warm-up requests that a folder has. */
final class WarmUpTensors {
    /** The same values each time, so that a warm-up that fails fails again. */
    private static final long SEED = 20261128;

    private WarmUpTensors() {}

    /**
     * The request's inputs, in the order of the signature.
     *
     * @param folder    the model's
     * @param signature as callers see it
     * @throws ModelLoadException if the request does not fit the model, or a file of it cannot be read
     */
    static List<Tensor> of(WarmUpRequest request, Path folder, ModelSignature signature) throws ModelLoadException {
        String place = request.name().isEmpty() ? "the warm-up" : "the warm-up '" + request.name() + "'";
        for (String name : request.inputs().keySet()) {
            if (signature.input(name).isEmpty()) {
                throw new ModelLoadException("%s: the model has no input '%s', it has %s"
                        .formatted(place, name, SignatureCheck.names(signature.inputs())));
            }
        }
        List<Tensor> tensors = new ArrayList<>();
        for (TensorSpec spec : signature.inputs()) {
            Input input = request.inputs().get(spec.name());
            if (input == null) {
                throw new ModelLoadException("%s: input '%s' is missing".formatted(place, spec.name()));
            }
            tensors.add(tensor(place, request, input, spec, signature.hasBatchAxis(), folder));
        }
        return tensors;
    }

    private static Tensor tensor(
            String place, WarmUpRequest request, Input input, TensorSpec spec, boolean rows, Path folder)
            throws ModelLoadException {
        boolean repeated = request.rows() > 1 || (request.rows() == 1 && rows);
        long[] own = input.shape().stream().mapToLong(Long::longValue).toArray();
        Shape given = Shape.of(
                repeated
                        ? LongStream.concat(LongStream.of(request.rows()), LongStream.of(own))
                                .toArray()
                        : own);
        Optional<Shape> shape = spec.accept(given);
        if (input.dataType() != spec.dataType() || shape.isEmpty()) {
            throw new ModelLoadException("%s: input '%s' is %s%s, the model takes %s"
                    .formatted(place, spec.name(), input.dataType(), given, SignatureCheck.typeOf(spec)));
        }
        int times = repeated ? request.rows() : 1;
        long elements = Shape.of(own).elements().orElse(Long.MAX_VALUE);
        int elementBytes = input.dataType().isFixedSize() ? input.dataType().sizeBytes() : Integer.BYTES;
        if (elements > Integer.MAX_VALUE / elementBytes / times) {
            throw new ModelLoadException("%s: input '%s' is too large".formatted(place, spec.name()));
        }
        ByteBuffer once = data(place, input, (int) elements, folder);
        ByteBuffer all = ByteBuffer.allocateDirect(Math.multiplyExact(once.remaining(), times))
                .order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < times; i++) {
            all.put(once.duplicate());
        }
        return new Tensor(spec.name(), spec.dataType(), shape.get(), all.flip());
    }

    private static ByteBuffer data(String place, Input input, int elements, Path folder) throws ModelLoadException {
        DataType type = input.dataType();
        if (input.data() instanceof Data.File file) {
            return read(place, input, file.name(), elements, folder);
        }
        int elementBytes = type.isFixedSize() ? type.sizeBytes() : Integer.BYTES; // an empty string is its length, 0
        ByteBuffer data = ByteBuffer.allocate(elements * elementBytes).order(ByteOrder.LITTLE_ENDIAN);
        if (input.data() instanceof Data.Random && type.isFixedSize()) {
            Random random = new Random(SEED);
            while (data.hasRemaining()) {
                putBits(data, type, ElementBits.of(type, isReal(type) ? random.nextDouble() : random.nextInt(2)));
            }
            data.flip();
        }
        return data;
    }

    private static ByteBuffer read(String place, Input input, String name, int elements, Path folder)
            throws ModelLoadException {
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(folder.resolve(WarmUpRequest.FOLDER).resolve(name));
        } catch (IOException failure) {
            throw new ModelLoadException(place + ": " + name + " cannot be read", failure);
        }
        ByteBuffer data = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        boolean whole = input.dataType().isFixedSize()
                ? bytes.length == elements * input.dataType().sizeBytes()
                : hasStrings(data, elements);
        if (!whole) {
            throw new ModelLoadException("%s: %s has %d bytes, which are not %d elements of %s"
                    .formatted(place, name, bytes.length, elements, input.dataType()));
        }
        return data;
    }

    /** Whether these are so many strings, each behind its length, and nothing else. */
    private static boolean hasStrings(ByteBuffer data, int elements) {
        int at = 0;
        for (int i = 0; i < elements; i++) {
            if (data.limit() - at < Integer.BYTES) {
                return false;
            }
            int length = data.getInt(at);
            at += Integer.BYTES;
            if (length < 0 || length > data.limit() - at) {
                return false;
            }
            at += length;
        }
        return at == data.limit();
    }

    private static boolean isReal(DataType type) {
        return switch (type) {
            case FP16, BF16, FP32, FP64 -> true;
            default -> false;
        };
    }

    private static void putBits(ByteBuffer data, DataType type, long bits) {
        switch (type.sizeBytes()) {
            case Byte.BYTES -> data.put((byte) bits);
            case Short.BYTES -> data.putShort((short) bits);
            case Integer.BYTES -> data.putInt((int) bits);
            default -> data.putLong(bits);
        }
    }
}
