package io.atelier.serving.jobs;

import io.atelier.core.InferenceRequest;
import java.time.Duration;

/**
 * How requests are treated that nobody waits for. Immutable.
 *
 * @param timeout  how long one may take when its caller does not ask for less
 * @param life     how long its answer is kept
 * @param maxJobs  most jobs at once, finished ones included
 * @param maxBytes most bytes of tensors and answers that they hold together
 * @param priority level of those that ask for none
 */
public record JobPolicy(Duration timeout, Duration life, int maxJobs, long maxBytes, int priority) {
    public JobPolicy {
        if (timeout.isNegative() || timeout.isZero() || life.isNegative() || life.isZero()) {
            throw new IllegalArgumentException("timeout " + timeout + " and life " + life + " must be positive");
        }
        if (maxJobs < 1 || maxBytes < 1) {
            throw new IllegalArgumentException("a store of " + maxJobs + " jobs and " + maxBytes + " bytes");
        }
        if (priority < 1 || priority > InferenceRequest.LOWEST_PRIORITY) {
            throw new IllegalArgumentException(
                    "priority is " + priority + ", must be 1 to " + InferenceRequest.LOWEST_PRIORITY);
        }
    }
}
