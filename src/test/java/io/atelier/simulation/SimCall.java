package io.atelier.simulation;

import io.atelier.core.DeviceId;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** One native call. */
final class SimCall {
    /** What the engine makes of it. */
    enum Outcome {
        RIGHT,
        WRONG,
        CRASH,
        STICKY,
        /** A row breaks the batch. */
        POISONED,
        /** It was ended because nobody waited any more. */
        ENDED
    }

    final int number;
    final DeviceId device;
    final SimInstance instance;
    final List<SimRequest> requests;
    final long beganNanos;
    final boolean golden;
    final CompletableFuture<Void> done = new CompletableFuture<>();
    Outcome outcome;
    boolean returned;
    /** The device was put out of service while this ran. */
    boolean untrusted;
    /** The device gave a wrong golden answer or a sticky error while this ran. */
    boolean disproved;
    /** Runs on even when nobody waits, until it is let go. */
    boolean stuck;

    @Nullable
    SimExecutor thread;

    SimCall(
            int number,
            SimInstance instance,
            List<SimRequest> requests,
            boolean golden,
            long beganNanos,
            Outcome outcome) {
        this.number = number;
        this.instance = instance;
        this.device = instance.device();
        this.requests = requests;
        this.golden = golden;
        this.beganNanos = beganNanos;
        this.outcome = outcome;
    }

    @Override
    public String toString() {
        return (golden ? "golden " : "call ") + number + " on " + device + " at " + beganNanos / 1000 + " us: "
                + outcome + (returned ? "" : ", running") + (untrusted ? ", untrusted" : "");
    }
}
