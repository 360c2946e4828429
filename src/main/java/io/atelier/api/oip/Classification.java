package io.atelier.api.oip;

import com.fasterxml.jackson.core.io.NumberOutput;
import io.atelier.core.DataType;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/**
 * The best classes of an output instead of its numbers: a tensor of BYTES, each element {@code value:index}, or
 * {@code value:index:label} where the class has a name, the best first. Of equal ones the lower index comes first; what is not a number comes last. Immutable.
 *
 * @param count   how many, or as many as there are
 * @param eachRow whether the output's first axis is that of rows: then the result is {@code [rows, count]}, otherwise
 *                {@code [count]}
 * @param labels  the names of the classes by their index; may be fewer, or none
 * @see <a href="https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_classification.md">The
 *     classification extension</a>
 */
record Classification(int count, boolean eachRow, List<String> labels) {
    private static final int HALF_FRACTION_BITS = 10;
    private static final int HALF_EXPONENT_BIAS = 15;
    private static final int HALF_EXPONENT_MAX = 0x1F;

    /** Whether elements of this type have an order. */
    static boolean canOrder(DataType type) {
        return type != DataType.BYTES && type != DataType.BOOL;
    }

    /** The best classes under the name of the output. */
    Tensor of(Tensor scores) {
        int rows = eachRow ? Math.toIntExact(scores.shape().dimension(0)) : 1;
        int classes = rows == 0 ? 0 : Math.toIntExact(scores.shape().elements().orElseThrow() / rows);
        int best = Math.min(count, classes);
        ByteBuffer data = scores.data();
        List<byte[]> texts = new ArrayList<>(rows * best);
        int size = 0;
        for (int row = 0; row < rows; row++) {
            for (int index : best(scores.dataType(), data, row * classes, classes, best)) {
                String label = index < labels.size() ? ":" + labels.get(index) : "";
                byte[] text = (text(scores.dataType(), data, row * classes + index) + ":" + index + label)
                        .getBytes(StandardCharsets.UTF_8);
                texts.add(text);
                size += Integer.BYTES + text.length;
            }
        }
        ByteBuffer raw = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        texts.forEach(text -> raw.putInt(text.length).put(text));
        return new Tensor(scores.name(), DataType.BYTES, eachRow ? Shape.of(rows, best) : Shape.of(best), raw.flip());
    }

    private static List<Integer> best(DataType type, ByteBuffer data, int from, int classes, int best) {
        Comparator<Integer> worstFirst = (a, b) -> compare(type, data, from + a, from + b);
        worstFirst = worstFirst.thenComparing(Comparator.reverseOrder());
        PriorityQueue<Integer> kept = new PriorityQueue<>(Math.max(1, best), worstFirst);
        for (int index = 0; index < classes; index++) {
            if (kept.size() < best) {
                kept.add(index);
            } else if (best > 0 && worstFirst.compare(index, kept.peek()) > 0) {
                kept.poll();
                kept.add(index);
            }
        }
        List<Integer> sorted = new ArrayList<>(kept);
        sorted.sort(worstFirst.reversed());
        return sorted;
    }

    private static int compare(DataType type, ByteBuffer data, int a, int b) {
        return switch (type) {
            case FP16, BF16, FP32, FP64 -> {
                double first = real(type, data, a);
                double second = real(type, data, b);
                yield Double.isNaN(first) || Double.isNaN(second)
                        ? Boolean.compare(Double.isNaN(second), Double.isNaN(first))
                        : Double.compare(first + 0.0, second + 0.0);
            }
            case UINT64 -> Long.compareUnsigned(data.getLong(eightBytes(a)), data.getLong(eightBytes(b)));
            default -> Long.compare(whole(type, data, a), whole(type, data, b));
        };
    }

    private static String text(DataType type, ByteBuffer data, int index) {
        return switch (type) {
            case FP16, BF16, FP32 -> NumberOutput.toString((float) real(type, data, index), true);
            case FP64 -> NumberOutput.toString(real(type, data, index), true);
            case UINT64 -> Long.toUnsignedString(data.getLong(eightBytes(index)));
            default -> Long.toString(whole(type, data, index));
        };
    }

    private static long whole(DataType type, ByteBuffer data, int index) {
        return switch (type) {
            case INT8 -> data.get(index);
            case UINT8 -> Byte.toUnsignedInt(data.get(index));
            case INT16 -> data.getShort(index * Short.BYTES);
            case UINT16 -> Short.toUnsignedInt(data.getShort(index * Short.BYTES));
            case INT32 -> data.getInt(index * Integer.BYTES);
            case UINT32 -> Integer.toUnsignedLong(data.getInt(index * Integer.BYTES));
            case INT64 -> data.getLong(eightBytes(index));
            default -> throw new IllegalArgumentException(type + " has no best classes");
        };
    }

    private static double real(DataType type, ByteBuffer data, int index) {
        return switch (type) {
            case FP16 -> half(data.getShort(index * Short.BYTES));
            case BF16 -> Float.intBitsToFloat(data.getShort(index * Short.BYTES) << Short.SIZE);
            case FP32 -> data.getFloat(index * Float.BYTES);
            default -> data.getDouble(eightBytes(index));
        };
    }

    private static int eightBytes(int index) {
        return index * Long.BYTES;
    }

    private static double half(short bits) {
        int exponent = (bits >>> HALF_FRACTION_BITS) & HALF_EXPONENT_MAX;
        int fraction = bits & ((1 << HALF_FRACTION_BITS) - 1);
        double size;
        if (exponent == HALF_EXPONENT_MAX) {
            size = fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
        } else if (exponent == 0) {
            size = Math.scalb((double) fraction, 1 - HALF_EXPONENT_BIAS - HALF_FRACTION_BITS);
        } else {
            size = Math.scalb(
                    (double) (fraction | (1 << HALF_FRACTION_BITS)),
                    exponent - HALF_EXPONENT_BIAS - HALF_FRACTION_BITS);
        }
        return bits < 0 ? -size : size;
    }
}
