package io.atelier.simulation;

import io.atelier.core.Tensor;
import io.atelier.device.ExecutionGuard;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The guard's contract under the virtual clock: CircuitBreaker(Timeout(Bulkhead(execution))), with no waiting line at
 * all. A call that finds the bulkhead full breaks an invariant.
 */
final class SimGuard implements ExecutionGuard {
    /**
     * @param failures device failures in a row that open the breaker; 0 for no breaker
     */
    record Policy(int limit, long timeoutNanos, int failures, long openNanos) {}

    private final SimWorld world;
    private final Invariants invariants;
    private final Policy policy;
    private int inside;
    private int failuresInARow;
    private boolean open;
    private boolean trial;
    private long openUntilNanos;

    SimGuard(SimWorld world, Invariants invariants, Policy policy) {
        this.world = world;
        this.invariants = invariants;
        this.policy = policy;
    }

    @Override
    public CompletionStage<List<List<Tensor>>> run(Supplier<CompletionStage<List<List<Tensor>>>> execution) {
        if (closedForNanos() > 0) {
            return CompletableFuture.failedStage(new Rejected("open", new IllegalStateException()));
        }
        if (inside == policy.limit()) {
            invariants.broken(Invariants.Name.GUARD_NEVER_FULL, inside + " inside");
        }
        boolean isTrial = open;
        trial |= isTrial;
        inside++;
        CompletableFuture<List<List<Tensor>>> answer = new CompletableFuture<>();
        var unused = answer.whenComplete((outputs, failure) -> count(isTrial, failure));
        var alarm = world.alarm(
                policy.timeoutNanos(),
                () -> answer.completeExceptionally(new LimitExceeded(new IllegalStateException())));
        CompletionStage<List<List<Tensor>>> stage = execution.get();
        stage.whenComplete((outputs, failure) -> {
            inside--;
            alarm.cancel();
            if (failure == null) {
                answer.complete(outputs);
            } else {
                answer.completeExceptionally(failure);
            }
        });
        return answer;
    }

    @Override
    public long closedForNanos() {
        if (!open) {
            return 0;
        }
        return trial ? 1_000_000 : Math.max(0, openUntilNanos - world.now());
    }

    private void count(boolean isTrial, @Nullable Throwable failure) {
        Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
        boolean ofTheDevice = cause instanceof LimitExceeded
                || (cause != null && String.valueOf(cause.getMessage()).contains("CUDA"));
        if (open && !isTrial) {
            return; // begun before the breaker opened
        }
        failuresInARow = ofTheDevice ? failuresInARow + 1 : 0;
        trial = false;
        open = isTrial ? ofTheDevice : policy.failures() > 0 && failuresInARow >= policy.failures();
        if (open) {
            openUntilNanos = world.now() + policy.openNanos();
        }
    }
}
