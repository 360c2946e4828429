package io.atelier.models;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * A message of protobuf, read without its schema: of ONNX's files what the tests need of them, apart from the service's own
 * reader. Immutable.
 */
final class Protobuf {
    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int LENGTH_DELIMITED = 2;
    private static final int FIXED32 = 5;

    private record Field(int number, int wireType, ByteBuffer value) {}

    private final List<Field> fields = new ArrayList<>();

    Protobuf(byte[] message) {
        this(ByteBuffer.wrap(message));
    }

    private Protobuf(ByteBuffer message) {
        ByteBuffer from = message.slice().order(ByteOrder.LITTLE_ENDIAN);
        while (from.hasRemaining()) {
            long tag = varint(from);
            int wireType = (int) (tag & 7);
            int start = from.position();
            int length = switch (wireType) {
                case VARINT -> lengthOfVarint(from);
                case FIXED64 -> Long.BYTES;
                case FIXED32 -> Integer.BYTES;
                case LENGTH_DELIMITED -> {
                    int size = Math.toIntExact(varint(from));
                    start = from.position();
                    yield size;
                }
                default -> throw new IllegalArgumentException("wire type " + wireType);
            };
            fields.add(new Field((int) (tag >>> 3), wireType, from.slice(start, length)));
            from.position(start + length);
        }
    }

    boolean has(int number) {
        return fields.stream().anyMatch(field -> field.number == number);
    }

    List<Protobuf> messages(int number) {
        return values(number).stream().map(Protobuf::new).toList();
    }

    /** Empty if there is none. */
    String text(int number) {
        List<ByteBuffer> values = values(number);
        return values.isEmpty()
                ? ""
                : UTF_8.decode(values.get(values.size() - 1).slice()).toString();
    }

    List<byte[]> bytes(int number) {
        return values(number).stream().map(Protobuf::copy).toList();
    }

    /** Whole numbers, packed or not. */
    List<Long> varints(int number) {
        List<Long> numbers = new ArrayList<>();
        for (ByteBuffer value : values(number)) {
            ByteBuffer from = value.slice();
            while (from.hasRemaining()) {
                numbers.add(varint(from));
            }
        }
        return numbers;
    }

    /** Numbers of fixed size, packed or not, one behind the other. */
    byte[] fixed(int number) {
        List<ByteBuffer> values = values(number);
        ByteBuffer all = ByteBuffer.allocate(
                values.stream().mapToInt(ByteBuffer::remaining).sum());
        values.forEach(value -> all.put(value.slice()));
        return all.array();
    }

    private List<ByteBuffer> values(int number) {
        return fields.stream()
                .filter(field -> field.number == number)
                .map(Field::value)
                .toList();
    }

    private static byte[] copy(ByteBuffer value) {
        byte[] bytes = new byte[value.remaining()];
        value.slice().get(bytes);
        return bytes;
    }

    private static int lengthOfVarint(ByteBuffer from) {
        int length = 1;
        while (from.get(from.position() + length - 1) < 0) {
            length++;
        }
        return length;
    }

    private static long varint(ByteBuffer from) {
        long value = 0;
        for (int shift = 0; ; shift += 7) {
            byte next = from.get();
            value |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                return value;
            }
        }
    }
}
