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
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * One native execution on its way through the guard.
 *
 * <p>The guard begins it, which only says so; the engine is called afterwards, since a guard that waited for the native
 * call could tell nobody of its limit. Usually the guard has begun it by the time it returns. Its bulkhead may also let
 * another of the device's threads begin it, a moment later: then one of the device's threads is asked anew.
 *
 * <p>The permit goes back when the native call has returned and the guard has been told, or when the guard has rejected
 * it. Its callers may have been answered long before.
 */
final class Launch {
    final Resident resident;
    final List<Ticket> batch;
    final EngineBatch input;
    final Execution execution;
    final long elements;
    private final Permits.Permit permit;
    private final Set<Ticket> held = ConcurrentHashMap.newKeySet();
    private final AtomicReference<Passage> passage = new AtomicReference<>(Passage.ASKED);
    private final CompletableFuture<List<List<Tensor>>> seenByGuard = new CompletableFuture<>();
    private volatile boolean returned;
    private volatile @Nullable Throwable nativeFailure;
    volatile Timer.@Nullable Alarm hangAlarm;
    volatile ModelQueue.@Nullable Executing executing;

    /** How far the guard has let it. */
    private enum Passage {
        ASKED,
        BEGUN,
        /** Not begun when the guard returned: rejected, or begun later. */
        LEFT
    }

    /** @param batch the tickets; empty for a golden check */
    Launch(Resident resident, List<Ticket> batch, EngineBatch input, Execution execution, Permits.Permit permit) {
        this.resident = resident;
        this.batch = batch;
        this.input = input;
        this.execution = execution;
        this.permit = permit;
        this.held.addAll(batch);
        this.elements = input.requests().stream()
                .flatMap(List::stream)
                .mapToLong(tensor -> tensor.shape().elements().orElse(0))
                .sum();
    }

    /** What a batch of tickets asks of the engine. */
    static EngineBatch inputOf(List<Ticket> batch, EngineBatch.Progress progress) {
        Set<String> wanted = new LinkedHashSet<>();
        batch.forEach(ticket -> wanted.addAll(ticket.request().outputs()));
        CompletableFuture<?>[] settled = batch.stream()
                .map(ticket ->
                        ticket.settled().handle((result, failure) -> true).toCompletableFuture())
                .toArray(CompletableFuture<?>[]::new);
        return new EngineBatch(
                batch.stream().map(ticket -> ticket.request().inputs()).toList(),
                List.copyOf(wanted),
                CompletableFuture.allOf(settled),
                progress);
    }

    /**
     * The guard begins the execution, on whichever thread.
     *
     * @param late asks for a thread to call the engine on; run if the one that asked the guard has gone
     * @return completes when the native call has returned
     */
    CompletableFuture<List<List<Tensor>>> begin(Runnable late) {
        if (!passage.compareAndSet(Passage.ASKED, Passage.BEGUN)) {
            passage.set(Passage.BEGUN);
            late.run();
        }
        return seenByGuard;
    }

    /** Whether the thread that asked the guard is to call the engine: it has begun. Else it may go. */
    boolean hasBegunInTime() {
        return !passage.compareAndSet(Passage.ASKED, Passage.LEFT);
    }

    /**
     * Runs the engine, once begun; on the device's thread.
     *
     * @param gaveOutputs runs if it gave outputs, before anybody gets them
     * @param over        runs once, when the guard has been told
     */
    void callEngine(Runnable gaveOutputs, Runnable over) {
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
            returned = true;
            if (failure == null) {
                gaveOutputs.run();
                seenByGuard.complete(outputs);
            } else {
                seenByGuard.completeExceptionally(failure);
            }
            over.run();
        });
    }

    /** Whether the engine was called at all. */
    boolean begun() {
        return passage.get() == Passage.BEGUN;
    }

    /** Whether the native call has returned. */
    boolean isOver() {
        return returned;
    }

    /** The engine's own failure, if it has returned with one. */
    @Nullable
    Throwable nativeFailure() {
        return nativeFailure;
    }

    /**
     * Takes a ticket out of the launch's hands, to answer it or to queue it again; one winner. What the device returns
     * for it later is not believed.
     */
    boolean take(Ticket ticket) {
        return held.remove(ticket);
    }

    /** Takes every ticket that is left, in order. */
    List<Ticket> takeAll() {
        return batch.stream().filter(this::take).toList();
    }

    /** Whether the ticket has not been taken. */
    boolean holds(Ticket ticket) {
        return held.contains(ticket);
    }

    void givePermitBack() {
        permit.close();
    }
}
