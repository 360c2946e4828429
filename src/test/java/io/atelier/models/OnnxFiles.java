package io.atelier.models;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What is read from ONNX's files: the values that a model declares, and tensors in files of their own. Stateless. */
final class OnnxFiles {
    /** As TensorProto.DataType numbers them. */
    private static final Map<Long, String> DATATYPES = Map.ofEntries(
            Map.entry(1L, "FP32"),
            Map.entry(2L, "UINT8"),
            Map.entry(3L, "INT8"),
            Map.entry(4L, "UINT16"),
            Map.entry(5L, "INT16"),
            Map.entry(6L, "INT32"),
            Map.entry(7L, "INT64"),
            Map.entry(8L, "BYTES"),
            Map.entry(9L, "BOOL"),
            Map.entry(10L, "FP16"),
            Map.entry(11L, "FP64"),
            Map.entry(12L, "UINT32"),
            Map.entry(13L, "UINT64"),
            Map.entry(16L, "BF16"));

    private static final long BFLOAT16 = 16;
    private static final int GRAPH = 7;
    private static final int INITIALIZERS = 5;
    private static final int INPUTS = 11;

    private OnnxFiles() {}

    /**
     * An input of a model.
     *
     * @param elementType as TensorProto numbers it; empty if it is no tensor
     */
    record Declared(String name, Optional<Long> elementType) {
        boolean isTensor() {
            return elementType.isPresent();
        }
    }

    /** The inputs of a model, in the order in which ONNX's tests number theirs. */
    static List<Declared> inputs(byte[] model) {
        return new Protobuf(model)
                .messages(GRAPH).get(0).messages(INPUTS).stream()
                        .map(input -> new Declared(
                                input.text(1),
                                input.messages(2).stream()
                                        .flatMap(type -> type.messages(1).stream())
                                        .flatMap(tensor -> tensor.varints(1).stream())
                                        .findFirst()))
                        .toList();
    }

    /**
     * A model whose inputs have these values by themselves. What protobuf says of messages that follow each other holds
     * here: they are one. So a reference can be asked with tensors that ONNX Runtime's Java interface does not make.
     *
     * @param tensors files of TensorProto
     */
    static byte[] withInputs(byte[] model, List<String> names, List<byte[]> tensors) {
        byte[] whole = model;
        for (int i = 0; i < names.size(); i++) {
            byte[] named = joined(tensors.get(i), field(8, names.get(i).getBytes(UTF_8)));
            whole = joined(whole, field(GRAPH, field(INITIALIZERS, named)));
        }
        return whole;
    }

    /**
     * What a file holds for an input. BF16 lies in the tests' files as numbers of 16 bits, so the model's word counts.
     *
     * @throws IllegalArgumentException if it is of a type that the Open Inference Protocol does not have
     */
    static Value tensor(Declared input, byte[] file) {
        String name = input.name();
        Protobuf tensor = new Protobuf(file);
        long[] shape = tensor.varints(1).stream().mapToLong(Long::longValue).toArray();
        long type = input.elementType()
                .filter(declared -> declared == BFLOAT16)
                .orElse(tensor.varints(2).get(0));
        String datatype = DATATYPES.get(type);
        if (datatype == null) {
            throw new IllegalArgumentException("the protocol has no tensors of ONNX's type " + type);
        }
        if (datatype.equals("BYTES")) {
            List<String> texts = new ArrayList<>();
            tensor.bytes(6).forEach(text -> texts.add(new String(text, UTF_8)));
            return Value.texts(name, shape, texts);
        }
        if (tensor.has(9)) {
            return new Value(name, datatype, shape, tensor.bytes(9).get(0));
        }
        return switch (datatype) {
            case "FP32" -> new Value(name, datatype, shape, tensor.fixed(4));
            case "FP64" -> new Value(name, datatype, shape, tensor.fixed(10));
            case "INT64" -> new Value(name, datatype, shape, numbers(tensor.varints(7), Long.BYTES));
            case "UINT32", "UINT64" ->
                new Value(name, datatype, shape, numbers(tensor.varints(11), Value.elementBytes(datatype)));
            default -> new Value(name, datatype, shape, numbers(tensor.varints(5), Value.elementBytes(datatype)));
        };
    }

    private static byte[] numbers(List<Long> numbers, int bytes) {
        ByteBuffer data = Value.buffer(numbers.size() * bytes);
        for (long number : numbers) {
            switch (bytes) {
                case Byte.BYTES -> data.put((byte) number);
                case Short.BYTES -> data.putShort((short) number);
                case Integer.BYTES -> data.putInt((int) number);
                default -> data.putLong(number);
            }
        }
        byte[] all = new byte[data.flip().remaining()];
        data.get(all);
        return all;
    }

    private static byte[] field(int number, byte[] value) {
        ByteBuffer field = ByteBuffer.allocate(value.length + 2 * 10);
        putVarint(field, ((long) number << 3) | 2);
        putVarint(field, value.length);
        field.put(value).flip();
        byte[] bytes = new byte[field.remaining()];
        field.get(bytes);
        return bytes;
    }

    private static void putVarint(ByteBuffer into, long value) {
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            into.put((byte) ((rest & 0x7f) | 0x80));
            rest >>>= 7;
        }
        into.put((byte) rest);
    }

    private static byte[] joined(byte[] first, byte[] second) {
        return ByteBuffer.allocate(first.length + second.length)
                .put(first)
                .put(second)
                .array();
    }
}
