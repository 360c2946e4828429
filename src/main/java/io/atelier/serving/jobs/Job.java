package io.atelier.serving.jobs;

import io.atelier.core.ModelId;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A request that was accepted to be answered later, and what has become of it. Immutable.
 *
 * @param id        cannot be guessed, so who knows it may see it
 * @param expires   when it is forgotten, at the latest
 * @param sizeBytes what it holds: the request's tensors, then the answer's body
 * @param answer    null until it is finished
 */
public record Job(
        String id,
        ModelId model,
        State state,
        Instant created,
        Instant expires,
        long sizeBytes,
        @Nullable JobAnswer answer) {

    /** QUEUED → RUNNING → SUCCEEDED, FAILED or CANCELLED. A store keeps no RUNNING: it is seen when somebody asks. */
    public enum State {
        QUEUED,
        RUNNING,
        SUCCEEDED,
        FAILED,
        CANCELLED
    }

    public boolean isFinished() {
        return answer != null;
    }

    Job running() {
        return new Job(id, model, State.RUNNING, created, expires, sizeBytes, answer);
    }

    Job cancelled() {
        return new Job(id, model, State.CANCELLED, created, expires, sizeBytes, answer);
    }

    Job finished(State how, JobAnswer with, Instant until) {
        return new Job(id, model, how, created, until, with.body().length, with);
    }
}
