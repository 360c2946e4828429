package io.atelier.core;

/** A monotonic clock in nanoseconds; only differences have a meaning. Tests move their own by hand. */
@FunctionalInterface
public interface Ticker {
    long nanoTime();

    /** The clock of the machine. */
    static Ticker system() {
        return System::nanoTime;
    }
}
