package io.atelier.engine.onnx;

import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * One operator of an ONNX graph, as read. Immutable.
 *
 * @param message NodeProto, written again as it is where nothing changes
 */
record OnnxNode(
        String name, String domain, String operator, List<String> inputs, List<String> outputs, ProtoMessage message) {
    static final int INPUT = 1;
    static final int OUTPUT = 2;
    static final int NAME = 3;
    static final int OPERATOR = 4;
    static final int ATTRIBUTE = 5;
    static final int DOMAIN = 7;

    static final int ATTRIBUTE_NAME = 1;
    static final int ATTRIBUTE_INT = 3;
    static final int ATTRIBUTE_GRAPH = 6;
    static final int ATTRIBUTE_INTS = 8;
    static final int ATTRIBUTE_STRINGS = 9;
    static final int ATTRIBUTE_GRAPHS = 11;
    static final int ATTRIBUTE_TYPE = 20;
    static final int TYPE_INT = 2;
    static final int TYPE_INTS = 7;

    static OnnxNode of(ProtoMessage message) {
        return new OnnxNode(
                message.string(NAME),
                domain(message.string(DOMAIN)),
                message.string(OPERATOR),
                message.strings(INPUT),
                message.strings(OUTPUT),
                message);
    }

    /** The one name of an operator set: the standard operators have two. */
    static String domain(String written) {
        return written.equals("ai.onnx") ? "" : written;
    }

    /** Whether this is the standard operator of that name. */
    boolean is(String standardOperator) {
        return domain.isEmpty() && operator.equals(standardOperator);
    }

    /** The name of an input, empty where an optional one is left out. */
    String input(int index) {
        return index < inputs.size() ? inputs.get(index) : "";
    }

    /** The value of an integer attribute, or zero. */
    long attribute(String wanted) {
        return message.messages(ATTRIBUTE).stream()
                .filter(attribute -> attribute.string(ATTRIBUTE_NAME).equals(wanted))
                .mapToLong(attribute -> attribute.varint(ATTRIBUTE_INT))
                .findFirst()
                .orElse(0);
    }

    /** The values of an attribute that is a list of integers; empty if there is none. */
    List<Long> integers(String wanted) {
        return list(wanted, attribute -> attribute.varints(ATTRIBUTE_INTS));
    }

    /** The values of an attribute that is a list of texts; empty if there is none. */
    List<String> strings(String wanted) {
        return list(wanted, attribute -> attribute.strings(ATTRIBUTE_STRINGS));
    }

    private <T> List<T> list(String wanted, Function<ProtoMessage, List<T>> values) {
        return message.messages(ATTRIBUTE).stream()
                .filter(attribute -> attribute.string(ATTRIBUTE_NAME).equals(wanted))
                .map(values)
                .findFirst()
                .orElse(List.of());
    }

    /** The GraphProtos within this node: the branches of an If, the body of a Loop. */
    Stream<ProtoMessage> subgraphs() {
        return message.messages(ATTRIBUTE).stream()
                .flatMap(attribute -> Stream.concat(
                        attribute.messages(ATTRIBUTE_GRAPH).stream(), attribute.messages(ATTRIBUTE_GRAPHS).stream()));
    }

    /** How a person finds this node in the model: by name, or by what it computes where it has none. */
    String label() {
        return operator + " node '" + (name.isEmpty() ? String.join(", ", outputs) : name) + "'";
    }

    /** A new node, named after its output. */
    static ProtoWriter write(String domain, String operator, List<String> inputs, String output) {
        ProtoWriter node = new ProtoWriter();
        inputs.forEach(input -> node.string(INPUT, input));
        node.string(OUTPUT, output).string(NAME, output).string(OPERATOR, operator);
        return domain.isEmpty() ? node : node.string(DOMAIN, domain);
    }

    /** An attribute of a new node. */
    static ProtoWriter attribute(String name, long value) {
        return new ProtoWriter()
                .string(ATTRIBUTE_NAME, name)
                .varint(ATTRIBUTE_INT, value)
                .varint(ATTRIBUTE_TYPE, TYPE_INT);
    }

    /** A list attribute of a new node. */
    static ProtoWriter attribute(String name, List<Long> values) {
        ProtoWriter attribute = new ProtoWriter().string(ATTRIBUTE_NAME, name);
        values.forEach(value -> attribute.varint(ATTRIBUTE_INTS, value));
        return attribute.varint(ATTRIBUTE_TYPE, TYPE_INTS);
    }

    /** This node with other inputs, all else as it was. */
    ProtoWriter withInputs(Map<String, String> renamed) {
        ProtoWriter node = new ProtoWriter();
        for (ProtoMessage.Field field : message.fields()) {
            if (field.number() == INPUT) {
                node.string(INPUT, renamed.getOrDefault(field.string(), field.string()));
            } else {
                node.field(field);
            }
        }
        return node;
    }
}
