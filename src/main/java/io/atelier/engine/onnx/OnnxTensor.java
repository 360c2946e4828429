package io.atelier.engine.onnx;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/**
 * A constant of an ONNX graph (an initializer), as read. Immutable; numbers are read on demand, since weights are
 * large.
 *
 * @param message TensorProto
 * @param files   where the numbers are if they lie in another file
 */
record OnnxTensor(String name, int dataType, List<Long> dims, ProtoMessage message, WeightFiles files) {
    static final int FLOAT = 1;
    static final int UINT8 = 2;
    static final int INT8 = 3;
    static final int INT64 = 7;

    private static final int DIMS = 1;
    private static final int DATA_TYPE = 2;
    private static final int INT32_DATA = 5;
    static final int NAME = 8;
    private static final int RAW_DATA = 9;
    private static final int EXTERNAL_DATA = 13;
    private static final int DATA_LOCATION = 14;
    private static final int ENTRY_KEY = 1;
    private static final int ENTRY_VALUE = 2;

    static OnnxTensor of(ProtoMessage message, WeightFiles files) {
        return new OnnxTensor(
                message.string(NAME), (int) message.varint(DATA_TYPE), message.varints(DIMS), message, files);
    }

    private boolean external() {
        return message.varint(DATA_LOCATION) != 0 || message.has(EXTERNAL_DATA);
    }

    private ByteBuffer externalBytes() {
        Map<String, String> where = new HashMap<>();
        for (ProtoMessage entry : message.messages(EXTERNAL_DATA)) {
            where.put(entry.string(ENTRY_KEY), entry.string(ENTRY_VALUE));
        }
        try {
            long offset = Long.parseLong(where.getOrDefault("offset", "0"));
            return files.read(where.getOrDefault("location", ""), offset, elementCount());
        } catch (IOException | NumberFormatException failure) {
            throw new MalformedModelException("the numbers of tensor '" + name + "' cannot be read: " + failure);
        }
    }

    boolean isEightBit() {
        return dataType == UINT8 || dataType == INT8;
    }

    /** Whether this is one number, or one for each of {@code columns}. */
    boolean isScalarOrPerColumn(long columns) {
        return dims.isEmpty() || (dims.size() == 1 && (dims.get(0) == 1 || dims.get(0) == columns));
    }

    long elementCount() {
        return dims.stream().reduce(1L, Math::multiplyExact);
    }

    /** The numbers of an 8-bit tensor, row-major, one after the other. They stand in one of two fields, or in another file. */
    void forEachEightBitValue(IntConsumer values) {
        long count = 0;
        if (external() || message.has(RAW_DATA)) {
            ByteBuffer raw = external()
                    ? externalBytes()
                    : message.fields(RAW_DATA).get(0).bytes();
            count = raw.remaining();
            while (raw.hasRemaining()) {
                byte next = raw.get();
                values.accept(dataType == UINT8 ? Byte.toUnsignedInt(next) : next);
            }
        } else {
            long[] counted = new long[1];
            message.forEachVarint(INT32_DATA, value -> {
                counted[0]++;
                values.accept((int) value);
            });
            count = counted[0];
        }
        if (count != elementCount()) {
            throw new MalformedModelException(
                    "tensor '" + name + "' has " + count + " numbers where its shape has " + elementCount());
        }
    }

    /** The numbers of a small 8-bit tensor. */
    int[] eightBitValues() {
        IntStream.Builder values = IntStream.builder();
        forEachEightBitValue(values);
        return values.build().toArray();
    }

    /** This tensor under another name and shape of as many elements. */
    ProtoWriter reshaped(String newName, List<Long> newDims) {
        ProtoWriter tensor = new ProtoWriter();
        newDims.forEach(dim -> tensor.varint(DIMS, dim));
        for (ProtoMessage.Field field : message.fields()) {
            if (field.number() != DIMS && field.number() != NAME) {
                tensor.field(field);
            }
        }
        return tensor.string(NAME, newName);
    }

    static ProtoWriter floats(String name, List<Long> dims, float... values) {
        ByteBuffer raw = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        raw.asFloatBuffer().put(values);
        return write(name, FLOAT, dims, raw.array());
    }

    static ProtoWriter int64s(String name, long... values) {
        ByteBuffer raw = ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        raw.asLongBuffer().put(values);
        return write(name, INT64, List.of((long) values.length), raw.array());
    }

    static ProtoWriter uint8(String name, int value) {
        return write(name, UINT8, List.of(), new byte[] {(byte) value});
    }

    private static ProtoWriter write(String name, int dataType, List<Long> dims, byte[] raw) {
        ProtoWriter tensor = new ProtoWriter();
        dims.forEach(dim -> tensor.varint(DIMS, dim));
        return tensor.varint(DATA_TYPE, dataType).string(NAME, name).bytes(RAW_DATA, raw);
    }
}
