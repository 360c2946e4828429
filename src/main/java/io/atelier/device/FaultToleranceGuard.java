package io.atelier.device;

import io.atelier.core.DeviceId;
import io.atelier.core.Tensor;
import io.atelier.core.Ticker;
import io.smallrye.faulttolerance.api.CircuitBreakerState;
import io.smallrye.faulttolerance.api.Guard;
import jakarta.enterprise.util.TypeLiteral;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.eclipse.microprofile.faulttolerance.exceptions.BulkheadException;
import org.eclipse.microprofile.faulttolerance.exceptions.CircuitBreakerOpenException;
import org.eclipse.microprofile.faulttolerance.exceptions.TimeoutException;

/**
 * SmallRye Fault Tolerance around a device: CircuitBreaker(Timeout(Bulkhead(execution))).
 *
 * <p>The library's asynchronous bulkhead brings a waiting line of at least one. Nothing may ever wait there: a wake-up
 * can be lost, and expired work would still run. So the device calls only with a {@link Permits.Permit}, and there are
 * as many permits as the bulkhead admits.
 *
 * <p>The circuit breaker counts timeouts and errors of the device. Other failures are the requests' own until a golden
 * check says otherwise.
 *
 * <p>The guard begins the execution on the calling thread, which is the device's, and returns; the native call follows,
 * since a guard that waits for it could tell nobody of its limit. Its timeout answers the callers from the library's
 * timer; the bulkhead stays taken until the execution's own stage completes.
 */
public final class FaultToleranceGuard implements ExecutionGuard {
    private static final TypeLiteral<CompletionStage<List<List<Tensor>>>> OUTPUTS = new TypeLiteral<>() {};

    /** Pause after a rejected call; a trial of a half-open circuit breaker may take longer, and is asked for again. */
    private static final long LONGEST_PAUSE_NANOS = 10_000_000;

    private final Guard guard;
    private final GuardPolicy policy;
    private final Ticker ticker;
    private volatile long openUntilNanos;
    private volatile boolean open;
    private volatile long againNanos;
    private volatile boolean paused;

    public FaultToleranceGuard(DeviceId device, int slots, GuardPolicy policy, Ticker ticker) {
        this.policy = policy;
        this.ticker = ticker;
        this.guard = Guard.create()
                .withDescription("device " + device)
                .withThreadOffload(false)
                .withBulkhead()
                .limit(slots)
                .queueSize(1)
                .done()
                .withTimeout()
                .duration(policy.executionTimeout().toMillis(), ChronoUnit.MILLIS)
                .done()
                .withCircuitBreaker()
                .requestVolumeThreshold(policy.volumeThreshold())
                .failureRatio(policy.failureRatio())
                .delay(policy.openDelay().toMillis(), ChronoUnit.MILLIS)
                .successThreshold(1)
                .when(FaultToleranceGuard::isOfTheDevice)
                .onStateChange(this::stateChanged)
                .done()
                .build();
    }

    @Override
    public CompletionStage<List<List<Tensor>>> run(Supplier<CompletionStage<List<List<Tensor>>>> execution) {
        return guard.get(execution, OUTPUTS).exceptionally(failure -> {
            RuntimeException translated = translate(failure);
            if (translated instanceof Rejected) {
                // a half-open circuit breaker lets one call through and rejects the others: they must not spin
                againNanos = ticker.nanoTime() + Math.min(policy.openDelay().toNanos(), LONGEST_PAUSE_NANOS);
                paused = true;
            }
            throw translated;
        });
    }

    @Override
    public long closedForNanos() {
        long now = ticker.nanoTime();
        return Math.max(open ? Math.max(0, openUntilNanos - now) : 0, paused ? Math.max(0, againNanos - now) : 0);
    }

    /** Only these count against a device: a request that cannot be computed must not close it for the others. */
    private static boolean isOfTheDevice(Throwable failure) {
        return failure instanceof TimeoutException || DeviceFaults.isSticky(failure);
    }

    private void stateChanged(CircuitBreakerState state) {
        openUntilNanos = ticker.nanoTime() + policy.openDelay().toNanos();
        open = state == CircuitBreakerState.OPEN;
        paused = false;
    }

    private static RuntimeException translate(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof TimeoutException) {
            return new LimitExceeded(cause);
        }
        if (cause instanceof BulkheadException || cause instanceof CircuitBreakerOpenException) {
            return new Rejected(cause.getClass().getSimpleName(), cause);
        }
        return cause instanceof RuntimeException unchecked ? unchecked : new CompletionException(cause);
    }
}
