package io.atelier.device;

import io.atelier.core.Tensor;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * The policies around one execution on one device: bulkhead, execution timeout, circuit breaker.
 *
 * <p>The stage that comes back may fail before the execution has returned (its limit has passed), or without having
 * begun it ({@link Rejected}).
 */
public interface ExecutionGuard {
    CompletionStage<List<List<Tensor>>> run(Supplier<CompletionStage<List<List<Tensor>>>> execution);

    /** When the guard, having rejected, is worth asking again, in nanoseconds from now; 0 if it lets calls through. */
    long closedForNanos();

    /** The guard did not begin the execution. */
    final class Rejected extends RuntimeException {
        private static final long serialVersionUID = 1;

        public Rejected(String reason, Throwable cause) {
            super(reason, cause, false, false);
        }
    }

    /** The execution goes on, longer than it may. */
    final class LimitExceeded extends RuntimeException {
        private static final long serialVersionUID = 1;

        public LimitExceeded(Throwable cause) {
            super("the execution exceeded its limit", cause, false, false);
        }
    }
}
