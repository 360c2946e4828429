package io.atelier.serving;

import io.atelier.core.ServingException.NotReady;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/**
 * The gate in front of the queues: STARTING → OPEN → LEAVING → CLOSED.
 *
 * <p>LEAVING still lets requests in, though readiness is off, so that nobody is refused before the routers have heard.
 * Counts who is inside, so that a drain can wait for the last.
 *
 * <p>Thread-safe: phase and count change under the object's lock.
 */
public final class Admission {
    /** Where the service is in its life. */
    public enum Phase {
        STARTING,
        OPEN,
        LEAVING,
        CLOSED
    }

    private final CompletableFuture<Void> empty = new CompletableFuture<>();
    private volatile Phase phase = Phase.STARTING;
    private long inside;

    public Phase phase() {
        return phase;
    }

    /** Loading is over. */
    public synchronized void open() {
        if (phase == Phase.STARTING) {
            phase = Phase.OPEN;
        }
    }

    /** Readiness goes off; requests are still taken. */
    public synchronized void beginLeaving() {
        if (phase != Phase.CLOSED) {
            phase = Phase.LEAVING;
        }
    }

    /**
     * Lets a request in.
     *
     * @throws NotReady once the gate is closed
     */
    public synchronized void enter() {
        if (phase == Phase.CLOSED) {
            throw new NotReady("the service is shutting down", Duration.ofSeconds(1));
        }
        inside++;
    }

    /** A part of a request that is inside already goes in too. */
    public synchronized void enterFurther() {
        inside++;
    }

    /** A request that entered has been answered. */
    public void exit() {
        boolean last;
        synchronized (this) {
            inside--;
            last = inside == 0 && phase == Phase.CLOSED;
        }
        if (last) {
            empty.complete(null);
        }
    }

    /** Lets nobody in any more; the future completes when the last one inside has been answered. */
    public CompletableFuture<Void> close() {
        boolean none;
        synchronized (this) {
            phase = Phase.CLOSED;
            none = inside == 0;
        }
        if (none) {
            empty.complete(null);
        }
        return empty.copy();
    }
}
