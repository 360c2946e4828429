package io.atelier.core;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One caller's request as it is traced. Made at the edge by {@link Tracing} and handed on with the request; nobody on
 * the way looks inside. Thread-safe.
 */
public interface Trace {
    /** That of a request that is not traced: notes nothing. */
    Trace NONE = new Trace() {};

    /** Does a part of the request's work on this thread, and notes how long it took and whether it failed. */
    default <T> T stage(String name, Supplier<T> work) {
        return work.get();
    }

    /** The trace of a ticket that is about to be queued for this request; one for each ticket. */
    default Trace ofTicket() {
        return this;
    }

    /**
     * The caller has its answer, or has gone.
     *
     * @param status of HTTP
     */
    default void end(int status, @Nullable Throwable failure) {}
}
