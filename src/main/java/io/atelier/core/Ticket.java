package io.atelier.core;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;

/**
 * A request that was accepted, its deadline, and the promise of one answer.
 *
 * <p>States: QUEUED → RUNNING → SETTLED. A queued ticket may settle without running (late, cancelled, drained). A
 * running one goes back to QUEUED only when its execution gave no answer and another may ({@link #requeue}).
 *
 * <p>Thread-safe; every change of state is one compare-and-set, so exactly one of the threads that try to settle a
 * ticket wins. Whoever settles runs what hangs on {@link #settled()}, so a device's thread never does.
 */
public final class Ticket {
    /** Where a ticket is. */
    public enum State {
        QUEUED,
        RUNNING,
        SETTLED
    }

    private static final AtomicReferenceFieldUpdater<Ticket, State> STATE =
            AtomicReferenceFieldUpdater.newUpdater(Ticket.class, State.class, "state");

    private final InferenceRequest request;
    private final BatchShape shape;
    private final Deadline deadline;
    private final long arrivedNanos;
    private final Trace trace;
    private final CompletableFuture<InferenceResult> promise = new CompletableFuture<>();
    private volatile State state = State.QUEUED;
    private volatile int attempts;
    private volatile long startedNanos;
    private volatile long predictedWaitNanos;
    private final AtomicBoolean retried = new AtomicBoolean();

    /**
     * @param arrivedNanos the ticker's reading when the request arrived
     * @param trace        the ticket's own
     */
    public Ticket(InferenceRequest request, BatchShape shape, Deadline deadline, long arrivedNanos, Trace trace) {
        this.request = request;
        this.shape = shape;
        this.deadline = deadline;
        this.arrivedNanos = arrivedNanos;
        this.trace = trace;
        this.startedNanos = arrivedNanos;
    }

    public InferenceRequest request() {
        return request;
    }

    public Trace trace() {
        return trace;
    }

    public BatchShape shape() {
        return shape;
    }

    public Deadline deadline() {
        return deadline;
    }

    public long arrivedNanos() {
        return arrivedNanos;
    }

    public State state() {
        return state;
    }

    /** How often an execution has begun for this ticket. */
    public int attempts() {
        return attempts;
    }

    /** When the last execution began; meaningless while {@link #attempts()} is 0. */
    public long startedNanos() {
        return startedNanos;
    }

    /** The wait that was predicted when the ticket was queued, in nanoseconds. */
    public long predictedWaitNanos() {
        return predictedWaitNanos;
    }

    /** Notes the wait that was predicted; the queue's, before the ticket is seen by a device. */
    public void predictWait(long nanos) {
        predictedWaitNanos = nanos;
    }

    /** Uses up the one retry that a ticket has after a fault that is not its own; false if it is used up. */
    public boolean tryRetry() {
        return !retried.getAndSet(true);
    }

    /**
     * QUEUED → RUNNING, for the one device that is about to execute it.
     *
     * @return false if the ticket was settled before, or its deadline has passed; then nothing changed
     */
    public boolean claim(long nowNanos) {
        if (deadline.atNanos() - nowNanos <= 0 || !STATE.compareAndSet(this, State.QUEUED, State.RUNNING)) {
            return false;
        }
        startedNanos = nowNanos;
        int earlier = attempts; // only the winner of the claim writes
        attempts = earlier + 1;
        return true;
    }

    /** RUNNING → QUEUED; false if the ticket was settled meanwhile. The caller puts it back into its queue. */
    public boolean requeue() {
        return STATE.compareAndSet(this, State.RUNNING, State.QUEUED);
    }

    /** Settles with an answer; false if the ticket was settled before. */
    public boolean succeed(InferenceResult result) {
        return settle() && promise.complete(result);
    }

    /** Settles without an answer; false if the ticket was settled before. */
    public boolean fail(ServingException failure) {
        return settle() && promise.completeExceptionally(failure);
    }

    /** QUEUED → SETTLED without an answer, for a ticket that no execution has begun for; false if it is not one. */
    public boolean failUnstarted(ServingException failure) {
        return attempts == 0
                && STATE.compareAndSet(this, State.QUEUED, State.SETTLED)
                && promise.completeExceptionally(failure);
    }

    /** The outcome: a result, or a {@link ServingException}. Completes once, on the thread that settled. */
    public CompletionStage<InferenceResult> settled() {
        return promise.minimalCompletionStage();
    }

    public boolean isSettled() {
        return state == State.SETTLED;
    }

    private boolean settle() {
        return STATE.getAndSet(this, State.SETTLED) != State.SETTLED;
    }

    @Override
    public String toString() {
        return "ticket of " + request.model() + ", " + state + ", deadline " + deadline;
    }
}
