package io.atelier.core;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A named array of numbers or byte strings, elements in row-major order.
 *
 * <p>The data is a plain buffer in the protocol's raw layout: little-endian, without padding; for {@link DataType#BYTES}
 * each element is its four-byte length and its bytes. Whoever made the tensor must no longer write to the buffer, so a
 * tensor may be read from any thread. Buffers are direct where an engine can use them without a copy.
 */
public final class Tensor {
    private final String name;
    private final DataType dataType;
    private final Shape shape;
    private final ByteBuffer data;

    /**
     * A tensor over {@code data}, from its position to its limit; the buffer is not copied.
     *
     * @throws IllegalArgumentException if the number of bytes does not fit the shape
     */
    public Tensor(String name, DataType dataType, Shape shape, ByteBuffer data) {
        long elements = shape.elements()
                .orElseThrow(() -> new IllegalArgumentException("shape " + shape + " has no number of elements"));
        if (dataType.isFixedSize()
                && (elements > Integer.MAX_VALUE || elements * dataType.sizeBytes() != data.remaining())) {
            throw new IllegalArgumentException(
                    "%s %s%s does not fit %d bytes".formatted(name, dataType, shape, data.remaining()));
        }
        this.name = name;
        this.dataType = dataType;
        this.shape = shape;
        this.data = data.slice();
    }

    public String name() {
        return name;
    }

    public DataType dataType() {
        return dataType;
    }

    public Shape shape() {
        return shape;
    }

    /** The elements, as a read-only view of its own position; little-endian. */
    public ByteBuffer data() {
        return data.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    public int sizeBytes() {
        return data.limit();
    }

    /** The same data under another name. */
    public Tensor named(String newName) {
        return newName.equals(name) ? this : new Tensor(newName, dataType, shape, data);
    }

    @Override
    public String toString() {
        return name + ":" + dataType + shape;
    }
}
