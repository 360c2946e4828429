package io.atelier.models;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What differs between an answer and the one that is right. Stateless.
 *
 * <p>Names, datatypes, shapes, integers and texts have to be equal. A float may differ by a share of the largest finite
 * number of its row: sums of a batch may be taken in another order than those of one row, which moves a number by some
 * units in the last place of what was summed, not of itself. 1e-4 for FP32 and FP64, 4e-3 for FP16, 3e-2 for BF16, whose
 * last places are 1e-3 and 8e-3.
 */
final class Comparison {
    private Comparison() {}

    /** The first difference, in words. */
    static Optional<String> difference(List<Value> right, List<Value> answered) {
        if (!names(right).equals(names(answered))) {
            return Optional.of("has " + names(answered) + ", right is " + names(right));
        }
        return right.stream()
                .map(value -> difference(value, named(answered, value.name())))
                .flatMap(Optional::stream)
                .findFirst();
    }

    /** As {@link #difference(List, List)}, but no number is looked at: for models that throw dice. */
    static Optional<String> differenceOfShapes(List<Value> right, List<Value> answered) {
        String first = right.stream().map(Value::toString).sorted().toList().toString();
        String second = answered.stream().map(Value::toString).sorted().toList().toString();
        return first.equals(second) ? Optional.empty() : Optional.of(second + ", right is " + first);
    }

    static Value named(List<Value> values, String name) {
        return values.stream()
                .filter(value -> value.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static List<String> names(List<Value> values) {
        return values.stream().map(Value::name).sorted().toList();
    }

    private static Optional<String> difference(Value right, Value answered) {
        if (!right.datatype().equals(answered.datatype()) || !Arrays.equals(right.shape(), answered.shape())) {
            return Optional.of(answered + ", right is " + right);
        }
        if (Arrays.equals(right.data(), answered.data())) {
            return Optional.empty();
        }
        double allowed = switch (right.datatype()) {
            case "FP32", "FP64" -> 1e-4;
            case "FP16" -> 4e-3;
            case "BF16" -> 3e-2;
            default -> 0;
        };
        if (allowed == 0) {
            return Optional.of(right + " has other elements");
        }
        return differenceOfFloats(right, answered, allowed);
    }

    private static Optional<String> differenceOfFloats(Value right, Value answered, double allowed) {
        double[] expected = doubles(right);
        double[] actual = doubles(answered);
        int rows = right.shape().length > 1 && right.shape()[0] > 0 ? Math.toIntExact(right.shape()[0]) : 1;
        int width = expected.length / rows;
        for (int row = 0; row < rows; row++) {
            double scale = Arrays.stream(expected, row * width, (row + 1) * width)
                    .map(Math::abs)
                    .filter(Double::isFinite)
                    .max()
                    .orElse(0);
            for (int i = row * width; i < (row + 1) * width; i++) {
                boolean same = Double.compare(expected[i], actual[i]) == 0
                        || Math.abs(expected[i] - actual[i]) <= allowed * scale
                        || (Double.isNaN(expected[i]) && Double.isNaN(actual[i]));
                if (!same) {
                    return Optional.of(String.format(
                            Locale.ROOT, "%s: element %d is %s, right is %s", right, i, actual[i], expected[i]));
                }
            }
        }
        return Optional.empty();
    }

    /** The numbers of a tensor of floats. */
    private static double[] doubles(Value value) {
        double[] numbers = new double[value.elements()];
        ByteBuffer from = value.buffer();
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = switch (value.datatype()) {
                case "FP32" -> from.getFloat();
                case "FP64" -> from.getDouble();
                case "BF16" -> Float.intBitsToFloat(from.getShort() << Short.SIZE);
                case "FP16" -> half(from.getShort());
                default -> throw new IllegalArgumentException(value.datatype());
            };
        }
        return numbers;
    }

    private static double half(short bits) {
        int exponent = bits >> 10 & 0x1f;
        int fraction = bits & 0x3ff;
        double size;
        if (exponent == 0) {
            size = Math.scalb((double) fraction, -24);
        } else if (exponent == 0x1f) {
            size = fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
        } else {
            size = Math.scalb((double) (fraction | 0x400), exponent - 25);
        }
        return bits < 0 ? -size : size;
    }
}
