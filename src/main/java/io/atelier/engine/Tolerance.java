package io.atelier.engine;

import io.atelier.core.DataType;
import io.atelier.core.DeviceId;
import io.atelier.core.Tensor;
import java.nio.ByteBuffer;
import java.util.function.IntToDoubleFunction;

/**
 * By how much an answer in a batch may differ from the one alone and still be the same. Immutable.
 *
 * <p>Another number of rows lets an engine add up the terms of its sums in another order. With a rounding of {@code u} a
 * sum of {@code n} terms then differs by about {@code √n · u} of the size of its terms; a network passes that on from layer
 * to layer. For FP32 on a CPU ({@code u} = 2^-24), sums of 4,096 terms and some tens of layers, that is 1e-4, which is
 * what is allowed, as a part of the largest number of the row's output. A GPU multiplies FP32 with the 11 significant bits
 * of TF32: 4e-3. FP16 (2^-11): 4e-3; BF16 (2^-8): 3e-2; FP64: 1e-9. Whole numbers, truth values and texts are equal or
 * they are not.
 *
 * <p>What neighbours change by less than that is not seen; what they change by more is.
 */
public record Tolerance(double single) {
    private static final double DOUBLE = 1e-9;
    private static final double HALF = 4e-3;
    private static final double BRAIN = 3e-2;

    /** What a device of this kind may differ by. */
    public static Tolerance on(DeviceId device) {
        return new Tolerance(device.kind() == DeviceId.Kind.GPU ? 4e-3 : 1e-4);
    }

    /** Whether two answers to one question are the same. */
    public boolean same(Tensor a, Tensor b) {
        if (a.dataType() != b.dataType() || !a.shape().equals(b.shape())) {
            return false;
        }
        ByteBuffer x = a.data();
        ByteBuffer y = b.data();
        if (x.equals(y)) {
            return true;
        }
        return switch (a.dataType()) {
            case FP32 ->
                close(
                        x.remaining() / Float.BYTES,
                        i -> x.getFloat(i * Float.BYTES),
                        i -> y.getFloat(i * Float.BYTES),
                        single);
            case FP64 ->
                close(
                        x.remaining() / Double.BYTES,
                        i -> x.getDouble(i * Double.BYTES),
                        i -> y.getDouble(i * Double.BYTES),
                        DOUBLE);
            case FP16 -> halves(x, y, DataType.FP16, Math.max(HALF, single));
            case BF16 -> halves(x, y, DataType.BF16, Math.max(BRAIN, single));
            default -> false;
        };
    }

    private static boolean halves(ByteBuffer x, ByteBuffer y, DataType type, double allowed) {
        return close(
                x.remaining() / Short.BYTES,
                i -> ElementBits.ofHalf(type, x.getShort(i * Short.BYTES)),
                i -> ElementBits.ofHalf(type, y.getShort(i * Short.BYTES)),
                allowed);
    }

    private static boolean close(int count, IntToDoubleFunction x, IntToDoubleFunction y, double allowed) {
        double largest = 0;
        for (int i = 0; i < count; i++) {
            double size = Math.abs(x.applyAsDouble(i));
            largest = Double.isInfinite(size) || Double.isNaN(size) ? largest : Math.max(largest, size);
        }
        for (int i = 0; i < count; i++) {
            double a = x.applyAsDouble(i);
            double b = y.applyAsDouble(i);
            boolean same = Double.compare(a, b) == 0 || Math.abs(a - b) <= allowed * largest;
            if (!same) {
                return false;
            }
        }
        return true;
    }
}
