package io.atelier.core;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Type of a tensor's elements, by its Open Inference Protocol name.
 *
 * <p>In memory and on the wire an element is little-endian; {@link #BOOL} takes one byte. {@link #BYTES} has no fixed
 * size: each element is a four-byte little-endian length and that many bytes.
 */
public enum DataType {
    BOOL(1),
    UINT8(1),
    UINT16(2),
    UINT32(4),
    UINT64(8),
    INT8(1),
    INT16(2),
    INT32(4),
    INT64(8),
    FP16(2),
    BF16(2),
    FP32(4),
    FP64(8),
    BYTES(-1);

    private static final Map<String, DataType> BY_NAME =
            Stream.of(values()).collect(Collectors.toUnmodifiableMap(DataType::name, Function.identity()));

    private final int sizeBytes;

    DataType(int sizeBytes) {
        this.sizeBytes = sizeBytes;
    }

    /** The type with this protocol name, in upper case as the protocol writes it. */
    public static Optional<DataType> byName(String name) {
        return Optional.ofNullable(BY_NAME.get(name));
    }

    /** Whether every element takes the same number of bytes; only {@link #BYTES} does not. */
    public boolean isFixedSize() {
        return sizeBytes > 0;
    }

    /**
     * Bytes of one element.
     *
     * @throws UnsupportedOperationException for {@link #BYTES}
     */
    public int sizeBytes() {
        if (!isFixedSize()) {
            throw new UnsupportedOperationException(name().toLowerCase(Locale.ROOT) + " elements have no fixed size");
        }
        return sizeBytes;
    }
}
