package io.atelier.device;

import io.atelier.core.ServingListener.Stages;
import io.atelier.core.Ticker;
import io.atelier.engine.EngineBatch;
import org.jspecify.annotations.Nullable;

/**
 * Takes the time of one execution's stages. Every moment between its start and its end belongs to one of them; an engine
 * that tells nothing has run all the time. Written by the thread that runs the engine, read when that has returned.
 */
final class StageClock implements EngineBatch.Progress {
    private final Ticker ticker;
    private volatile @Nullable Long inputsReadyNanos;
    private volatile @Nullable Long executedNanos;

    StageClock(Ticker ticker) {
        this.ticker = ticker;
    }

    @Override
    public void inputsReady() {
        inputsReadyNanos = ticker.nanoTime();
    }

    @Override
    public void executed() {
        executedNanos = ticker.nanoTime();
    }

    /** The stages of an execution that ends now. */
    Stages since(long startedNanos) {
        long ended = ticker.nanoTime();
        Long ready = inputsReadyNanos;
        Long executed = executedNanos;
        long inferFrom = ready == null ? startedNanos : ready;
        long inferTo = executed == null ? ended : executed;
        return new Stages(inferFrom - startedNanos, inferTo - inferFrom, ended - inferTo);
    }
}
