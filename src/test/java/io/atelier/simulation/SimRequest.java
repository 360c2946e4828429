package io.atelier.simulation;

import io.atelier.core.InferenceResult;
import io.atelier.core.ServingException;
import io.atelier.core.Ticket;
import io.atelier.scheduling.ModelQueue;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** One client's request, and everything that was seen of it. */
final class SimRequest {
    final int number;
    final boolean poison;
    /** Calls that it was in, in order. */
    final List<SimCall> calls = new ArrayList<>();

    @Nullable
    Ticket ticket;

    @Nullable
    ModelQueue queue;

    @Nullable
    CompletableFuture<InferenceResult> answer;

    @Nullable
    ServingException failure;

    int acceptedAs;
    int settlements;
    /** The client went away. */
    boolean gone;
    /** The client went away while the ticket was queued. */
    boolean goneWhileQueued;

    SimRequest(int number, boolean poison) {
        this.number = number;
        this.poison = poison;
    }

    @Override
    public String toString() {
        return "request " + number + (poison ? " (poison)" : "") + " [" + ticket + "] in " + calls;
    }
}
