package io.atelier.engine;

import io.atelier.core.DataType;
import io.atelier.core.Tensor;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Collectors;

/** Tensors of any floating-point type as floats, for tasks, which need not know in which one a model computes. */
public final class Floats {
    private static final Set<DataType> TYPES = EnumSet.of(DataType.FP16, DataType.BF16, DataType.FP32, DataType.FP64);

    private static final int HALF_SIGN = 0x8000;
    private static final int HALF_EXPONENT = 0x7C00;
    private static final int HALF_FRACTION = 0x03FF;
    private static final int FLOAT_EXPONENT = 0x7F800000;

    /** From the fraction of FP16 to that of FP32. */
    private static final int WIDER_FRACTION = 13;

    /** Between the biases of the two exponents, where that of FP16 stands in an FP32. */
    private static final int REBIAS = (127 - 15) << 23;

    /** What one step of the smallest numbers of FP16 is worth. */
    private static final float HALF_LEAST = 0x1p-24f;

    private Floats() {}

    /** Whether elements of this type are floating-point numbers. */
    public static boolean are(DataType type) {
        return TYPES.contains(type);
    }

    /** The types, for people. */
    public static String types() {
        return TYPES.stream().map(DataType::name).collect(Collectors.joining(", "));
    }

    /**
     * The elements, row-major: a view of an FP32, else a copy on the heap. What FP64 has beyond a float is rounded.
     *
     * @throws IllegalArgumentException if they are no floating-point numbers
     */
    public static FloatBuffer of(Tensor tensor) {
        ByteBuffer data = tensor.data();
        return switch (tensor.dataType()) {
            case FP32 -> data.asFloatBuffer();
            case FP16 -> {
                FloatBuffer floats = FloatBuffer.allocate(data.remaining() / Short.BYTES);
                while (floats.hasRemaining()) {
                    floats.put(half(data.getShort()));
                }
                yield floats.flip();
            }
            case BF16 -> {
                FloatBuffer floats = FloatBuffer.allocate(data.remaining() / Short.BYTES);
                while (floats.hasRemaining()) {
                    floats.put(Float.intBitsToFloat(data.getShort() << Short.SIZE));
                }
                yield floats.flip();
            }
            case FP64 -> {
                FloatBuffer floats = FloatBuffer.allocate(data.remaining() / Double.BYTES);
                while (floats.hasRemaining()) {
                    floats.put((float) data.getDouble());
                }
                yield floats.flip();
            }
            default -> throw new IllegalArgumentException(tensor + " holds no floating-point numbers");
        };
    }

    private static float half(short bits) {
        int size = bits & (HALF_EXPONENT | HALF_FRACTION);
        float value;
        if (size >= HALF_EXPONENT) {
            value = Float.intBitsToFloat(FLOAT_EXPONENT | ((bits & HALF_FRACTION) << WIDER_FRACTION));
        } else if (size <= HALF_FRACTION) {
            value = size * HALF_LEAST;
        } else {
            value = Float.intBitsToFloat((size << WIDER_FRACTION) + REBIAS);
        }
        return (bits & HALF_SIGN) == 0 ? value : -value;
    }
}
