package io.atelier.api;

import java.time.Duration;

/** A body that has arrived in full. Whoever got it owns it; used by one thread at a time. */
public final class ReceivedBody {
    private final byte[] bytes;
    private final int length;
    private final long arrivedNanos;

    /**
     * @param bytes        the body, and room behind it; not copied
     * @param length       how many bytes are the body
     * @param arrivedNanos {@link System#nanoTime} when it was complete
     */
    ReceivedBody(byte[] bytes, int length, long arrivedNanos) {
        this.bytes = bytes;
        this.length = length;
        this.arrivedNanos = arrivedNanos;
    }

    /** The body, and behind {@link #length} nothing of meaning. */
    public byte[] bytes() {
        return bytes;
    }

    public int length() {
        return length;
    }

    /** How long ago it was complete: what a caller's deadline has lost to reading it. */
    public Duration age() {
        return Duration.ofNanos(System.nanoTime() - arrivedNanos);
    }
}
