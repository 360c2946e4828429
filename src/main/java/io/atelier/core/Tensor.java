package io.atelier.core;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * A named array of numbers or byte strings, elements in row-major order.
 *
 * <p>The data is in the protocol's raw layout: little-endian, without padding; for {@link DataType#BYTES} each element
 * is its four-byte length and its bytes. It lies in one plain buffer, or in several as they came from the network, in
 * which an element may begin in one and end in the next. Whoever made the tensor must no longer write to them, so a
 * tensor may be read from any thread. A single buffer is direct where an engine can use it without a copy.
 */
public final class Tensor {
    private final String name;
    private final DataType dataType;
    private final Shape shape;
    private final ByteBuffer[] parts;
    private final int sizeBytes;

    /**
     * A tensor over {@code data}, from its position to its limit; the buffer is not copied.
     *
     * @throws IllegalArgumentException if the number of bytes does not fit the shape
     */
    public Tensor(String name, DataType dataType, Shape shape, ByteBuffer data) {
        this(name, dataType, shape, List.of(data));
    }

    /**
     * A tensor over several buffers, one behind the other; they are not copied.
     *
     * @throws IllegalArgumentException if the number of bytes does not fit the shape, or exceeds an int
     */
    public Tensor(String name, DataType dataType, Shape shape, List<ByteBuffer> parts) {
        long elements = shape.elements()
                .orElseThrow(() -> new IllegalArgumentException("shape " + shape + " has no number of elements"));
        long size = parts.stream().mapToLong(ByteBuffer::remaining).sum();
        if (size > Integer.MAX_VALUE
                || (dataType.isFixedSize()
                        && (elements > Integer.MAX_VALUE || elements * dataType.sizeBytes() != size))) {
            throw new IllegalArgumentException("%s %s%s does not fit %d bytes".formatted(name, dataType, shape, size));
        }
        this.name = name;
        this.dataType = dataType;
        this.shape = shape;
        this.parts = parts.stream().map(ByteBuffer::slice).toArray(ByteBuffer[]::new);
        this.sizeBytes = (int) size;
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

    /**
     * The elements in one piece, as a read-only view of its own position; little-endian. Where they lie in several
     * buffers it is a copy: see {@link #parts}.
     */
    public ByteBuffer data() {
        if (parts.length == 1) {
            return parts[0].asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
        }
        ByteBuffer whole = ByteBuffer.allocate(sizeBytes);
        for (ByteBuffer part : parts) {
            whole.put(part.duplicate());
        }
        return whole.flip().asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The elements as they lie, one buffer behind the other; read-only views of their own positions. */
    public List<ByteBuffer> parts() {
        return Stream.of(parts).map(ByteBuffer::asReadOnlyBuffer).toList();
    }

    /** Whether the elements lie in one direct buffer. */
    public boolean isDirect() {
        return parts.length == 1 && parts[0].isDirect();
    }

    public int sizeBytes() {
        return sizeBytes;
    }

    /** The same data under another name. */
    public Tensor named(String newName) {
        return newName.equals(name) ? this : new Tensor(newName, dataType, shape, Arrays.asList(parts));
    }

    /**
     * The same data in another shape.
     *
     * @throws IllegalArgumentException if it has another number of elements
     */
    public Tensor reshaped(Shape other) {
        return other.equals(shape) ? this : new Tensor(name, dataType, other, Arrays.asList(parts));
    }

    @Override
    public String toString() {
        return name + ":" + dataType + shape;
    }
}
