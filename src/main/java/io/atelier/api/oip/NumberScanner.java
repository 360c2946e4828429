package io.atelier.api.oip;

import com.fasterxml.jackson.core.io.NumberInput;
import io.atelier.core.DataType;
import io.atelier.core.Shape;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Reads the numbers of one tensor straight from the bytes of the JSON: no tokens, no text in between, and a decimal of
 * up to 19 digits becomes a float by one multiplication or division.
 *
 * <p>It knows lists of numbers that are well-formed, fit their type and are as many as the shape says, and gives up at
 * anything else. Then {@link TensorDataReader} reads them again, which knows all of JSON and can say what is wrong. What
 * both read is the same to the last bit.
 *
 * <p>Used once, by one thread.
 */
final class NumberScanner {
    /** The result for what is to be read by someone else. */
    static final int GIVEN_UP = -1;

    /** More digits may not fit 64 bits. */
    private static final int MAX_DIGITS = 19;

    /** Powers of ten that a double holds exactly. */
    private static final double[] POWERS_OF_TEN = {
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22
    };

    private static final long EXACT_IN_DOUBLE = 1L << 53;
    private static final int MAX_EXPONENT = 1 << 16;

    /** The bits of a double that a float has no room for, and the middle between two floats. */
    private static final long BELOW_FLOAT = (1L << 29) - 1;

    private static final long MIDDLE = 1L << 28;

    /** A double that comes from two roundings may be off by less than this many of its last places. */
    private static final long DOUBT = 4;

    private final byte[] bytes;
    private final int end;
    private final DataType type;
    private final Shape shape;
    private final ByteBuffer out;
    private int at;

    private NumberScanner(byte[] bytes, int from, int end, DataType type, Shape shape, ByteBuffer out) {
        this.bytes = bytes;
        this.end = end;
        this.type = type;
        this.shape = shape;
        this.out = out;
        this.at = from;
    }

    /**
     * Reads one list, flat or nested as the shape says.
     *
     * @param from the index behind the list's opening bracket
     * @param end  the index behind the last byte that may be read
     * @param out  little-endian, with room for just the elements of the shape; has unspecified content if this gives up
     * @return the index of the closing bracket, or {@link #GIVEN_UP}
     */
    static int scan(byte[] bytes, int from, int end, DataType type, Shape shape, ByteBuffer out) {
        NumberScanner scanner = new NumberScanner(bytes, from, end, type, shape, out);
        return scanner.list() && !out.hasRemaining() ? scanner.at - 1 : GIVEN_UP;
    }

    private boolean list() {
        boolean nested = shape.rank() > 1 && peek() == '[';
        return nested ? nested(0) : row(shape.elements().orElseThrow());
    }

    private boolean nested(int axis) {
        long size = shape.dimension(axis);
        if (axis == shape.rank() - 1) {
            return row(size);
        }
        for (long i = 0; i < size; i++) {
            if ((i > 0 && !take(',')) || !take('[') || !nested(axis + 1)) {
                return false;
            }
        }
        return take(']');
    }

    private boolean row(long size) {
        for (long i = 0; i < size; i++) {
            if ((i > 0 && !take(',')) || peek() < 0 || !element()) {
                return false;
            }
        }
        return take(']');
    }

    private boolean element() {
        return switch (type) {
            case FP32 -> real(true);
            case FP64 -> real(false);
            case INT64 -> integer(Long.MIN_VALUE, Long.MAX_VALUE);
            case INT32 -> integer(Integer.MIN_VALUE, Integer.MAX_VALUE);
            case INT16 -> integer(Short.MIN_VALUE, Short.MAX_VALUE);
            case INT8 -> integer(Byte.MIN_VALUE, Byte.MAX_VALUE);
            case UINT64 -> integer(0, Long.MAX_VALUE);
            case UINT32 -> integer(0, 0xFFFF_FFFFL);
            case UINT16 -> integer(0, 0xFFFF);
            case UINT8 -> integer(0, 0xFF);
            case BOOL, BYTES, FP16, BF16 -> false;
        };
    }

    private boolean integer(long min, long max) {
        boolean negative = sign();
        int from = at;
        long value = digits(0);
        int digits = at - from;
        if (digits == 0 || digits > MAX_DIGITS || value < 0 || (digits > 1 && bytes[from] == '0')) {
            return false;
        }
        value = negative ? -value : value;
        if (value < min || value > max) {
            return false;
        }
        switch (type.sizeBytes()) {
            case Byte.BYTES -> out.put((byte) value);
            case Short.BYTES -> out.putShort((short) value);
            case Integer.BYTES -> out.putInt((int) value);
            default -> out.putLong(value);
        }
        return true;
    }

    private boolean real(boolean single) {
        int start = at;
        boolean negative = sign();
        int from = at;
        long significand = digits(0);
        int digits = at - from;
        if (digits == 0 || (digits > 1 && bytes[from] == '0')) {
            return false;
        }
        long exponent = 0;
        if (at < end && bytes[at] == '.') {
            int point = ++at;
            significand = digits(significand);
            exponent = (long) point - at;
            if (exponent == 0) {
                return false;
            }
            digits += at - point;
        }
        if (at < end && (bytes[at] | 0x20) == 'e') {
            at++;
            boolean small = at < end && bytes[at] == '-';
            if (small || (at < end && bytes[at] == '+')) {
                at++;
            }
            int power = at;
            long value = digits(0);
            if (at == power || at - power > 9 || value > MAX_EXPONENT) {
                return false;
            }
            exponent += small ? -value : value;
        }
        boolean simple = digits <= MAX_DIGITS && significand >= 0 && exponent >= -22 && exponent <= 22;
        return single
                ? putFloat(simple, negative, significand, (int) exponent, start)
                : putDouble(simple, negative, significand, (int) exponent, start);
    }

    private boolean putFloat(boolean simple, boolean negative, long significand, int exponent, int start) {
        float value;
        double near = simple ? scaled(significand, exponent) : 0;
        if (simple && (significand == 0 || isCertain(near))) {
            value = negative ? -(float) near : (float) near;
        } else {
            value = NumberInput.parseFloat(text(start), true);
        }
        out.putFloat(value);
        return Float.isFinite(value);
    }

    private boolean putDouble(boolean simple, boolean negative, long significand, int exponent, int start) {
        double value;
        if (simple && significand <= EXACT_IN_DOUBLE) {
            double exact = scaled(significand, exponent);
            value = negative ? -exact : exact;
        } else {
            value = NumberInput.parseDouble(text(start), true);
        }
        out.putDouble(value);
        return Double.isFinite(value);
    }

    /** Rounded once if the significand is exact in a double, otherwise once more before. */
    private static double scaled(long significand, int exponent) {
        return exponent < 0 ? significand / POWERS_OF_TEN[-exponent] : significand * POWERS_OF_TEN[exponent];
    }

    /** Whether the true decimal rounds to the same float as this double that is near it. */
    private static boolean isCertain(double near) {
        long below = Double.doubleToRawLongBits(near) & BELOW_FLOAT;
        return near >= Float.MIN_NORMAL && near < Float.MAX_VALUE && Math.abs(below - MIDDLE) > DOUBT;
    }

    private String text(int start) {
        return new String(bytes, start, at - start, StandardCharsets.ISO_8859_1);
    }

    private boolean sign() {
        if (at < end && bytes[at] == '-') {
            at++;
            return true;
        }
        return false;
    }

    /** Appends digits to a number; the result means nothing if they are more than {@link #MAX_DIGITS}. */
    private long digits(long before) {
        long value = before;
        int index = at;
        while (index < end) {
            int digit = bytes[index] - '0';
            if (digit < 0 || digit > 9) {
                break;
            }
            value = value * 10 + digit;
            index++;
        }
        at = index;
        return value;
    }

    /** The next byte that is no white space; -1 if there is none. */
    private int peek() {
        while (at < end) {
            byte next = bytes[at];
            if (next != ' ' && next != '\n' && next != '\r' && next != '\t') {
                return next;
            }
            at++;
        }
        return -1;
    }

    private boolean take(char expected) {
        if (peek() != expected) {
            return false;
        }
        at++;
        return true;
    }
}
