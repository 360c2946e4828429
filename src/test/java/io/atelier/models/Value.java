package io.atelier.models;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One tensor of a request or an answer, as it travels in binary. Immutable by habit: nobody changes the arrays.
 *
 * @param datatype in the words of the Open Inference Protocol
 * @param data     elements row-major, little-endian; BYTES are each their length in four bytes and so many of UTF-8
 */
@SuppressWarnings("ArrayRecordComponent") // Compared by Comparison alone.
record Value(String name, String datatype, long[] shape, byte[] data) {

    static Value floats(String name, long[] shape, float... numbers) {
        byte[] data = new byte[numbers.length * Float.BYTES];
        ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(numbers);
        return new Value(name, "FP32", shape, data);
    }

    static Value int64s(String name, long[] shape, long... numbers) {
        byte[] data = new byte[numbers.length * Long.BYTES];
        ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().put(numbers);
        return new Value(name, "INT64", shape, data);
    }

    static Value texts(String name, long[] shape, List<String> texts) {
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        for (String text : texts) {
            byte[] bytes = text.getBytes(UTF_8);
            data.writeBytes(buffer(Integer.BYTES).putInt(bytes.length).array());
            data.writeBytes(bytes);
        }
        return new Value(name, "BYTES", shape, data.toByteArray());
    }

    static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Bytes of one element; 0 for BYTES. */
    static int elementBytes(String datatype) {
        return switch (datatype) {
            case "BOOL", "INT8", "UINT8" -> 1;
            case "INT16", "UINT16", "FP16", "BF16" -> 2;
            case "INT32", "UINT32", "FP32" -> 4;
            case "INT64", "UINT64", "FP64" -> 8;
            case "BYTES" -> 0;
            default -> throw new IllegalArgumentException("no datatype is called " + datatype);
        };
    }

    int elements() {
        return Math.toIntExact(Arrays.stream(shape).reduce(1, Math::multiplyExact));
    }

    ByteBuffer buffer() {
        return ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
    }

    List<String> texts() {
        List<String> texts = new ArrayList<>();
        ByteBuffer from = buffer();
        while (from.hasRemaining()) {
            byte[] text = new byte[from.getInt()];
            from.get(text);
            texts.add(new String(text, UTF_8));
        }
        return texts;
    }

    @Override
    public String toString() {
        return name + " " + datatype + Arrays.toString(shape);
    }
}
