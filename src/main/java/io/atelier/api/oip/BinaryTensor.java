package io.atelier.api.oip;

import io.atelier.core.DataType;
import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * Tensors in the protocol's raw layout, checked before an engine sees them. Numbers stay where they lie; only booleans
 * and texts are looked at.
 */
final class BinaryTensor {
    private BinaryTensor() {}

    /**
     * The next {@code size} bytes as a tensor.
     *
     * @throws InvalidInput if they are not there, or not what type and shape say
     */
    static Tensor read(String name, DataType type, Shape shape, long size, BinarySection section) {
        if (size > section.remaining()) {
            throw new InvalidInput("input '%s' has binary_data_size %d, but only %d bytes follow"
                    .formatted(name, size, section.remaining()));
        }
        long elements = shape.elements()
                .orElseThrow(() -> new InvalidInput(
                        "input '%s' has shape %s, which has too many elements".formatted(name, shape)));
        if (type == DataType.BYTES) {
            return texts(name, shape, elements, section.take((int) size));
        }
        if (size % type.sizeBytes() != 0 || elements != size / type.sizeBytes()) {
            throw new InvalidInput("input '%s' has binary_data_size %d, %s%s has %d elements of %d bytes"
                    .formatted(name, size, type, shape, elements, type.sizeBytes()));
        }
        Tensor tensor = new Tensor(name, type, shape, section.take((int) size));
        if (type == DataType.BOOL) {
            requireBooleans(tensor);
        }
        return tensor;
    }

    /**
     * All bytes as the only input of a model. Rows are one; one more dimension may vary, and follows from the size. BYTES
     * are one element, without a length.
     *
     * @param hasRows whether the first dimension is that of rows
     * @throws InvalidInput if the size does not fit
     */
    static Tensor whole(TensorSpec spec, boolean hasRows, BinarySection body) {
        Shape shape = hasRows ? spec.shape().with(0, 1) : spec.shape();
        int size = body.remaining();
        int variable = -1;
        long fixed = 1;
        for (int axis = 0; axis < shape.rank(); axis++) {
            if (!shape.isDynamic(axis)) {
                fixed = fixed > Integer.MAX_VALUE ? fixed : fixed * shape.dimension(axis);
            } else if (variable < 0) {
                variable = axis;
            } else {
                throw new InvalidInput("input '%s' has shape %s, of which a raw body tells one variable dimension"
                        .formatted(spec.name(), spec.shape()));
            }
        }
        if (spec.dataType() == DataType.BYTES) {
            if (fixed != 1) {
                throw new InvalidInput("input '%s' has shape %s, and a raw body is one element of BYTES"
                        .formatted(spec.name(), spec.shape()));
            }
            List<ByteBuffer> element = new ArrayList<>();
            element.add(ByteBuffer.allocate(Integer.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(size)
                    .flip());
            element.addAll(body.take(size));
            return texts(spec.name(), variable < 0 ? shape : shape.with(variable, 1), 1, element);
        }
        long step = fixed * spec.dataType().sizeBytes();
        if (size == 0 || step == 0 || size % step != 0 || (variable < 0 && size != step)) {
            throw new InvalidInput("the body has %d bytes, input '%s' %s%s takes %s%d"
                    .formatted(
                            size,
                            spec.name(),
                            spec.dataType(),
                            spec.shape(),
                            variable < 0 ? "" : "a multiple of ",
                            step));
        }
        Shape whole = variable < 0 ? shape : shape.with(variable, size / step);
        return read(spec.name(), spec.dataType(), whole, size, body);
    }

    private static void requireBooleans(Tensor tensor) {
        int index = 0;
        for (ByteBuffer part : tensor.parts()) {
            while (part.hasRemaining()) {
                byte value = part.get();
                if (value != 0 && value != 1) {
                    throw new InvalidInput("input '%s' element %d: %d is not 0 or 1, which BOOL needs"
                            .formatted(tensor.name(), index, Byte.toUnsignedInt(value)));
                }
                index++;
            }
        }
    }

    /** The elements, whatever their bytes: a model may take others than text. */
    private static Tensor texts(String name, Shape shape, long elements, List<ByteBuffer> parts) {
        int size = parts.stream().mapToInt(ByteBuffer::remaining).sum();
        ByteBuffer raw = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        parts.forEach(part -> raw.put(part.duplicate()));
        raw.flip();
        for (long index = 0; index < elements; index++) {
            if (raw.remaining() < Integer.BYTES) {
                throw new InvalidInput(
                        "input '%s' ends after %d of the %d elements of %s".formatted(name, index, elements, shape));
            }
            long length = Integer.toUnsignedLong(raw.getInt());
            if (length > raw.remaining()) {
                throw new InvalidInput("input '%s' element %d: its length is %d, but only %d bytes follow"
                        .formatted(name, index, length, raw.remaining()));
            }
            raw.position(raw.position() + (int) length);
        }
        if (raw.hasRemaining()) {
            throw new InvalidInput("input '%s' has %d bytes behind the %d elements of %s"
                    .formatted(name, raw.remaining(), elements, shape));
        }
        return new Tensor(name, DataType.BYTES, shape, raw.rewind());
    }
}
