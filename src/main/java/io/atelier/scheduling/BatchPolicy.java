package io.atelier.scheduling;

import java.time.Duration;

/**
 * When a device stops waiting and runs what it has. Immutable.
 *
 * @param maxBatchSize  most rows in one batch; at least 1
 * @param maxQueueDelay longest wait of the oldest ticket for company; zero never waits
 * @param maxQueueSize  most tickets waiting in the queue; the next one is {@code Overloaded}
 * @see <a href="https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/user_guide/batcher.html">Triton:
 *     dynamic batcher</a>, whose words these are
 */
public record BatchPolicy(int maxBatchSize, Duration maxQueueDelay, int maxQueueSize) {
    public BatchPolicy {
        if (maxBatchSize < 1) {
            throw new IllegalArgumentException("maxBatchSize is " + maxBatchSize + ", must be at least 1");
        }
        if (maxQueueDelay.isNegative()) {
            throw new IllegalArgumentException("maxQueueDelay is " + maxQueueDelay + ", must not be negative");
        }
        if (maxQueueSize < 1) {
            throw new IllegalArgumentException("maxQueueSize is " + maxQueueSize + ", must be at least 1");
        }
    }
}
