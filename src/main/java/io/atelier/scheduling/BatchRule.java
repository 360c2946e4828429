package io.atelier.scheduling;

import io.atelier.core.BatchShape;
import io.atelier.core.ModelSignature;
import io.atelier.core.Padding;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Which requests of a model may share a batch, and how many rows each one adds. Immutable.
 *
 * <p>Requests share a batch when their shapes are equal on every axis but the first. A dynamic axis of an input that
 * may be padded counts by its bucket instead: sizes from one bucket are filled up to the largest of the batch. Buckets grow by
 * turns by a half and by a third, 8, 12, 16, 24, 32, 48, …, so above the first one at most a third of a batch is padding.
 *
 * <p>A model that takes one request at a time has a rule too: each request has a key of its own.
 */
public final class BatchRule {
    private static final long SMALLEST_BUCKET = 8;

    private final boolean batches;
    private final boolean[] padded;

    private BatchRule(boolean batches, boolean[] padded) {
        this.batches = batches;
        this.padded = padded;
    }

    /** The rule for a model that takes requests together. */
    public static BatchRule together(ModelSignature signature, Padding padding) {
        boolean[] padded = new boolean[signature.inputs().size()];
        for (int i = 0; i < padded.length; i++) {
            padded[i] = padding.values().containsKey(signature.inputs().get(i).name());
        }
        return new BatchRule(true, padded);
    }

    /** The rule for a model that takes one request at a time. */
    public static BatchRule alone() {
        return new BatchRule(false, new boolean[0]);
    }

    /** How a request with these inputs fits into batches; the inputs fit the signature. */
    public BatchShape shapeOf(List<Tensor> inputs) {
        long elements = 0;
        for (Tensor input : inputs) {
            elements += input.shape().elements().orElse(0);
        }
        int rows = batches ? Math.toIntExact(inputs.get(0).shape().dimension(0)) : 1;
        return new BatchShape(rows, Math.max(1, elements), batches ? key(inputs) : new Object());
    }

    private List<Long> key(List<Tensor> inputs) {
        List<Long> key = new ArrayList<>();
        for (int i = 0; i < inputs.size(); i++) {
            Shape shape = inputs.get(i).shape();
            for (int axis = 1; axis < shape.rank(); axis++) {
                key.add(padded[i] ? bucket(shape.dimension(axis)) : shape.dimension(axis));
            }
        }
        return key;
    }

    /** The largest size that shares a batch with {@code size}. */
    static long bucket(long size) {
        long power = SMALLEST_BUCKET;
        while (power < size) {
            if (power / 2 * 3 >= size) {
                return power / 2 * 3;
            }
            power *= 2;
        }
        return power;
    }
}
