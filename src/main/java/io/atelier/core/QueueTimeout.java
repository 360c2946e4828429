package io.atelier.core;

import java.time.Duration;

/**
 * How long a request of a model may wait in its queue before a device takes it, and what happens then. The time that an
 * execution takes does not count: that is the deadline's. Immutable.
 *
 * @param after       the longest wait; above zero
 * @param action      what happens to a request that has waited so long
 * @param overridable whether a request may ask for a shorter wait of its own
 * @see <a href="https://github.com/triton-inference-server/server/blob/main/docs/user_guide/batcher.md">Triton: queue
 *     policy</a>, whose words these are
 */
public record QueueTimeout(Duration after, Action action, boolean overridable) {
    /** What happens to a request that has waited too long. */
    public enum Action {
        /** It is refused. */
        REJECT,
        /** It stands behind every request that has not waited too long. */
        DELAY
    }

    public QueueTimeout {
        if (after.isNegative() || after.isZero()) {
            throw new IllegalArgumentException("after is " + after + ", must be positive");
        }
    }

    /** How long this request may wait: its own time where it may have one and asks for less. */
    public Duration of(InferenceRequest request) {
        Duration own = request.queueTimeout();
        return overridable && !own.isZero() && own.compareTo(after) < 0 ? own : after;
    }
}
