package io.atelier.testing;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Builds small ONNX models as bytes, so that a test needs no file and no tool to make one. Not thread-safe.
 *
 * <p>Element types have their ONNX names ({@code FLOAT}, {@code INT64}, {@code BFLOAT16}, …) or those of the Open
 * Inference Protocol ({@code FP32}, {@code BF16}, {@code BYTES}). Dimensions are numbers, or names where they vary; the
 * empty name is an axis of which the model says nothing.
 * What is built is not checked; ONNX Runtime does that when it loads the model.
 *
 * <pre>{@code
 * byte[] model = new OnnxModelWriter()
 *         .input("x", "FLOAT", "batch", 3)
 *         .floats("w", List.of(3, 2), 1, 2, 3, 4, 5, 6)
 *         .node("MatMul", List.of("x", "w"), List.of("y"))
 *         .output("y", "FLOAT", "batch", 2)
 *         .toBytes();
 * }</pre>
 */
public final class OnnxModelWriter {
    /** Numbers of the element types in TensorProto.DataType. */
    private static final Map<String, Integer> TYPES = Map.ofEntries(
            Map.entry("FLOAT", 1),
            Map.entry("UINT8", 2),
            Map.entry("INT8", 3),
            Map.entry("UINT16", 4),
            Map.entry("INT16", 5),
            Map.entry("INT32", 6),
            Map.entry("INT64", 7),
            Map.entry("STRING", 8),
            Map.entry("BOOL", 9),
            Map.entry("FLOAT16", 10),
            Map.entry("DOUBLE", 11),
            Map.entry("UINT32", 12),
            Map.entry("UINT64", 13),
            Map.entry("COMPLEX64", 14),
            Map.entry("FLOAT8E4M3FN", 17),
            Map.entry("BFLOAT16", 16),
            Map.entry("FP32", 1),
            Map.entry("BYTES", 8),
            Map.entry("FP16", 10),
            Map.entry("FP64", 11),
            Map.entry("BF16", 16));

    private static final int VARINT = 0;
    private static final int LENGTH_DELIMITED = 2;
    private static final int FIXED32 = 5;

    private final List<byte[]> nodes = new ArrayList<>();
    private final List<byte[]> initializers = new ArrayList<>();
    private final List<byte[]> inputs = new ArrayList<>();
    private final List<byte[]> outputs = new ArrayList<>();
    private final List<byte[]> innerValues = new ArrayList<>();
    private final List<byte[]> functions = new ArrayList<>();
    private long opset = 13;
    private long mlOpset = 1;
    private long irVersion = 7;

    /** Returns its input: {@code INPUT0} to {@code OUTPUT0}, of any element type. */
    public static byte[] identity(String type, Object... dims) {
        return new OnnxModelWriter()
                .input("INPUT0", type, dims)
                .output("OUTPUT0", type, dims)
                .node("Identity", List.of("INPUT0"), List.of("OUTPUT0"))
                .toBytes();
    }

    /**
     * Sum and difference of INT32 tensors: {@code OUTPUT0 = INPUT0 + INPUT1}, {@code OUTPUT1 = INPUT0 - INPUT1}.
     *
     * @see <a href="https://github.com/triton-inference-server/server/tree/main/docs/examples/model_repository">Triton:
     *     example "simple"</a>
     */
    public static byte[] add(Object... dims) {
        return new OnnxModelWriter()
                .input("INPUT0", "INT32", dims)
                .input("INPUT1", "INT32", dims)
                .output("OUTPUT0", "INT32", dims)
                .output("OUTPUT1", "INT32", dims)
                .node("Add", List.of("INPUT0", "INPUT1"), List.of("OUTPUT0"))
                .node("Sub", List.of("INPUT0", "INPUT1"), List.of("OUTPUT1"))
                .toBytes();
    }

    /** {@code OUTPUT0 [batch,n] = INPUT0 [batch,k]} times {@link #weights}. */
    public static byte[] matmul(int k, int n, long seed) {
        return new OnnxModelWriter()
                .input("INPUT0", "FLOAT", "batch", k)
                .output("OUTPUT0", "FLOAT", "batch", n)
                .floats("weights", List.of(k, n), weights(k, n, seed))
                .node("MatMul", List.of("INPUT0", "weights"), List.of("OUTPUT0"))
                .toBytes();
    }

    /** The weights of {@link #matmul}, row-major: the same seed gives the same numbers, in [-1, 1). */
    public static float[] weights(int k, int n, long seed) {
        Random random = new Random(seed);
        float[] weights = new float[k * n];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = random.nextFloat() * 2 - 1;
        }
        return weights;
    }

    public OnnxModelWriter opset(long version) {
        opset = version;
        return this;
    }

    /** The version of the operators of {@code ai.onnx.ml}. */
    public OnnxModelWriter mlOpset(long version) {
        mlOpset = version;
        return this;
    }

    public OnnxModelWriter irVersion(long version) {
        irVersion = version;
        return this;
    }

    public OnnxModelWriter input(String name, String type, Object... dims) {
        inputs.add(value(name, type, dims));
        return this;
    }

    public OnnxModelWriter output(String name, String type, Object... dims) {
        outputs.add(value(name, type, dims));
        return this;
    }

    /** Declares the type of an inner value, which a model need not do. */
    public OnnxModelWriter innerValue(String name, String type, Object... dims) {
        innerValues.add(value(name, type, dims));
        return this;
    }

    public OnnxModelWriter node(String operator, List<String> inputs, List<String> outputs) {
        return node(operator, inputs, outputs, Map.of());
    }

    /**
     * A standard operator, or one of another domain as {@code domain:Operator}. Named after its first output.
     *
     * @param attributes each a number, a text, a writer for a graph of its own, or a list of numbers or of texts; whole
     *                   numbers are integers of ONNX, and a list is of what its first element is
     */
    public OnnxModelWriter node(String operator, List<String> inputs, List<String> outputs, Map<String, ?> attributes) {
        Message node = nodeMessage(operator, inputs, outputs);
        attributes.forEach((name, value) -> node.bytes(5, attribute(new Message().string(1, name), value)));
        nodes.add(node.toBytes());
        return this;
    }

    /** An operator with a graph of its own, such as the body of a Loop. */
    public OnnxModelWriter nodeWithGraph(
            String operator, List<String> inputs, List<String> outputs, String attribute, OnnxModelWriter graph) {
        return node(operator, inputs, outputs, Map.of(attribute, graph));
    }

    private static Message attribute(Message attribute, Object value) {
        if (value instanceof Float number) {
            return attribute.fixed32(2, number).varint(20, 1);
        }
        if (value instanceof Number number) {
            return attribute.varint(3, number.longValue()).varint(20, 2);
        }
        if (value instanceof String text) {
            return attribute.string(4, text).varint(20, 3);
        }
        if (value instanceof OnnxModelWriter graph) {
            return attribute.bytes(6, graph.graph()).varint(20, 5);
        }
        List<?> list = (List<?>) value;
        for (Object element : list) {
            if (element instanceof Float number) {
                attribute.fixed32(7, number);
            } else if (element instanceof Number number) {
                attribute.varint(8, number.longValue());
            } else {
                attribute.string(9, (String) element);
            }
        }
        Object first = list.get(0);
        return attribute.varint(20, first instanceof Float ? 6 : first instanceof Number ? 7 : 8);
    }

    /** A function of the model, with the nodes of another writer for its body. */
    public OnnxModelWriter function(String name, List<String> inputs, List<String> outputs, OnnxModelWriter body) {
        Message function = new Message().string(1, name).string(10, "functions");
        inputs.forEach(input -> function.string(4, input));
        outputs.forEach(output -> function.string(5, output));
        body.nodes.forEach(node -> function.bytes(7, node));
        functions.add(function.bytes(9, new Message().varint(2, opset)).toBytes());
        return this;
    }

    /** An operator with attributes that are lists, of texts or of whole numbers. */
    public OnnxModelWriter nodeWithLists(
            String operator, List<String> inputs, List<String> outputs, Map<String, List<?>> attributes) {
        return node(operator, inputs, outputs, attributes);
    }

    /** An input whose number of dimensions the model does not tell. */
    public OnnxModelWriter inputOfAnyShape(String name, String type) {
        inputs.add(declared(name, new Message().bytes(1, new Message().varint(1, number(type)))));
        return this;
    }

    /** An output whose number of dimensions the model does not tell. */
    public OnnxModelWriter outputOfAnyShape(String name, String type) {
        outputs.add(declared(name, new Message().bytes(1, new Message().varint(1, number(type)))));
        return this;
    }

    /** An input that is a sequence of tensors. */
    public OnnxModelWriter sequenceInput(String name, String type) {
        inputs.add(declared(name, sequence(new Message().bytes(1, new Message().varint(1, number(type))))));
        return this;
    }

    /** An output that is a sequence of tensors. */
    public OnnxModelWriter sequenceOutput(String name, String type) {
        outputs.add(declared(name, sequence(new Message().bytes(1, new Message().varint(1, number(type))))));
        return this;
    }

    /** An output that is a sequence of maps to FLOAT. */
    public OnnxModelWriter mapsOutput(String name, String keyType) {
        Message value = new Message().bytes(1, new Message().varint(1, number("FLOAT")));
        outputs.add(declared(
                name,
                sequence(new Message()
                        .bytes(5, new Message().varint(1, number(keyType)).bytes(2, value)))));
        return this;
    }

    private static Message sequence(Message elementType) {
        return new Message().bytes(4, new Message().bytes(1, elementType));
    }

    private static byte[] declared(String name, Message type) {
        return new Message().string(1, name).bytes(2, type).toBytes();
    }

    private static Message nodeMessage(String operator, List<String> inputs, List<String> outputs) {
        Message node = new Message();
        inputs.forEach(input -> node.string(1, input));
        outputs.forEach(output -> node.string(2, output));
        int colon = operator.indexOf(':');
        node.string(3, outputs.get(0)).string(4, operator.substring(colon + 1));
        return colon < 0 ? node : node.string(7, operator.substring(0, colon));
    }

    /** A constant, its numbers row-major. */
    public OnnxModelWriter floats(String name, List<Integer> dims, float... values) {
        ByteBuffer raw = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        raw.asFloatBuffer().put(values);
        return initializer(name, "FLOAT", dims, raw.array());
    }

    /** A constant, its numbers row-major. */
    public OnnxModelWriter int64s(String name, List<Integer> dims, long... values) {
        ByteBuffer raw = ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        raw.asLongBuffer().put(values);
        return initializer(name, "INT64", dims, raw.array());
    }

    /** A constant of type INT8 or UINT8, its numbers row-major, written as raw bytes. */
    public OnnxModelWriter bytes(String name, String type, List<Integer> dims, int... values) {
        byte[] raw = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            raw[i] = (byte) values[i];
        }
        return initializer(name, type, dims, raw);
    }

    /** A constant of type INT8 or UINT8, its numbers row-major, written one by one as some exporters do. */
    public OnnxModelWriter bytesAsNumbers(String name, String type, List<Integer> dims, int... values) {
        Message tensor = tensor(name, type, dims);
        for (int value : values) {
            tensor.varint(5, value);
        }
        initializers.add(tensor.toBytes());
        return this;
    }

    /** A constant whose numbers lie in another file. */
    public OnnxModelWriter external(String name, String type, List<Integer> dims, String location) {
        Message entry = new Message().string(1, "location").string(2, location);
        initializers.add(tensor(name, type, dims).bytes(13, entry).varint(14, 1).toBytes());
        return this;
    }

    private OnnxModelWriter initializer(String name, String type, List<Integer> dims, byte[] raw) {
        initializers.add(tensor(name, type, dims).bytes(9, raw).toBytes());
        return this;
    }

    private static Message tensor(String name, String type, List<Integer> dims) {
        Message tensor = new Message();
        dims.forEach(dim -> tensor.varint(1, dim));
        return tensor.varint(2, number(type)).string(8, name);
    }

    public byte[] toBytes() {
        Message model = new Message()
                .varint(1, irVersion)
                .string(2, "atelier-test")
                .bytes(7, graph())
                .bytes(8, new Message().varint(2, opset))
                .bytes(8, new Message().string(1, "com.microsoft").varint(2, 1))
                .bytes(8, new Message().string(1, "ai.onnx.ml").varint(2, mlOpset));
        functions.forEach(function -> model.bytes(25, function));
        return functions.isEmpty()
                ? model.toBytes()
                : model.bytes(8, new Message().string(1, "functions").varint(2, 1))
                        .toBytes();
    }

    private Message graph() {
        Message graph = new Message();
        nodes.forEach(node -> graph.bytes(1, node));
        graph.string(2, "test");
        initializers.forEach(initializer -> graph.bytes(5, initializer));
        inputs.forEach(input -> graph.bytes(11, input));
        outputs.forEach(output -> graph.bytes(12, output));
        innerValues.forEach(value -> graph.bytes(13, value));
        return graph;
    }

    private static byte[] value(String name, String type, Object... dims) {
        Message shape = new Message();
        for (Object dim : dims) {
            Message dimension = new Message();
            if (dim instanceof Number number) {
                dimension.varint(1, number.longValue());
            } else if (!dim.toString().isEmpty()) {
                dimension.string(2, dim.toString());
            }
            shape.bytes(1, dimension);
        }
        Message tensor = new Message().varint(1, number(type)).bytes(2, shape);
        return declared(name, new Message().bytes(1, tensor));
    }

    private static int number(String type) {
        Integer number = TYPES.get(type);
        if (number == null) {
            throw new IllegalArgumentException("no element type is called " + type);
        }
        return number;
    }

    /** A protobuf message under construction. */
    private static final class Message {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Message varint(int field, long value) {
            raw(((long) field << 3) | VARINT);
            raw(value);
            return this;
        }

        Message fixed32(int field, float value) {
            raw(((long) field << 3) | FIXED32);
            out.writeBytes(ByteBuffer.allocate(Float.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putFloat(value)
                    .array());
            return this;
        }

        Message string(int field, String value) {
            return bytes(field, value.getBytes(StandardCharsets.UTF_8));
        }

        Message bytes(int field, Message value) {
            return bytes(field, value.toBytes());
        }

        Message bytes(int field, byte[] value) {
            raw(((long) field << 3) | LENGTH_DELIMITED);
            raw(value.length);
            out.writeBytes(value);
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
}
