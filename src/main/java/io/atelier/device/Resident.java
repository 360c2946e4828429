package io.atelier.device;

import io.atelier.engine.GoldenSample;
import io.atelier.engine.ModelInstance;
import io.atelier.scheduling.ModelQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** A model on a device: its queue, its instance, its golden sample, and what it has had of the device's time. */
final class Resident {
    final ModelQueue queue;
    final ModelInstance instance;
    final GoldenSample golden;
    private final int instances;
    private final double weight;
    private final AtomicInteger running = new AtomicInteger();
    private final AtomicLong weightedNanos = new AtomicLong();
    private final AtomicLong goldenAtNanos;

    Resident(
            ModelQueue queue,
            ModelInstance instance,
            GoldenSample golden,
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

    /** Takes the right to run one execution of this model; false if as many run as may. */
    boolean tryEnter() {
        if (running.incrementAndGet() <= instances) {
            return true;
        }
        running.decrementAndGet();
        return false;
    }

    void leave() {
        running.decrementAndGet();
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
