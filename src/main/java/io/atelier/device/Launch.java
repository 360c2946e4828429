package io.atelier.device;

import io.atelier.core.ServingListener.Execution;
import io.atelier.core.Tensor;
import io.atelier.core.Ticket;
import io.atelier.core.Timer;
import io.atelier.engine.EngineBatch;
import io.atelier.scheduling.ModelQueue;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * One native execution on its way through the guard.
 *
 * <p>It is over when both the native call and the guard have returned, in whichever order; only then the permit goes
 * back, so that the guard's bulkhead has a place free whenever there is a permit. Its callers may have been answered
 * long before.
 */
final class Launch {
    final Resident resident;
    final List<Ticket> batch;
    final EngineBatch input;
    final Execution execution;
    final long elements;
    private final Permits.Permit permit;
    private final AtomicInteger toReturn = new AtomicInteger(2);
    private volatile boolean begun;
    private volatile boolean disowned;
    private volatile @Nullable Throwable nativeFailure;
    volatile Timer.@Nullable Alarm hangAlarm;
    volatile ModelQueue.@Nullable Executing executing;

    /** @param batch the tickets; empty for a golden check */
    Launch(Resident resident, List<Ticket> batch, EngineBatch input, Execution execution, Permits.Permit permit) {
        this.resident = resident;
        this.batch = batch;
        this.input = input;
        this.execution = execution;
        this.permit = permit;
        this.elements = input.requests().stream()
                .flatMap(List::stream)
                .mapToLong(tensor -> tensor.shape().elements().orElse(0))
                .sum();
    }

    /** What a batch of tickets asks of the engine. */
    static EngineBatch inputOf(List<Ticket> batch) {
        Set<String> wanted = new LinkedHashSet<>();
        batch.forEach(ticket -> wanted.addAll(ticket.request().outputs()));
        CompletableFuture<?>[] settled = batch.stream()
                .map(ticket ->
                        ticket.settled().handle((result, failure) -> true).toCompletableFuture())
                .toArray(CompletableFuture<?>[]::new);
        return new EngineBatch(
                batch.stream().map(ticket -> ticket.request().inputs()).toList(),
                List.copyOf(wanted),
                CompletableFuture.allOf(settled));
    }

    /** Runs the engine; called by the guard, on the device's thread. Then {@code over} runs, once. */
    CompletableFuture<List<List<Tensor>>> begin(Runnable over) {
        begun = true;
        CompletableFuture<List<List<Tensor>>> seenByGuard = new CompletableFuture<>();
        CompletableFuture<List<List<Tensor>>> nativeCall;
        try {
            nativeCall = resident.instance.run(input).toCompletableFuture();
        } catch (RuntimeException | Error failure) {
            nativeCall = CompletableFuture.failedFuture(failure);
        }
        var unused = nativeCall.whenComplete((outputs, wrapped) -> {
            Throwable failure =
                    wrapped instanceof CompletionException && wrapped.getCause() != null ? wrapped.getCause() : wrapped;
            nativeFailure = failure;
            if (failure == null) {
                seenByGuard.complete(outputs);
            } else {
                seenByGuard.completeExceptionally(failure);
            }
            oneReturned(over);
        });
        return seenByGuard;
    }

    /** The guard has returned, having begun or not. */
    void guardReturned(Runnable over) {
        if (!begun) {
            oneReturned(over);
        }
        oneReturned(over);
    }

    private void oneReturned(Runnable over) {
        if (toReturn.decrementAndGet() == 0) {
            over.run();
        }
    }

    /** Whether the engine was called at all. */
    boolean begun() {
        return begun;
    }

    boolean isOver() {
        return toReturn.get() == 0;
    }

    /** The engine's own failure, if it has returned with one. */
    @Nullable
    Throwable nativeFailure() {
        return nativeFailure;
    }

    /** What the device returns from now on is not believed. */
    void disown() {
        disowned = true;
    }

    boolean isDisowned() {
        return disowned;
    }

    void givePermitBack() {
        permit.close();
    }
}
