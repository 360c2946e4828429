package io.atelier.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;

/**
 * Two ONNX models, written as the protobuf messages that they are.
 *
 * @see <a href="https://github.com/onnx/onnx/blob/main/onnx/onnx.proto">onnx.proto: numbers of the fields</a>
 */
final class OnnxGraph {
    private static final int IR_VERSION = 7;
    private static final int OPSET = 13;
    private static final int VARINT = 0;
    private static final int LENGTH_DELIMITED = 2;

    private OnnxGraph() {}

    /** {@code OUTPUT0 = INPUT0}, of the shape [batch,length]. */
    static byte[] identity(Datatype type) {
        Message graph = new Message().message(1, node("Identity", "OUTPUT0", "INPUT0"));
        Message length = new Message().string(2, "length");
        return model(graph.message(11, value("INPUT0", type, length)).message(12, value("OUTPUT0", type, length)));
    }

    /** {@code OUTPUT0 = INPUT0 + INPUT1} and {@code OUTPUT1 = INPUT0 - INPUT1}, INT32 of the shape [batch,width]. */
    static byte[] add(int width) {
        Message graph = new Message()
                .message(1, node("Add", "OUTPUT0", "INPUT0", "INPUT1"))
                .message(1, node("Sub", "OUTPUT1", "INPUT0", "INPUT1"));
        Message columns = new Message().number(1, width);
        for (int i = 0; i < 2; i++) {
            graph.message(11, value("INPUT" + i, Datatype.INT32, columns));
        }
        for (int i = 0; i < 2; i++) {
            graph.message(12, value("OUTPUT" + i, Datatype.INT32, columns));
        }
        return model(graph);
    }

    private static byte[] model(Message graph) {
        return new Message()
                .number(1, IR_VERSION)
                .string(2, "conformance")
                .message(7, graph.string(2, "conformance"))
                .message(8, new Message().number(2, OPSET))
                .bytes();
    }

    private static Message node(String operator, String output, String... inputs) {
        Message node = new Message();
        for (String input : inputs) {
            node.string(1, input);
        }
        return node.string(2, output).string(3, output).string(4, operator);
    }

    private static Message value(String name, Datatype type, Message columns) {
        Message shape =
                new Message().message(1, new Message().string(2, "batch")).message(1, columns);
        Message tensor = new Message().number(1, elementType(type)).message(2, shape);
        return new Message().string(1, name).message(2, new Message().message(1, tensor));
    }

    /** Its number in {@code TensorProto.DataType}. */
    private static int elementType(Datatype type) {
        return switch (type) {
            case FP32 -> 1;
            case UINT8 -> 2;
            case INT8 -> 3;
            case UINT16 -> 4;
            case INT16 -> 5;
            case INT32 -> 6;
            case INT64 -> 7;
            case BYTES -> 8;
            case BOOL -> 9;
            case FP16 -> 10;
            case FP64 -> 11;
            case UINT32 -> 12;
            case UINT64 -> 13;
            case BF16 -> 16;
        };
    }

    /** A protobuf message under construction. */
    private static final class Message {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Message number(int field, long value) {
            varint(((long) field << 3) | VARINT);
            varint(value);
            return this;
        }

        Message string(int field, String value) {
            return delimited(field, value.getBytes(UTF_8));
        }

        Message message(int field, Message value) {
            return delimited(field, value.bytes());
        }

        byte[] bytes() {
            return out.toByteArray();
        }

        private Message delimited(int field, byte[] value) {
            varint(((long) field << 3) | LENGTH_DELIMITED);
            varint(value.length);
            out.writeBytes(value);
            return this;
        }

        private void varint(long value) {
            long rest = value;
            while (rest > 0x7f) {
                out.write((int) (rest & 0x7f) | 0x80);
                rest >>>= 7;
            }
            out.write((int) rest);
        }
    }
}
