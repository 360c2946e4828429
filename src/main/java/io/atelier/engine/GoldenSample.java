package io.atelier.engine;

import io.atelier.core.DataType;
import io.atelier.core.Tensor;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * A question whose answer is known: what tells a device that computes from one that only returns. Immutable.
 *
 * @param inputs    one request, in the order of the signature
 * @param expected  the answer; empty where the model does not answer alike twice, so that only the shape of an answer
 *                  can be asked for
 * @param tolerance a number may differ by this times (1 + its size)
 */
public record GoldenSample(List<Tensor> inputs, List<Tensor> expected, double tolerance) {
    public GoldenSample {
        inputs = List.copyOf(inputs);
        expected = List.copyOf(expected);
        if (!(tolerance >= 0)) {
            throw new IllegalArgumentException("tolerance is " + tolerance + ", must not be negative");
        }
    }

    /** Whether this is the answer. */
    public boolean isAnsweredBy(List<Tensor> outputs) {
        for (Tensor wanted : expected) {
            if (outputs.stream().noneMatch(output -> output.name().equals(wanted.name()) && alike(wanted, output))) {
                return false;
            }
        }
        return true;
    }

    private boolean alike(Tensor wanted, Tensor got) {
        if (wanted.dataType() != got.dataType() || !wanted.shape().equals(got.shape())) {
            return false;
        }
        ByteBuffer a = wanted.data();
        ByteBuffer b = got.data();
        if (wanted.dataType() == DataType.FP32) {
            while (a.hasRemaining()) {
                if (!close(a.getFloat(), b.getFloat())) {
                    return false;
                }
            }
            return true;
        }
        if (wanted.dataType() == DataType.FP64) {
            while (a.hasRemaining()) {
                if (!close(a.getDouble(), b.getDouble())) {
                    return false;
                }
            }
            return true;
        }
        return a.equals(b);
    }

    private boolean close(double wanted, double got) {
        if (Double.isNaN(wanted) || Double.isInfinite(wanted)) {
            return Double.compare(wanted, got) == 0;
        }
        return Math.abs(wanted - got) <= tolerance * (1 + Math.abs(wanted));
    }
}
