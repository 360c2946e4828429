package io.atelier.api;

import com.fasterxml.jackson.core.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Objects;

/**
 * JSON as bytes, which a parser reads as a stream, and of which a reader may read a part by itself: it asks where the
 * parser is, reads on from there, and tells where it has come to. Used by one thread.
 */
public final class JsonText extends InputStream {
    private final byte[] bytes;
    private final int end;
    private int next;
    private long shift;

    /** The bytes in {@code [from, to)}; not copied. */
    public JsonText(byte[] bytes, int from, int to) {
        Objects.checkFromToIndex(from, to, bytes.length);
        this.bytes = bytes;
        this.end = to;
        this.next = from;
    }

    /** The index behind the token at which this text's parser stands, which must be no text or number. */
    public int position(JsonParser json) throws IOException {
        int position = next - Math.max(0, json.releaseBuffered(OutputStream.nullOutputStream()));
        moveTo(position);
        return position;
    }

    /** Lets the parser, whose {@link #position} has just been asked for, read on from another index. */
    public void moveTo(int position) {
        shift += position - next;
        next = position;
    }

    /** What the parser's count of bytes must be corrected by. */
    long shift() {
        return shift;
    }

    @Override
    public int read() {
        return next < end ? Byte.toUnsignedInt(bytes[next++]) : -1;
    }

    @Override
    public int read(byte[] target, int offset, int length) {
        if (next == end) {
            return length == 0 ? 0 : -1;
        }
        int count = Math.min(length, end - next);
        System.arraycopy(bytes, next, target, offset, count);
        next += count;
        return count;
    }
}
