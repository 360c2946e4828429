package io.atelier.engine.onnx;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * A protobuf message: its fields in the order in which they were written. Immutable; a view of a buffer that nobody
 * changes, which may be a mapped file: values are found, not copied. It knows the wire format, not the schema, so
 * fields that nobody asks for survive byte for byte.
 *
 * @see <a href="https://protobuf.dev/programming-guides/encoding/">Protocol Buffers: encoding</a>
 */
final class ProtoMessage {
    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int LENGTH_DELIMITED = 2;
    private static final int FIXED32 = 5;

    private final List<Field> fields;

    private ProtoMessage(List<Field> fields) {
        this.fields = List.copyOf(fields);
    }

    /**
     * One field. Its whole encoding, tag included, runs from {@code start} to {@code end}.
     *
     * @param number   field number of the schema
     * @param wireType how the value is written
     * @param start    where the tag starts
     * @param value    where the value starts, after the length if there is one
     */
    record Field(int number, int wireType, ByteBuffer buffer, int start, int value, int end) {
        /** The value of a varint field. */
        long varint() {
            require(VARINT);
            return new Cursor(buffer, value, end).varint();
        }

        /** The bytes of a length-delimited field, as a view. */
        ByteBuffer bytes() {
            require(LENGTH_DELIMITED);
            return buffer.slice(value, end - value);
        }

        /** The value of a length-delimited field, read as UTF-8. */
        String string() {
            return StandardCharsets.UTF_8.decode(bytes()).toString();
        }

        /** The value of a length-delimited field, read as a message. */
        ProtoMessage message() {
            require(LENGTH_DELIMITED);
            return parse(buffer, value, end);
        }

        /** Its whole encoding, as a view. */
        ByteBuffer encoding() {
            return buffer.slice(start, end - start);
        }

        private void require(int expected) {
            if (wireType != expected) {
                throw new MalformedModelException("field " + number + " has wire type " + wireType);
            }
        }
    }

    /** The message that the buffer holds from its start to its limit. */
    static ProtoMessage parse(ByteBuffer buffer) {
        return parse(buffer, 0, buffer.limit());
    }

    private static ProtoMessage parse(ByteBuffer buffer, int from, int to) {
        List<Field> fields = new ArrayList<>();
        Cursor cursor = new Cursor(buffer, from, to);
        while (cursor.position < to) {
            int start = cursor.position;
            long tag = cursor.varint();
            int number = (int) (tag >>> 3);
            int wireType = (int) (tag & 7);
            if (number <= 0 || tag >>> 32 != 0) {
                throw new MalformedModelException("no field has the tag " + tag);
            }
            int value = cursor.position;
            switch (wireType) {
                case VARINT -> cursor.varint();
                case FIXED64 -> cursor.skip(Long.BYTES);
                case FIXED32 -> cursor.skip(Integer.BYTES);
                case LENGTH_DELIMITED -> {
                    long length = cursor.varint();
                    value = cursor.position;
                    cursor.skip(length);
                }
                default -> throw new MalformedModelException("field " + number + " has wire type " + wireType);
            }
            fields.add(new Field(number, wireType, buffer, start, value, cursor.position));
        }
        return new ProtoMessage(fields);
    }

    List<Field> fields() {
        return fields;
    }

    List<Field> fields(int number) {
        return fields.stream().filter(field -> field.number == number).toList();
    }

    boolean has(int number) {
        return fields.stream().anyMatch(field -> field.number == number);
    }

    /** The last value wins, as protobuf has it. Absent is the empty string. */
    String string(int number) {
        List<Field> found = fields(number);
        return found.isEmpty() ? "" : found.get(found.size() - 1).string();
    }

    /** The last value wins, as protobuf has it. Absent is zero. */
    long varint(int number) {
        List<Field> found = fields(number);
        return found.isEmpty() ? 0 : found.get(found.size() - 1).varint();
    }

    List<String> strings(int number) {
        return fields(number).stream().map(Field::string).toList();
    }

    List<ProtoMessage> messages(int number) {
        return fields(number).stream().map(Field::message).toList();
    }

    /** A repeated varint field, packed or not: writers choose freely, readers take both. */
    List<Long> varints(int number) {
        List<Long> values = new ArrayList<>();
        forEachVarint(number, values::add);
        return values;
    }

    /** As {@link #varints}, one after the other, since there may be as many as a model has weights. */
    void forEachVarint(int number, LongConsumer values) {
        for (Field field : fields(number)) {
            if (field.wireType != LENGTH_DELIMITED) {
                values.accept(field.varint());
                continue;
            }
            Cursor cursor = new Cursor(field.buffer, field.value, field.end);
            while (cursor.position < field.end) {
                values.accept(cursor.varint());
            }
        }
    }

    private static final class Cursor {
        private final ByteBuffer buffer;
        private final int end;
        private int position;

        Cursor(ByteBuffer buffer, int position, int end) {
            this.buffer = buffer;
            this.position = position;
            this.end = end;
        }

        long varint() {
            long value = 0;
            for (int shift = 0; shift < Long.SIZE; shift += 7) {
                if (position == end) {
                    throw new MalformedModelException("the message ends within a number");
                }
                byte next = buffer.get(position++);
                value |= (long) (next & 0x7f) << shift;
                if (next >= 0) {
                    return value;
                }
            }
            throw new MalformedModelException("a number is longer than ten bytes");
        }

        void skip(long count) {
            if (count < 0 || count > end - position) {
                throw new MalformedModelException("the message ends within a field");
            }
            position += (int) count;
        }
    }
}
