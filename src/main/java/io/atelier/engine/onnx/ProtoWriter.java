package io.atelier.engine.onnx;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Writes one protobuf message, field after field. Not thread-safe. */
final class ProtoWriter {
    private static final int VARINT = 0;
    private static final int LENGTH_DELIMITED = 2;

    private final ByteArrayOutputStream out;

    ProtoWriter() {
        this(64);
    }

    ProtoWriter(int expectedSizeBytes) {
        out = new ByteArrayOutputStream(expectedSizeBytes);
    }

    ProtoWriter varint(int number, long value) {
        raw(((long) number << 3) | VARINT);
        raw(value);
        return this;
    }

    ProtoWriter bytes(int number, byte[] value) {
        raw(((long) number << 3) | LENGTH_DELIMITED);
        raw(value.length);
        out.writeBytes(value);
        return this;
    }

    ProtoWriter string(int number, String value) {
        return bytes(number, value.getBytes(StandardCharsets.UTF_8));
    }

    ProtoWriter message(int number, ProtoWriter value) {
        return bytes(number, value.toBytes());
    }

    /** Copies a field as it was read. */
    ProtoWriter field(ProtoMessage.Field field) {
        out.write(field.array(), field.start(), field.end() - field.start());
        return this;
    }

    byte[] toBytes() {
        return out.toByteArray();
    }

    private void raw(long value) {
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            out.write((int) ((rest & 0x7f) | 0x80));
            rest >>>= 7;
        }
        out.write((int) rest);
    }
}
