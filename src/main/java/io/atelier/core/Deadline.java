package io.atelier.core;

import java.time.Duration;

/** The instant by which a caller wants its answer: absolute, monotonic, made once at the edge. Immutable. */
public final class Deadline {
    private final Ticker ticker;
    private final long atNanos;

    private Deadline(Ticker ticker, long atNanos) {
        this.ticker = ticker;
        this.atNanos = atNanos;
    }

    public static Deadline after(Duration timeout, Ticker ticker) {
        return new Deadline(ticker, ticker.nanoTime() + timeout.toNanos());
    }

    /** The ticker's reading at the deadline. */
    public long atNanos() {
        return atNanos;
    }

    /** Time left; zero or negative once the deadline has passed. */
    public Duration remaining() {
        return Duration.ofNanos(remainingNanos());
    }

    public long remainingNanos() {
        return atNanos - ticker.nanoTime();
    }

    public boolean hasPassed() {
        return remainingNanos() <= 0;
    }

    @Override
    public String toString() {
        return "in " + remaining();
    }
}
