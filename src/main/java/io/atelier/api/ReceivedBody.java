package io.atelier.api;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A body that has arrived in full, in the pieces in which it came. Whoever got it owns it; used by one thread at a time.
 */
public final class ReceivedBody {
    private final List<ByteBuffer> parts;
    private final int length;
    private final long arrivedNanos;

    /**
     * @param parts        the body, on the heap, from the position of each to its limit; not copied
     * @param arrivedNanos {@link System#nanoTime} when it was complete
     */
    public ReceivedBody(List<ByteBuffer> parts, long arrivedNanos) {
        this.parts = List.copyOf(parts);
        this.length = parts.stream().mapToInt(ByteBuffer::remaining).sum();
        this.arrivedNanos = arrivedNanos;
    }

    /** The whole body, and behind {@link #length} nothing of meaning. */
    public byte[] bytes() {
        return first(length);
    }

    /**
     * The first {@code count} bytes, and behind them nothing of meaning: where they came in one piece this is it, otherwise
     * they are copied together.
     */
    public byte[] first(int count) {
        if (!parts.isEmpty()) {
            ByteBuffer first = parts.get(0);
            if (first.remaining() >= count && first.hasArray() && first.arrayOffset() + first.position() == 0) {
                return first.array();
            }
        }
        byte[] joined = new byte[count];
        int at = 0;
        for (ByteBuffer part : parts) {
            int size = Math.min(part.remaining(), count - at);
            part.duplicate().get(joined, at, size);
            at += size;
        }
        return joined;
    }

    /** What follows the first {@code count} bytes, not copied. */
    public List<ByteBuffer> after(int count) {
        List<ByteBuffer> rest = new ArrayList<>(parts.size());
        int skip = count;
        for (ByteBuffer part : parts) {
            int skipped = Math.min(skip, part.remaining());
            skip -= skipped;
            if (skipped < part.remaining()) {
                rest.add(part.slice(part.position() + skipped, part.remaining() - skipped));
            }
        }
        return rest;
    }

    public int length() {
        return length;
    }

    /** How long ago it was complete: what a caller's deadline has lost to reading it. */
    public Duration age() {
        return Duration.ofNanos(System.nanoTime() - arrivedNanos);
    }
}
