package io.atelier.core;

/** Runs something once, later. Thread-safe. Tests move their own by hand, together with a {@link Ticker}. */
@FunctionalInterface
public interface Timer {
    /**
     * Runs {@code task} on the timer's own thread once {@code delayNanos} have gone by; at once if it is not positive.
     * The task must not block.
     */
    Alarm schedule(long delayNanos, Runnable task);

    /** A task that waits for its time. */
    @FunctionalInterface
    interface Alarm {
        /** Forgets the task, unless it has begun. Harmless when repeated. */
        void cancel();
    }
}
