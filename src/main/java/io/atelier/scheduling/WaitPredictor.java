package io.atelier.scheduling;

/**
 * How long a ticket that comes now will wait, and how wrong such a prediction may be.
 *
 * <p>The model is list scheduling: the batches ahead go, one after the other, to the slot that is free first. Each takes
 * what {@link ExecutionTimes} expects. What the model does not see (other models on the device, other work on the
 * machine) is learnt from what tickets really met: {@code bias} is the mean ratio of wait met to wait predicted, {@code
 * spread} the ratio that only one in twenty exceeds, followed by stochastic approximation. Admission asks for the
 * pessimistic wait, callers are told the expected one.
 *
 * <p>Not thread-safe: guarded by the queue's lock.
 *
 * @see <a href="https://github.com/bentoml/BentoML/blob/main/src/bentoml/_internal/marshal/dispatcher.py">BentoML's
 *     dispatcher</a>, which predicts from a regression over batch sizes, and
 *     <a href="https://github.com/Netflix/concurrency-limits">Netflix concurrency-limits</a>, which steers a limit by
 *     latency alone
 */
final class WaitPredictor {
    private static final double BIAS_WEIGHT = 0.02;
    private static final double QUANTILE = 0.95;
    private static final double QUANTILE_STEP = 0.05;
    private static final double LARGEST_RATIO = 4;
    /** Waits below this say nothing of the model's quality. */
    private static final long SMALLEST_NANOS = 2_000_000;

    private double bias = 1;
    private double spread = 1;

    /**
     * The wait by the model alone.
     *
     * @param residualNanos what is left of each slot's execution, 0 for a free one, in ascending order; not empty
     * @param batchesAhead  batches that start before the ticket's own
     * @param batchNanos    expected time of one batch
     */
    static long modelNanos(long[] residualNanos, long batchesAhead, long batchNanos) {
        int slots = residualNanos.length;
        return residualNanos[(int) (batchesAhead % slots)] + batchesAhead / slots * batchNanos;
    }

    /** The wait to expect, from the model's. */
    long expectedNanos(long modelNanos) {
        return (long) (modelNanos * bias);
    }

    /** The wait that one ticket in twenty exceeds, from the model's. */
    long pessimisticNanos(long modelNanos) {
        return (long) (modelNanos * bias * spread);
    }

    /** A ticket for which the model said one wait has met another. */
    void met(long modelNanos, long metNanos) {
        if (modelNanos < SMALLEST_NANOS) {
            return;
        }
        double ratio = Math.min((double) metNanos / modelNanos, LARGEST_RATIO);
        bias += (ratio - bias) * BIAS_WEIGHT;
        bias = Math.max(bias, 1 / LARGEST_RATIO);
        follow(ratio > bias * spread);
    }

    /**
     * A ticket was not answered in time for its wait. Its deadline cut the wait short, so how long it was says nothing;
     * but it is one of those that the pessimistic wait must keep out.
     */
    void missed(long modelNanos) {
        if (modelNanos >= SMALLEST_NANOS) {
            follow(true);
        }
    }

    private void follow(boolean exceeded) {
        spread += QUANTILE_STEP * (exceeded ? QUANTILE : QUANTILE - 1);
        spread = Math.min(Math.max(spread, 1), LARGEST_RATIO);
    }
}
