package io.atelier.scheduling;

import io.atelier.core.InferenceRequest;
import io.atelier.core.QueueTimeout;
import java.time.Duration;
import java.util.Optional;

/**
 * When a device stops waiting and runs what it has. Immutable.
 *
 * @param maxBatchSize  most rows in one batch; at least 1
 * @param maxQueueDelay longest wait of the oldest ticket for company; zero never waits
 * @param maxQueueSize  most tickets waiting in the queue; the next one is {@code Overloaded}
 * @param priority      level of a request that asks for none; 1 is served first
 * @param priorityStep  wait that lifts a request by one level, so that none starves
 * @param queueTimeout  how long a ticket may wait for a device; empty where its deadline alone says
 * @see <a href="https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/user_guide/batcher.html">Triton:
 *     dynamic batcher</a>, whose words these are
 */
public record BatchPolicy(
        int maxBatchSize,
        Duration maxQueueDelay,
        int maxQueueSize,
        int priority,
        Duration priorityStep,
        Optional<QueueTimeout> queueTimeout) {
    public static final int DEFAULT_PRIORITY = 5;
    public static final Duration DEFAULT_PRIORITY_STEP = Duration.ofMillis(500);

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
        if (priority < 1 || priority > InferenceRequest.LOWEST_PRIORITY) {
            throw new IllegalArgumentException(
                    "priority is " + priority + ", must be 1 to " + InferenceRequest.LOWEST_PRIORITY);
        }
        if (priorityStep.isNegative() || priorityStep.isZero()) {
            throw new IllegalArgumentException("priorityStep is " + priorityStep + ", must be positive");
        }
    }

    /** A policy that lets tickets wait up to their deadlines. */
    public BatchPolicy(
            int maxBatchSize, Duration maxQueueDelay, int maxQueueSize, int priority, Duration priorityStep) {
        this(maxBatchSize, maxQueueDelay, maxQueueSize, priority, priorityStep, Optional.empty());
    }

    /** A policy without priorities of its own. */
    public BatchPolicy(int maxBatchSize, Duration maxQueueDelay, int maxQueueSize) {
        this(maxBatchSize, maxQueueDelay, maxQueueSize, DEFAULT_PRIORITY, DEFAULT_PRIORITY_STEP);
    }
}
