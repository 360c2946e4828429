package io.atelier.serving.jobs;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * Where jobs are kept, for a time. Bounded. Thread-safe; no method blocks. The one in memory dies with its process;
 * another may outlive it, which is why every answer comes as a stage and a job is plain values.
 */
public interface JobStore {
    /**
     * Takes in a job and forgets it after {@code life}.
     *
     * @return fails with {@link io.atelier.core.ServingException.Overloaded} if there is no room
     */
    CompletionStage<Void> add(Job job, Duration life);

    /**
     * Puts a job in the place of the one with its id, and forgets it after {@code life}.
     *
     * @return false if that one is gone; fails with {@link io.atelier.core.ServingException.Overloaded} if there is no
     *     room, and then that one stays
     */
    CompletionStage<Boolean> replace(Job job, Duration life);

    CompletionStage<Optional<Job>> find(String id);

    /** Forgets a job; empty if it was gone. */
    CompletionStage<Optional<Job>> remove(String id);
}
