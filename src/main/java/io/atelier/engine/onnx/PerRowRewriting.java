package io.atelier.engine.onnx;

import io.atelier.engine.onnx.DynamicQuantization.Bias;
import io.atelier.engine.onnx.DynamicQuantization.Product;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Writes a model anew with its quantisations per row, as {@link PerRowQuantization} tells. Used once, by one thread.
 *
 * <p>What costs time is each pass over [B,S,K] or [B,S,N] and, for small batches, each node. So the mask is applied to
 * the ranges of single positions, which are K times fewer than the activations.
 */
final class PerRowRewriting {
    private static final String RUNTIME_OPERATORS = "com.microsoft";
    private static final long FIRST_OPSET_WITH_AXES_AS_INPUT = 18;

    private final OnnxModel model;
    private final String maskInput;
    private final List<DynamicQuantization> quantizations;
    private final String prefix;
    private final boolean axesAreInputs;
    private final List<ProtoWriter> nodes = new ArrayList<>();
    private final List<ProtoWriter> initializers = new ArrayList<>();
    private final Set<String> read = new HashSet<>();

    private final String mask;
    private final String negativeMask;
    private final String positive;
    private final String steps;
    private final String half;
    private final String halfAsByte;
    private final String one;
    private final String flat;
    private final String featureAxis;
    private final String sequenceAxis;

    PerRowRewriting(OnnxModel model, String maskInput, List<DynamicQuantization> quantizations) {
        this.model = model;
        this.maskInput = maskInput;
        this.quantizations = quantizations;
        axesAreInputs = model.opset("") >= FIRST_OPSET_WITH_AXES_AS_INPUT;
        prefix = freePrefix(model);
        mask = prefix + "mask";
        negativeMask = prefix + "negative_mask";
        positive = prefix + "positive";
        steps = prefix + "steps";
        half = prefix + "half";
        halfAsByte = prefix + "half_as_byte";
        one = prefix + "one";
        flat = prefix + "flat";
        featureAxis = prefix + "feature_axis";
        sequenceAxis = prefix + "sequence_axis";
    }

    /** New values must not take the name of one that is there. */
    private static String freePrefix(OnnxModel model) {
        List<String> taken = Stream.of(
                        model.nodes().stream()
                                .flatMap(node -> Stream.concat(Stream.of(node.name()), node.outputs().stream())),
                        model.inputs().keySet().stream(),
                        model.initializers().keySet().stream())
                .flatMap(names -> names)
                .toList();
        String prefix = "per_row/";
        while (startsOne(taken, prefix)) {
            prefix = "_" + prefix;
        }
        return prefix;
    }

    private static boolean startsOne(List<String> names, String prefix) {
        return names.stream().anyMatch(name -> name.startsWith(prefix));
    }

    ProtoWriter write() {
        writeShared();
        Map<OnnxNode, Runnable> replacements = new HashMap<>();
        Map<OnnxNode, Map<String, String>> renamings = new HashMap<>();
        for (int i = 0; i < quantizations.size(); i++) {
            plan(quantizations.get(i), prefix + i + "/", replacements, renamings);
        }
        for (OnnxNode node : model.nodes()) {
            Runnable replacement = replacements.get(node);
            if (replacement != null) {
                replacement.run();
                continue;
            }
            Map<String, String> renamed = renamings.getOrDefault(node, Map.of());
            node.inputs().forEach(input -> read.add(renamed.getOrDefault(input, input)));
            nodes.add(node.withInputs(renamed));
        }
        return writeModel();
    }

    /** The mask as [B,S,1], and the constants that all quantisations share. */
    private void writeShared() {
        // A range of 0 would divide 0 by 0. This one is far below any that counts.
        initializers.add(OnnxTensor.floats(positive, List.of(), 1e-30f));
        initializers.add(OnnxTensor.floats(steps, List.of(), 255));
        initializers.add(OnnxTensor.floats(half, List.of(), 128));
        initializers.add(OnnxTensor.uint8(halfAsByte, 128));
        initializers.add(OnnxTensor.floats(one, List.of(), 1));
        initializers.add(OnnxTensor.int64s(flat, -1));
        if (axesAreInputs) {
            initializers.add(OnnxTensor.int64s(featureAxis, 2));
            initializers.add(OnnxTensor.int64s(sequenceAxis, 1));
        }
        String maskShape = prefix + "mask_shape";
        String minusOne = prefix + "minus_one";
        initializers.add(OnnxTensor.int64s(maskShape, 0, -1, 1));
        initializers.add(OnnxTensor.floats(minusOne, List.of(), -1));
        node("Reshape", mask, cast(prefix + "mask_as_float", maskInput, OnnxTensor.FLOAT), maskShape);
        node("Mul", negativeMask, mask, minusOne);
    }

    private void plan(
            DynamicQuantization quantization,
            String names,
            Map<OnnxNode, Runnable> replacements,
            Map<OnnxNode, Map<String, String>> renamings) {
        replacements.put(quantization.node(), () -> quantize(quantization.node(), names));
        for (int i = 0; i < quantization.products().size(); i++) {
            Product product = quantization.products().get(i);
            String productNames = names + i + "/";
            Runnable nothing = () -> {};
            replacements.put(product.matMul(), nothing);
            replacements.put(product.cast(), nothing);
            replacements.put(product.scales(), nothing);
            replacements.put(
                    product.multiply(),
                    () -> multiply(product, quantization.node().outputs().get(0), names, productNames));
            product.bias().ifPresent(bias -> renamings.put(bias.add(), threeDimensional(bias, productNames)));
        }
    }

    private void quantize(OnnxNode quantization, String names) {
        String x = quantization.input(0);
        // Both ends of the range as distances from 0, so that one operator serves both.
        String above = end(names + "above", reduce("ReduceMax", names + "highest", x, 2, featureAxis), mask);
        String below = end(names + "below", reduce("ReduceMin", names + "lowest", x, 2, featureAxis), negativeMask);
        String range = node("Add", names + "range", above, below);
        String scale = node("Div", names + "scale", range, steps);
        String zeroPoint = node("Round", names + "zero_point", node("Div", names + "below_in_steps", below, scale));
        node("Sub", names + "shift", half, zeroPoint);

        String scales = node("Reshape", names + "scales", scale, flat);
        String zeroPoints = node("Reshape", names + "zero_points", zeroPoint, flat);
        String zeroPointBytes = cast(names + "zero_point_bytes", zeroPoints, OnnxTensor.UINT8);
        nodes.add(OnnxNode.write(
                        // The standard operator has no axis before opset 13.
                        RUNTIME_OPERATORS,
                        "QuantizeLinear",
                        List.of(x, scales, zeroPointBytes),
                        quantization.outputs().get(0))
                .message(OnnxNode.ATTRIBUTE, OnnxNode.attribute("axis", 0)));
        read.add(x);
    }

    /** How far the counted positions of each row reach to one side of 0, [B,1,1]. */
    private String end(String name, String positions, String signedMask) {
        String counted = node("Mul", name + "_counted", positions, signedMask);
        return node("Max", name, reduce("ReduceMax", name + "_furthest", counted, 1, sequenceAxis), positive);
    }

    private void multiply(Product product, String quantized, String quantizationNames, String names) {
        String sums = names + "sums";
        initializers.add(OnnxTensor.floats(sums, List.of((long) product.columns()), product.columnSums()));
        // Half of the byte's range as zero point keeps the sums within the exact whole numbers.
        List<String> inputs =
                new ArrayList<>(List.of(quantized, product.weights().name(), one, one, halfAsByte));
        // Without a zero point of the weights the runtime has one sum less to form.
        product.weightZeroPoint()
                .filter(zeroPoint -> product.weightsHaveZeroPoint())
                .ifPresent(zeroPoint -> inputs.add(zeroPoint.name()));
        read.addAll(inputs);
        String sum = names + "sum";
        nodes.add(OnnxNode.write(RUNTIME_OPERATORS, "MatMulIntegerToFloat", inputs, sum));
        String correction = node("Mul", names + "correction", quantizationNames + "shift", sums);
        String scale = node("Mul", names + "scale", quantizationNames + "scale", product.weightScale());
        String corrected = node("Add", names + "corrected", sum, correction);
        node("Mul", product.result(), corrected, scale);
    }

    /**
     * The bias as [1,1,N]. ONNX Runtime fuses a bias [N] with the activation after it, and its fused operator takes
     * longer than both.
     */
    private Map<String, String> threeDimensional(Bias bias, String names) {
        String name = names + "bias";
        OnnxTensor values = bias.values();
        initializers.add(values.reshaped(name, List.of(1L, 1L, values.dims().get(0))));
        return Map.of(values.name(), name);
    }

    private String node(String operator, String output, String... inputs) {
        nodes.add(OnnxNode.write("", operator, List.of(inputs), output));
        read.addAll(List.of(inputs));
        return output;
    }

    private String cast(String output, String input, int dataType) {
        nodes.add(OnnxNode.write("", "Cast", List.of(input), output)
                .message(OnnxNode.ATTRIBUTE, OnnxNode.attribute("to", dataType)));
        read.add(input);
        return output;
    }

    /** Reduces one axis to length 1. */
    private String reduce(String operator, String output, String input, long axis, String axisInput) {
        read.add(input);
        ProtoWriter node =
                OnnxNode.write("", operator, axesAreInputs ? List.of(input, axisInput) : List.of(input), output);
        if (!axesAreInputs) {
            node.message(OnnxNode.ATTRIBUTE, OnnxNode.attribute("axes", List.of(axis)));
        }
        nodes.add(node.message(OnnxNode.ATTRIBUTE, OnnxNode.attribute("keepdims", 1)));
        return output;
    }

    private ProtoWriter writeModel() {
        ProtoWriter graph = writeGraph();
        ProtoWriter written = new ProtoWriter();
        for (ProtoMessage.Field field : model.message().fields()) {
            if (field.number() == OnnxModel.GRAPH) {
                written.message(OnnxModel.GRAPH, graph);
            } else {
                written.field(field);
            }
        }
        if (model.opset(RUNTIME_OPERATORS) == 0) {
            written.message(
                    OnnxModel.OPSET_IMPORT,
                    new ProtoWriter()
                            .string(OnnxModel.OPSET_DOMAIN, RUNTIME_OPERATORS)
                            .varint(OnnxModel.OPSET_VERSION, 1));
        }
        return written;
    }

    private ProtoWriter writeGraph() {
        Set<String> replaced = quantizations.stream()
                .flatMap(quantization -> quantization.replacedValues().stream())
                .collect(Collectors.toSet());
        Set<String> readBefore =
                model.nodes().stream().flatMap(node -> node.inputs().stream()).collect(Collectors.toSet());
        ProtoWriter graph = new ProtoWriter();
        nodes.forEach(node -> graph.message(OnnxModel.NODE, node));
        for (ProtoMessage.Field field : model.graph().fields()) {
            boolean written = switch (field.number()) {
                case OnnxModel.NODE -> false;
                case OnnxModel.INITIALIZER -> {
                    String name = field.message().string(OnnxTensor.NAME);
                    // Drop what only replaced nodes read, leave the rest to its author.
                    yield read.contains(name)
                            || !readBefore.contains(name)
                            || model.outputs().containsKey(name);
                }
                case OnnxModel.VALUE_INFO ->
                    !replaced.contains(OnnxValue.of(field.message()).name());
                default -> true;
            };
            if (written) {
                graph.field(field);
            }
        }
        initializers.forEach(initializer -> graph.message(OnnxModel.INITIALIZER, initializer));
        return graph;
    }
}
