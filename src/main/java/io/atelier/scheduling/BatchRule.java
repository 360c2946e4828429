package io.atelier.scheduling;

import io.atelier.core.BatchShape;
import io.atelier.core.ModelSignature;
import io.atelier.core.Padding;
import io.atelier.core.Shape;
import io.atelier.core.Sharing;
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
 * <p>A request that must run by itself has a key of its own: each one of a model that takes one request at a time; one of
 * several rows where only single rows were shown to share; one whose inputs disagree in what padding would make equal.
 */
public final class BatchRule {
    private static final long SMALLEST_BUCKET = 8;

    private final ModelSignature signature;
    private final Sharing sharing;
    private final boolean[] padded;

    /**
     * @param sharing which requests may share executions
     * @param padding how, of inputs whose lengths differ; without effect where the sharing says that nothing is padded
     */
    public BatchRule(ModelSignature signature, Sharing sharing, Padding padding) {
        this.signature = signature;
        this.sharing = sharing;
        this.padded = new boolean[signature.inputs().size()];
        for (int i = 0; i < padded.length; i++) {
            padded[i] = sharing.padded()
                    && padding.values().containsKey(signature.inputs().get(i).name());
        }
    }

    /** The rule for a model that takes one request at a time. */
    public static BatchRule alone() {
        return new BatchRule(new ModelSignature(List.of(), List.of()), Sharing.none(""), Padding.NONE);
    }

    /** How a request with these inputs fits into batches; the inputs fit the signature. */
    public BatchShape shapeOf(List<Tensor> inputs) {
        long elements = 0;
        for (Tensor input : inputs) {
            elements += input.shape().elements().orElse(0);
        }
        long rows = rowsToShare(inputs);
        return new BatchShape(
                Math.toIntExact(Math.max(1, rows)), Math.max(1, elements), rows > 0 ? key(inputs) : new Object());
    }

    /** The rows that a request shares executions by; 0 for one that must run by itself, as it came. */
    private long rowsToShare(List<Tensor> inputs) {
        if (!sharing.isAllowed() || inputs.size() != padded.length) {
            return 0;
        }
        long rows = inputs.get(0).shape().dimension(0);
        boolean single = sharing.extent() == Sharing.Extent.SINGLE_ROWS;
        boolean fits = rows <= Integer.MAX_VALUE
                && (rows == 1 || !single)
                && inputs.stream().allMatch(input -> input.shape().dimension(0) == rows)
                && (!sharing.padded() || signature.contradiction(inputs).isEmpty());
        return fits ? rows : 0;
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
