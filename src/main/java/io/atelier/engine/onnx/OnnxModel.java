package io.atelier.engine.onnx;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * An ONNX model, as read: the parts of ModelProto and GraphProto that a rewriting needs, over the message that holds
 * all others. Immutable.
 *
 * @see <a href="https://github.com/onnx/onnx/blob/main/onnx/onnx.proto">ONNX: onnx.proto</a>
 */
final class OnnxModel {
    static final int GRAPH = 7;
    static final int OPSET_IMPORT = 8;
    static final int OPSET_DOMAIN = 1;
    static final int OPSET_VERSION = 2;

    static final int NODE = 1;
    static final int INITIALIZER = 5;
    static final int VALUE_INFO = 13;

    private static final int FUNCTION = 25;
    private static final int FUNCTION_NODE = 7;
    private static final int INPUT = 11;
    private static final int OUTPUT = 12;

    private final ProtoMessage message;
    private final ProtoMessage graph;
    private final List<OnnxNode> nodes;
    private final Map<String, OnnxTensor> initializers;
    private final Map<String, OnnxValue> inputs;
    private final Map<String, OnnxValue> outputs;
    private final Map<String, OnnxValue> innerValues;
    private final Map<String, List<OnnxNode>> consumers;

    private OnnxModel(ProtoMessage message, WeightFiles files) {
        this.message = message;
        List<ProtoMessage> graphs = message.messages(GRAPH);
        if (graphs.size() != 1) {
            throw new MalformedModelException("there are " + graphs.size() + " graphs instead of one");
        }
        graph = graphs.get(0);
        nodes = graph.messages(NODE).stream().map(OnnxNode::of).toList();
        initializers = byName(INITIALIZER, tensor -> OnnxTensor.of(tensor, files), OnnxTensor::name);
        inputs = byName(INPUT, OnnxValue::of, OnnxValue::name);
        outputs = byName(OUTPUT, OnnxValue::of, OnnxValue::name);
        innerValues = byName(VALUE_INFO, OnnxValue::of, OnnxValue::name);
        consumers = new LinkedHashMap<>();
        for (OnnxNode node : nodes) {
            node.inputs().stream()
                    .distinct()
                    .forEach(input -> consumers
                            .computeIfAbsent(input, name -> new ArrayList<>())
                            .add(node));
        }
    }

    static OnnxModel parse(ByteBuffer model, WeightFiles files) {
        return new OnnxModel(ProtoMessage.parse(model), files);
    }

    private <T> Map<String, T> byName(int number, Function<ProtoMessage, T> read, Function<T, String> name) {
        return graph.messages(number).stream()
                .map(read)
                .collect(Collectors.toMap(name, value -> value, (first, second) -> second, LinkedHashMap::new));
    }

    ProtoMessage message() {
        return message;
    }

    ProtoMessage graph() {
        return graph;
    }

    /** The nodes of the main graph, in the order in which they run. */
    List<OnnxNode> nodes() {
        return nodes;
    }

    /** The nodes of the main graph, of the graphs within them, and of the model's own functions. */
    Stream<OnnxNode> allNodes() {
        Stream<OnnxNode> inFunctions = message.messages(FUNCTION).stream()
                .flatMap(function -> function.messages(FUNCTION_NODE).stream())
                .map(OnnxNode::of);
        return Stream.concat(nodes.stream(), inFunctions).flatMap(OnnxModel::withInner);
    }

    private static Stream<OnnxNode> withInner(OnnxNode node) {
        return Stream.concat(
                Stream.of(node),
                node.subgraphs()
                        .flatMap(graph -> graph.messages(NODE).stream())
                        .map(OnnxNode::of)
                        .flatMap(OnnxModel::withInner));
    }

    Map<String, OnnxTensor> initializers() {
        return initializers;
    }

    Map<String, OnnxValue> inputs() {
        return inputs;
    }

    Map<String, OnnxValue> outputs() {
        return outputs;
    }

    /** The declared types of inner values; a model may leave out any of them. */
    Map<String, OnnxValue> innerValues() {
        return innerValues;
    }

    /** The nodes of the main graph that read a value. */
    List<OnnxNode> consumers(String value) {
        return consumers.getOrDefault(value, List.of());
    }

    /** The imported version of an operator set, or zero. The standard operators have the empty name. */
    long opset(String domain) {
        return message.messages(OPSET_IMPORT).stream()
                .filter(opset -> OnnxNode.domain(opset.string(OPSET_DOMAIN)).equals(domain))
                .mapToLong(opset -> opset.varint(OPSET_VERSION))
                .findFirst()
                .orElse(0);
    }
}
