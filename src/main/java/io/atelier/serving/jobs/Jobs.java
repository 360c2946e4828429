package io.atelier.serving.jobs;

import io.atelier.core.ModelId;
import io.atelier.core.PendingInference;
import io.atelier.core.ServingException.Cancelled;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Requests that are answered later: each is stored, asked at once as any other request, and its answer stored in its
 * place. It waits in the model's queue, nowhere else.
 *
 * <p>Thread-safe; no method blocks.
 */
public final class Jobs {
    private final JobStore store;
    private final JobPolicy policy;
    private final Executor workers;
    private final InstantSource clock;

    /** What is being asked, by the id of its job. */
    private final Map<String, CompletableFuture<?>> calls = new ConcurrentHashMap<>();

    /** How a result, or what came instead, is written for the caller. Used by one thread, once. */
    public interface Writer<A> {
        JobAnswer result(A result);

        JobAnswer failure(Throwable failure);
    }

    /**
     * @param workers writes the answers
     * @param clock   tells callers the time
     */
    public Jobs(JobStore store, JobPolicy policy, Executor workers, InstantSource clock) {
        this.store = store;
        this.policy = policy;
        this.workers = workers;
        this.clock = clock;
    }

    public JobPolicy policy() {
        return policy;
    }

    /**
     * Accepts a request.
     *
     * @param sizeBytes what it holds until it is answered
     * @param ask       asks it; cancelled when the job is
     * @return the job as it was accepted; fails as {@code ask} does where that refuses at once, and with {@link
     *     io.atelier.core.ServingException.Overloaded} if the store has no room
     */
    public <A> CompletionStage<Job> submit(
            ModelId model, long sizeBytes, Supplier<CompletableFuture<A>> ask, Writer<A> writer) {
        Duration life = policy.timeout().plus(policy.life());
        Instant now = clock.instant();
        Job job = new Job(UUID.randomUUID().toString(), model, Job.State.QUEUED, now, now.plus(life), sizeBytes, null);
        return store.add(job, life).thenCompose(added -> begin(job, ask.get(), writer));
    }

    private <A> CompletionStage<Job> begin(Job job, CompletableFuture<A> call, Writer<A> writer) {
        if (call.isCompletedExceptionally()) {
            return store.remove(job.id()).thenCompose(removed -> call.thenApply(never -> job));
        }
        calls.put(job.id(), call);
        var unused = call.handleAsync(
                        (result, failure) ->
                                failure == null ? succeeded(job, result, writer) : failed(job, failure, writer),
                        workers)
                .thenCompose(finished -> keep(finished, writer))
                .whenComplete((kept, failure) -> calls.remove(job.id()));
        return CompletableFuture.completedStage(job);
    }

    /** The job as it stands now; empty if there is none of this id, or none any more. */
    public CompletionStage<Optional<Job>> find(String id) {
        return store.find(id).thenApply(found -> found.map(this::asItStands));
    }

    /**
     * Forgets a job. One that has not begun is never executed.
     *
     * @return the job as it stood, or CANCELLED if it was not finished; empty if there was none
     */
    public CompletionStage<Optional<Job>> cancel(String id) {
        return store.remove(id).thenApply(removed -> {
            CompletableFuture<?> call = calls.get(id);
            if (call != null) {
                call.cancel(false);
            }
            return removed.map(job -> job.isFinished() ? job : job.cancelled());
        });
    }

    private Job asItStands(Job job) {
        return !job.isFinished() && calls.get(job.id()) instanceof PendingInference pending && pending.hasBegun()
                ? job.running()
                : job;
    }

    private <A> Job succeeded(Job job, A result, Writer<A> writer) {
        try {
            return finished(job, Job.State.SUCCEEDED, writer.result(result));
        } catch (RuntimeException unwritable) {
            return failed(job, unwritable, writer);
        }
    }

    private <A> Job failed(Job job, Throwable failure, Writer<A> writer) {
        Throwable cause = cause(failure);
        Job.State state = cause instanceof Cancelled ? Job.State.CANCELLED : Job.State.FAILED;
        return finished(job, state, writer.failure(cause));
    }

    private Job finished(Job job, Job.State state, JobAnswer answer) {
        return job.finished(state, answer, clock.instant().plus(policy.life()));
    }

    /** An answer for which there is no room is a failure, which needs next to none. */
    private <A> CompletionStage<Boolean> keep(Job finished, Writer<A> writer) {
        return store.replace(finished, policy.life())
                .exceptionallyCompose(full -> store.replace(failed(finished, full, writer), policy.life()));
    }

    private static Throwable cause(Throwable failure) {
        @Nullable Throwable inner = failure instanceof CompletionException ? failure.getCause() : null;
        Throwable cause = inner == null ? failure : inner;
        return cause instanceof CancellationException ? new Cancelled() : cause;
    }
}
