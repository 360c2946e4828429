package io.atelier.engine;

import io.atelier.core.DataType;
import java.math.BigDecimal;
import java.nio.ByteBuffer;

/** Numbers as elements of a tensor. */
public final class ElementBits {
    private static final int HALF_FRACTION_BITS = 10;
    private static final int HALF_BIAS = 15;
    private static final int HALF_LEAST_EXPONENT = -14;
    private static final int HALF_INFINITY = 0x7C00;

    /** From here on numbers round to infinity. */
    private static final double HALF_LIMIT = 65520;

    private ElementBits() {}

    /**
     * The element nearest to {@code value}, in the low bits.
     *
     * @throws IllegalArgumentException for {@link DataType#BYTES}, whose elements are no numbers
     */
    public static long of(DataType type, double value) {
        return switch (type) {
            case FP64 -> Double.doubleToRawLongBits(value);
            case FP32 -> Float.floatToRawIntBits((float) value);
            case FP16 -> half(value);
            case BF16 -> bfloat((float) value);
            case UINT64 -> new BigDecimal(value).toBigInteger().longValue();
            case INT64, UINT32, INT32, UINT16, INT16, UINT8, INT8, BOOL -> (long) value;
            case BYTES -> throw new IllegalArgumentException("BYTES are no numbers");
        };
    }

    /**
     * Appends the element nearest to {@code value}.
     *
     * @param data little-endian
     */
    public static void put(ByteBuffer data, DataType type, double value) {
        long bits = of(type, value);
        switch (type.sizeBytes()) {
            case Byte.BYTES -> data.put((byte) bits);
            case Short.BYTES -> data.putShort((short) bits);
            case Integer.BYTES -> data.putInt((int) bits);
            default -> data.putLong(bits);
        }
    }

    /** The number that 16 bits stand for in FP16 or BF16. */
    public static double ofHalf(DataType type, short bits) {
        if (type == DataType.BF16) {
            return Float.intBitsToFloat(bits << Short.SIZE);
        }
        int exponent = bits >> HALF_FRACTION_BITS & 0x1F;
        int fraction = bits & (1 << HALF_FRACTION_BITS) - 1;
        double size = exponent == 0x1F
                ? fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN
                : exponent == 0
                        ? Math.scalb((double) fraction, HALF_LEAST_EXPONENT - HALF_FRACTION_BITS)
                        : Math.scalb(
                                (double) (fraction | 1 << HALF_FRACTION_BITS),
                                exponent - HALF_BIAS - HALF_FRACTION_BITS);
        return bits < 0 ? -size : size;
    }

    private static long half(double value) {
        double size = Math.abs(value);
        long sign = value < 0 ? 0x8000 : 0;
        if (size >= HALF_LIMIT) {
            return sign | HALF_INFINITY;
        }
        int exponent = Math.max(Math.getExponent(size), HALF_LEAST_EXPONENT);
        long fraction = (long) Math.rint(Math.scalb(size, HALF_FRACTION_BITS - exponent));
        // the leading one of a normal number adds 1 to the exponent, and so does a carry
        return sign | (((long) (exponent + HALF_BIAS - 1) << HALF_FRACTION_BITS) + fraction);
    }

    private static int bfloat(float value) {
        int bits = Float.floatToRawIntBits(value);
        int half = 0x7FFF + ((bits >>> Short.SIZE) & 1); // ties go to the even neighbour
        return (bits + half) >>> Short.SIZE;
    }
}
