package io.atelier.engine.onnx;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntConsumer;
import java.util.stream.Stream;

/**
 * One activation that a model quantises as it runs, with every product computed from it. Immutable. Holds only what
 * {@link #in} has found to follow the pattern:
 *
 * <pre>
 * x ── DynamicQuantizeLinear ─┬─ quantised, zero point ── MatMulInteger ── Cast ── Mul [── Add bias]
 *                             └─ scale ── Mul weight scale ──────────────────────── ┘
 * </pre>
 *
 * @param node     the DynamicQuantizeLinear
 * @param products the multiplications that read its outputs; at least one
 */
record DynamicQuantization(OnnxNode node, List<Product> products) {
    private static final String FAMILY = "DynamicQuantize";

    /**
     * One multiplication of the quantised activation by constant weights.
     *
     * @param matMul          MatMulInteger
     * @param cast            its result as floats
     * @param scales          product of both scales
     * @param multiply        the result in real numbers
     * @param weights         INT8 or UINT8 [K,N]
     * @param weightZeroPoint scalar or [N], of the weights' type; absent is zero
     * @param weightScale     name of a scalar or [N]
     * @param bias            what the only consumer of the result adds, if that is a constant [N]
     */
    record Product(
            OnnxNode matMul,
            OnnxNode cast,
            OnnxNode scales,
            OnnxNode multiply,
            OnnxTensor weights,
            Optional<OnnxTensor> weightZeroPoint,
            String weightScale,
            Optional<Bias> bias) {
        int columns() {
            return Math.toIntExact(weights.dims().get(1));
        }

        String result() {
            return multiply.outputs().get(0);
        }

        boolean weightsHaveZeroPoint() {
            return weightZeroPoint.isPresent()
                    && Arrays.stream(weightZeroPoint.get().eightBitValues()).anyMatch(zeroPoint -> zeroPoint != 0);
        }

        /** For each column, the sum over the weights less their zero point. */
        float[] columnSums() {
            int[] zeroPoints = weightZeroPoint.map(OnnxTensor::eightBitValues).orElseGet(() -> new int[1]);
            int[] sums = new int[columns()];
            weights.forEachEightBitValue(new IntConsumer() {
                private int column;

                @Override
                public void accept(int value) {
                    sums[column] += value - zeroPoints[zeroPoints.length == 1 ? 0 : column];
                    column = (column + 1) % sums.length;
                }
            });
            float[] floats = new float[sums.length];
            for (int i = 0; i < floats.length; i++) {
                floats[i] = sums[i];
            }
            return floats;
        }
    }

    /** A constant [N] and the Add that reads it. */
    record Bias(OnnxNode add, OnnxTensor values) {}

    /** A model quantises in a way other than the pattern. The reason names the node and says what is unlike. */
    static final class UnsupportedException extends Exception {
        private static final long serialVersionUID = 1L;

        private final String reason;

        UnsupportedException(String reason) {
            super(reason, null, false, false);
            this.reason = reason;
        }

        UnsupportedException(OnnxNode node, String difference) {
            this(node.label() + " " + difference);
        }

        String reason() {
            return reason;
        }
    }

    /** Whether a node quantises by the range of a whole tensor that it measures as it runs. */
    static boolean isIn(OnnxNode node) {
        return node.operator().startsWith(FAMILY);
    }

    /** All of a model's, in the order in which they run. */
    static List<DynamicQuantization> in(OnnxModel model) throws UnsupportedException {
        Reader reader = new Reader(model);
        List<DynamicQuantization> found = new ArrayList<>();
        for (OnnxNode node : model.nodes()) {
            if (node.subgraphs().findAny().isPresent()) {
                // Its graphs read the values of this one without naming them as inputs.
                throw new UnsupportedException(node, "holds a graph of its own");
            }
            if (node.is("DynamicQuantizeLinear")) {
                found.add(reader.quantization(node));
            } else if (isIn(node)) {
                throw new UnsupportedException(node, "quantises in an unsupported way");
            }
        }
        if (model.allNodes().filter(DynamicQuantization::isIn).count() != found.size()) {
            throw new UnsupportedException("a function of the model quantises");
        }
        return found;
    }

    private record Reader(OnnxModel model) {
        private static final int UNKNOWN = -1;

        DynamicQuantization quantization(OnnxNode node) throws UnsupportedException {
            if (node.outputs().size() != 3 || node.outputs().contains("")) {
                throw new UnsupportedException(node, "lacks an output");
            }
            String quantized = node.outputs().get(0);
            String scale = node.outputs().get(1);
            String zeroPoint = node.outputs().get(2);
            for (String output : node.outputs()) {
                if (model.outputs().containsKey(output)) {
                    throw new UnsupportedException(node, "gives its output '" + output + "' to the caller");
                }
            }
            int rank = rankOf(node.input(0));
            if (rank != UNKNOWN && rank != 3) {
                throw new UnsupportedException(node, "reads " + rank + " dimensions instead of [batch, sequence, K]");
            }
            List<OnnxNode> matMuls = model.consumers(quantized);
            if (matMuls.isEmpty() || !matMuls.equals(model.consumers(zeroPoint))) {
                throw new UnsupportedException(node, "does not give its output and zero point to the same nodes");
            }
            List<Product> products = new ArrayList<>();
            for (OnnxNode matMul : matMuls) {
                products.add(product(node, matMul, quantized, scale, zeroPoint));
            }
            if (products.stream().map(Product::scales).distinct().count() != products.size()
                    || model.consumers(scale).size() != products.size()) {
                throw new UnsupportedException(node, "gives its scale to other nodes than the products need");
            }
            return new DynamicQuantization(node, List.copyOf(products));
        }

        private int rankOf(String value) {
            for (Map<String, OnnxValue> values : List.of(model.inputs(), model.innerValues(), model.outputs())) {
                OnnxValue declared = values.get(value);
                if (declared != null) {
                    return declared.rank().orElse(UNKNOWN);
                }
            }
            return UNKNOWN;
        }

        private Product product(OnnxNode source, OnnxNode matMul, String quantized, String scale, String zeroPoint)
                throws UnsupportedException {
            if (!matMul.is("MatMulInteger")
                    || !matMul.input(0).equals(quantized)
                    || !matMul.input(2).equals(zeroPoint)
                    || Collections.frequency(matMul.inputs(), quantized) != 1
                    || Collections.frequency(matMul.inputs(), zeroPoint) != 1) {
                throw new UnsupportedException(matMul, "reads " + source.label() + " otherwise than as its input A");
            }
            OnnxTensor weights = constant(matMul, matMul.input(1));
            if (!weights.isEightBit() || weights.dims().size() != 2 || weights.elementCount() == 0) {
                throw new UnsupportedException(matMul, "has weights that are not an 8-bit matrix");
            }
            long columns = weights.dims().get(1);
            Optional<OnnxTensor> weightZeroPoint = Optional.empty();
            if (!matMul.input(3).isEmpty()) {
                OnnxTensor tensor = constant(matMul, matMul.input(3));
                if (tensor.dataType() != weights.dataType() || !tensor.isScalarOrPerColumn(columns)) {
                    throw new UnsupportedException(matMul, "has a zero point that is neither a scalar nor per column");
                }
                weightZeroPoint = Optional.of(tensor);
            }

            OnnxNode cast = onlyConsumer(matMul, "Cast");
            if (cast.attribute("to") != OnnxTensor.FLOAT) {
                throw new UnsupportedException(cast, "does not cast to FLOAT");
            }
            OnnxNode multiply = onlyConsumer(cast, "Mul");
            String scalesName = other(multiply, cast.outputs().get(0));
            OnnxNode scales = model.nodes().stream()
                    .filter(node -> node.outputs().contains(scalesName))
                    .findFirst()
                    .orElseThrow(() -> new UnsupportedException(multiply, "does not multiply by the scales"));
            if (!scales.is("Mul")
                    || !scales.inputs().contains(scale)
                    || !onlyConsumer(scales, "Mul").equals(multiply)) {
                throw new UnsupportedException(scales, "is not the product of both scales, used once");
            }
            String weightScaleName = other(scales, scale);
            OnnxTensor weightScale = constant(scales, weightScaleName);
            if (weightScale.dataType() != OnnxTensor.FLOAT || !weightScale.isScalarOrPerColumn(columns)) {
                throw new UnsupportedException(scales, "has a weight scale that is neither a scalar nor per column");
            }
            return new Product(
                    matMul, cast, scales, multiply, weights, weightZeroPoint, weightScaleName, bias(multiply, columns));
        }

        private OnnxNode onlyConsumer(OnnxNode node, String operator) throws UnsupportedException {
            List<OnnxNode> consumers = model.consumers(node.outputs().get(0));
            if (consumers.size() != 1
                    || !consumers.get(0).is(operator)
                    || model.outputs().containsKey(node.outputs().get(0))) {
                throw new UnsupportedException(node, "is not followed by one " + operator + " alone");
            }
            return consumers.get(0);
        }

        private String other(OnnxNode node, String one) throws UnsupportedException {
            if (node.inputs().size() != 2 || node.input(0).equals(node.input(1))) {
                throw new UnsupportedException(node, "does not read two values");
            }
            return node.input(0).equals(one) ? node.input(1) : node.input(0);
        }

        private OnnxTensor constant(OnnxNode node, String name) throws UnsupportedException {
            OnnxTensor tensor = model.initializers().get(name);
            if (tensor == null || model.inputs().containsKey(name)) {
                throw new UnsupportedException(node, "reads '" + name + "', which is not an initializer");
            }
            return tensor;
        }

        private Optional<Bias> bias(OnnxNode multiply, long columns) {
            String result = multiply.outputs().get(0);
            if (model.outputs().containsKey(result)) {
                return Optional.empty();
            }
            List<OnnxNode> adds = model.consumers(result);
            if (adds.size() != 1
                    || !adds.get(0).is("Add")
                    || adds.get(0).inputs().size() != 2) {
                return Optional.empty();
            }
            OnnxNode add = adds.get(0);
            OnnxTensor values = model.initializers().get(add.input(0).equals(result) ? add.input(1) : add.input(0));
            if (values == null || model.inputs().containsKey(values.name())) {
                return Optional.empty();
            }
            return values.dataType() == OnnxTensor.FLOAT && values.dims().equals(List.of(columns))
                    ? Optional.of(new Bias(add, values))
                    : Optional.empty();
        }
    }

    /** The products' values and this node's, which are gone once the model is rewritten. */
    List<String> replacedValues() {
        return Stream.concat(
                        node.outputs().stream(),
                        products.stream()
                                .flatMap(product -> Stream.of(product.matMul(), product.cast(), product.scales())
                                        .map(replaced -> replaced.outputs().get(0))))
                .toList();
    }
}
