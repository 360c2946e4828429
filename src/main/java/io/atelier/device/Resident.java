package io.atelier.device;

import io.atelier.engine.GoldenSample;
import io.atelier.engine.ModelInstance;
import io.atelier.scheduling.ModelQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** A model on a device: its queue, its instance, its golden sample, and what it has had of the device's time. */
final class Resident {
    final ModelQueue queue;
    final ModelInstance instance;
    final @Nullable GoldenSample golden;
    private final int instances;
    private final double weight;
    private int running;
    private @Nullable Runnable closing;
    private final AtomicLong weightedNanos = new AtomicLong();
    private final AtomicLong goldenAtNanos;

    Resident(
            ModelQueue queue,
            ModelInstance instance,
            @Nullable GoldenSample golden,
            int instances,
            double weight,
            long nowNanos) {
        this.queue = queue;
        this.instance = instance;
        this.golden = golden;
        this.instances = instances;
        this.weight = weight;
        this.goldenAtNanos = new AtomicLong(nowNanos);
    }

    /** Takes the right to run one execution of this model; false if as many run as may, or the model is given up. */
    synchronized boolean tryEnter() {
        if (running >= instances || closing != null) {
            return false;
        }
        running++;
        return true;
    }

    /** The same for a golden check, which runs beside the others; false if the model is given up. */
    synchronized boolean tryEnterForCheck() {
        if (closing != null) {
            return false;
        }
        running++;
        return true;
    }

    /** Executions of this model that may begin now. */
    synchronized int room() {
        return closing != null ? 0 : Math.max(0, instances - running);
    }

    /** Executions of this model that may run at once. */
    int limit() {
        return instances;
    }

    void leave() {
        Runnable close;
        synchronized (this) {
            running--;
            close = running == 0 ? closing : null;
        }
        if (close != null) {
            close.run();
        }
    }

    /** Frees the instance, on the executor, once nothing runs any more; to free it earlier would crash the process. */
    CompletableFuture<Void> closeWhenIdle(Executor executor) {
        CompletableFuture<Void> closed = new CompletableFuture<>();
        Runnable close = () -> executor.execute(() -> {
            instance.close();
            closed.complete(null);
        });
        boolean idle;
        synchronized (this) {
            closing = close;
            idle = running == 0;
        }
        if (idle) {
            close.run();
        }
        return closed;
    }

    /** Device time so far, divided by the weight: whoever has the least goes next. */
    long weightedNanos() {
        return weightedNanos.get();
    }

    void charge(long nanos) {
        weightedNanos.addAndGet((long) (nanos / weight));
    }

    /** A model that was idle starts level with the others, rather than with a claim to all the time it did not use. */
    void catchUp(long leastOfOthers) {
        weightedNanos.accumulateAndGet(leastOfOthers, Math::max);
    }

    /** When the golden sample was last answered rightly. */
    long goldenAtNanos() {
        return goldenAtNanos.get();
    }

    void goldenPassed(long nowNanos) {
        goldenAtNanos.set(nowNanos);
    }
}
