package io.atelier.engine;

import io.atelier.core.DataType;
import io.atelier.core.Tensor;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

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
        return difference(outputs).isEmpty();
    }

    /** Where an answer first differs by more than the tolerance, for people; empty if it is the answer. */
    public Optional<String> difference(List<Tensor> outputs) {
        for (Tensor wanted : expected) {
            Optional<Tensor> got = outputs.stream()
                    .filter(output -> output.name().equals(wanted.name()))
                    .findFirst();
            Optional<String> difference = got.isEmpty()
                    ? Optional.of("it has no output '" + wanted.name() + "'")
                    : difference(wanted, got.get());
            if (difference.isPresent()) {
                return difference;
            }
        }
        return Optional.empty();
    }

    private Optional<String> difference(Tensor wanted, Tensor got) {
        if (wanted.dataType() != got.dataType() || !wanted.shape().equals(got.shape())) {
            return Optional.of("output '%s' is %s%s, not %s%s"
                    .formatted(wanted.name(), got.dataType(), got.shape(), wanted.dataType(), wanted.shape()));
        }
        ByteBuffer a = wanted.data();
        ByteBuffer b = got.data();
        if (wanted.dataType() != DataType.FP32 && wanted.dataType() != DataType.FP64) {
            return a.equals(b) ? Optional.empty() : Optional.of("output '" + wanted.name() + "' differs");
        }
        for (int element = 0; a.hasRemaining(); element++) {
            double expectedNumber = wanted.dataType() == DataType.FP32 ? a.getFloat() : a.getDouble();
            double number = wanted.dataType() == DataType.FP32 ? b.getFloat() : b.getDouble();
            if (!close(expectedNumber, number)) {
                return Optional.of("output '%s' element %d is %s, not %s within golden.tolerance %s"
                        .formatted(wanted.name(), element, number, expectedNumber, tolerance));
            }
        }
        return Optional.empty();
    }

    private boolean close(double wanted, double got) {
        if (Double.isNaN(wanted) || Double.isInfinite(wanted)) {
            return Double.compare(wanted, got) == 0;
        }
        return Math.abs(wanted - got) <= tolerance * (1 + Math.abs(wanted));
    }
}
