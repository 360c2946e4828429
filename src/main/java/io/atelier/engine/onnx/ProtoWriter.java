package io.atelier.engine.onnx;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes one protobuf message, field after field. What is large stays where it is: the message is a row of buffers, of
 * which those that were read are views. Not thread-safe.
 */
final class ProtoWriter {
    private static final int VARINT = 0;
    private static final int LENGTH_DELIMITED = 2;
    private static final int WORTH_A_VIEW = 1024;

    private final List<ByteBuffer> written = new ArrayList<>();
    private final ByteArrayOutputStream tail = new ByteArrayOutputStream(64);
    private long writtenBytes;

    ProtoWriter varint(int number, long value) {
        raw(((long) number << 3) | VARINT);
        raw(value);
        return this;
    }

    ProtoWriter bytes(int number, byte[] value) {
        return bytes(number, value.length, List.of(ByteBuffer.wrap(value)));
    }

    ProtoWriter string(int number, String value) {
        return bytes(number, value.getBytes(StandardCharsets.UTF_8));
    }

    ProtoWriter message(int number, ProtoWriter value) {
        return bytes(number, value.size(), value.parts());
    }

    private ProtoWriter bytes(int number, long size, List<ByteBuffer> parts) {
        raw(((long) number << 3) | LENGTH_DELIMITED);
        raw(size);
        parts.forEach(this::append);
        return this;
    }

    /** Takes over a field as it was read. */
    ProtoWriter field(ProtoMessage.Field field) {
        append(field.encoding());
        return this;
    }

    /** Bytes of the message. */
    long size() {
        return writtenBytes + tail.size();
    }

    /** The message, one buffer behind the other; positions are the receiver's own. */
    List<ByteBuffer> parts() {
        flush();
        return written.stream().map(ByteBuffer::duplicate).toList();
    }

    private void append(ByteBuffer part) {
        if (part.remaining() < WORTH_A_VIEW) {
            byte[] copy = new byte[part.remaining()];
            part.get(copy);
            tail.writeBytes(copy);
        } else {
            flush();
            written.add(part);
            writtenBytes += part.remaining();
        }
    }

    private void flush() {
        if (tail.size() > 0) {
            written.add(ByteBuffer.wrap(tail.toByteArray()));
            writtenBytes += tail.size();
            tail.reset();
        }
    }

    private void raw(long value) {
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            tail.write((int) ((rest & 0x7f) | 0x80));
            rest >>>= 7;
        }
        tail.write((int) rest);
    }
}
