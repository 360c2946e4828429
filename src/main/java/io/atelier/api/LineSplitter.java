package io.atelier.api;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Takes a stream of chunks apart into its lines, as they are asked for. A line ends with a line feed, before which there
 * may be a carriage return; the last one need not end. Empty lines count and are left out. Of a line that is longer than
 * the limit nothing is kept. One thread.
 */
final class LineSplitter {
    private static final byte[] NOTHING = new byte[0];

    private final int maxBytes;
    private byte[] chunk = NOTHING;
    private int at;
    private byte[] begun = NOTHING;
    private int begunLength;
    private boolean tooLong;
    private boolean ended;
    private long number;

    /** A line: its number, 1 for the first, and its bytes without its end. */
    static final class Line {
        private final long number;
        private final byte @Nullable [] bytes;

        Line(long number, byte @Nullable [] bytes) {
            this.number = number;
            this.bytes = bytes;
        }

        long number() {
            return number;
        }

        /** Null if the line was too long. */
        byte @Nullable [] bytes() {
            return bytes;
        }
    }

    LineSplitter(int maxBytes) {
        this.maxBytes = maxBytes;
    }

    /** More of the stream, after {@link #next} has given null. The bytes are not copied. */
    void add(byte[] bytes) {
        chunk = bytes;
        at = 0;
    }

    /** There is no more. */
    void end() {
        ended = true;
    }

    /** The number of the line that the next bytes belong to. */
    long lineNumber() {
        return number + 1;
    }

    /** Whether a line has begun and not ended. */
    boolean isInsideLine() {
        return begunLength > 0 || tooLong;
    }

    /** The next line that is not empty; null if it is not there as a whole. */
    @Nullable
    Line next() {
        while (at < chunk.length) {
            int end = at;
            while (end < chunk.length && chunk[end] != '\n') {
                end++;
            }
            keep(at, end);
            boolean whole = end < chunk.length;
            at = whole ? end + 1 : end;
            Line line = whole ? take() : null;
            if (line != null) {
                return line;
            }
        }
        chunk = NOTHING;
        at = 0;
        return ended && isInsideLine() ? take() : null;
    }

    private void keep(int from, int to) {
        int size = to - from;
        if (tooLong || size > maxBytes + 1 - begunLength) { // one more for a carriage return
            tooLong = true;
            begun = NOTHING;
            begunLength = 0;
            return;
        }
        if (size > begun.length - begunLength) {
            long doubled = Math.max((long) begunLength + size, 2L * begunLength);
            begun = Arrays.copyOf(begun, (int) Math.min(doubled, maxBytes + 1L));
        }
        System.arraycopy(chunk, from, begun, begunLength, size);
        begunLength += size;
    }

    /** The line that has begun, now that it has ended; null if it is empty. */
    private @Nullable Line take() {
        number++;
        int length = begunLength > 0 && begun[begunLength - 1] == '\r' ? begunLength - 1 : begunLength;
        boolean refused = tooLong || length > maxBytes;
        byte[] bytes = begun.length == length ? begun : Arrays.copyOf(begun, length);
        begun = NOTHING;
        begunLength = 0;
        tooLong = false;
        if (refused) {
            return new Line(number, null);
        }
        return length == 0 ? null : new Line(number, bytes);
    }
}
