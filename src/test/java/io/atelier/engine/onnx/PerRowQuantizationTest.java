package io.atelier.engine.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.atelier.engine.onnx.PerRowQuantization.Impossible;
import io.atelier.engine.onnx.PerRowQuantization.NotNeeded;
import io.atelier.engine.onnx.PerRowQuantization.Result;
import io.atelier.engine.onnx.PerRowQuantization.Rewritten;
import io.atelier.testing.OnnxModelWriter;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class PerRowQuantizationTest {
    private static final int KEYS = 4;
    private static final int COLUMNS = 3;
    private static final float PADDING = 1000;

    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();

    /** The pattern as ONNX Runtime's quantiser writes it; each part can be replaced. */
    private static final class Pattern {
        String weightType = "INT8";
        boolean perColumn = true;
        boolean asNumbers = true;
        boolean withBias = true;
        long opset = 13;
        UnaryOperator<OnnxModelWriter> extra = writer -> writer;
        String matMulZeroPoint = "x_zero_point";
        String weights = "w";
        String scalesName = "scales";
        String castTo = "FLOAT";
        boolean weightsAreInput;
        boolean weightsAreExternal;
        Object[] dims = {"batch", "sequence", KEYS};

        OnnxModelWriter writer() {
            int center = weightType.equals("UINT8") ? 120 : 0;
            List<Integer> each = perColumn ? List.of(COLUMNS) : List.of();
            int[] zeroPoints = {center, center, center};
            float[] weightScales = {0.01f, 0.02f, 0.005f};
            int count = perColumn ? COLUMNS : 1;
            int[] numbers = {-100, 127, 3, 50, -128, 7, 90, 11, -60, 4, 77, 100};
            int[] values = Arrays.stream(numbers).map(number -> number + center).toArray();
            if (center > 0) {
                values = Arrays.stream(values)
                        .map(value -> Math.max(0, Math.min(255, value)))
                        .toArray();
            }
            OnnxModelWriter writer = new OnnxModelWriter()
                    .opset(opset)
                    .irVersion(opset >= 18 ? 8 : 7)
                    .input("x", "FLOAT", dims)
                    .input("mask", "INT64", "batch", "sequence")
                    .output("y", "FLOAT", "batch", "sequence", COLUMNS)
                    .floats("w_scale", each, Arrays.copyOf(weightScales, count));
            if (weightsAreInput) {
                writer.input("w", weightType, KEYS, COLUMNS);
            } else if (weightsAreExternal) {
                writer.external("w", weightType, List.of(KEYS, COLUMNS), "weights.bin");
            } else {
                writer.bytes("w", weightType, List.of(KEYS, COLUMNS), values);
            }
            if (asNumbers) {
                writer.bytesAsNumbers("w_zero_point", weightType, each, Arrays.copyOf(zeroPoints, count));
            } else {
                writer.bytes("w_zero_point", weightType, each, Arrays.copyOf(zeroPoints, count));
            }
            writer.node("DynamicQuantizeLinear", List.of("x"), List.of("x_quantized", "x_scale", "x_zero_point"))
                    .node("Mul", List.of("x_scale", "w_scale"), List.of(scalesName))
                    .node(
                            "MatMulInteger",
                            List.of("x_quantized", weights, matMulZeroPoint, "w_zero_point"),
                            List.of("product"))
                    .node("Cast", List.of("product"), List.of("cast"), Map.of("to", castTo.equals("FLOAT") ? 1L : 11L))
                    .node("Mul", List.of("cast", "scales"), List.of(withBias ? "scaled" : "y"));
            if (withBias) {
                writer.floats("bias", List.of(COLUMNS), 0.5f, -1, 2)
                        .node("Add", List.of("bias", "scaled"), List.of("y"));
            }
            return extra.apply(writer);
        }

        byte[] toBytes() {
            return writer().toBytes();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "INT8, true, true, true, 13",
        "INT8, false, false, false, 13",
        "UINT8, true, true, false, 13",
        "UINT8, false, false, true, 13",
        "INT8, true, false, true, 11",
        "UINT8, false, true, true, 18",
        "INT8, true, true, false, 21"
    })
    void givesEachRowWhatItGetsAlone(
            String weightType, boolean perColumn, boolean asNumbers, boolean withBias, long opset) throws OrtException {
        Pattern pattern = new Pattern();
        pattern.weightType = weightType;
        pattern.perColumn = perColumn;
        pattern.asNumbers = asNumbers;
        pattern.withBias = withBias;
        pattern.opset = opset;
        byte[] original = pattern.toBytes();
        byte[] rewritten = rewritten(rewrite(original, "mask"));

        Random random = new Random(opset);
        float[][][] rows = new float[6][][];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = new float[1 + i][KEYS];
            for (float[] position : rows[i]) {
                for (int k = 0; k < KEYS; k++) {
                    // One row is all zero, one all positive, one all negative, the others on both sides of zero.
                    float number = random.nextFloat() * (1 << i);
                    position[k] = i == 0 ? 0 : i == 1 ? number : i == 2 ? -number : number - (1 << i) / 2f;
                }
            }
        }
        try (OrtSession alone = environment.createSession(original);
                OrtSession together = environment.createSession(rewritten)) {
            float[][][] expected = new float[rows.length][][];
            for (int i = 0; i < rows.length; i++) {
                expected[i] = run(alone, new float[][][] {rows[i]})[0];
            }
            assertArrayEquals(expected, run(together, rows));
            assertFalse(Arrays.deepEquals(expected, run(alone, rows)), "the model as it was passes this test");
        }
    }

    @Test
    void toleratesRowsWithoutAnyPosition() throws OrtException {
        byte[] rewritten = rewritten(rewrite(new Pattern().toBytes(), "mask"));
        try (OrtSession session = environment.createSession(rewritten)) {
            float[][] row = {{1, 2, 3, 4}};
            float[][] alone = run(session, new float[][][] {row})[0];
            assertArrayEquals(alone, run(session, new float[][][] {row, {}})[0]);
        }
    }

    /** Runs a batch, padded with what would spoil the range, and returns the positions that are no padding. */
    private float[][][] run(OrtSession session, float[][][] rows) throws OrtException {
        int length = Arrays.stream(rows).mapToInt(row -> row.length).max().orElseThrow();
        float[][][] padded = new float[rows.length][length][KEYS];
        long[][] mask = new long[rows.length][length];
        for (int i = 0; i < rows.length; i++) {
            for (int j = 0; j < length; j++) {
                boolean counts = j < rows[i].length;
                mask[i][j] = counts ? 1 : 0;
                if (counts) {
                    padded[i][j] = rows[i][j];
                } else {
                    Arrays.fill(padded[i][j], PADDING);
                }
            }
        }
        try (OnnxTensor x = OnnxTensor.createTensor(environment, padded);
                OnnxTensor maskTensor = OnnxTensor.createTensor(environment, mask)) {
            boolean masked = session.getInputNames().contains("mask");
            try (OrtSession.Result result = session.run(masked ? Map.of("x", x, "mask", maskTensor) : Map.of("x", x))) {
                float[][][] output = (float[][][]) result.get("y").orElseThrow().getValue();
                for (int i = 0; i < rows.length; i++) {
                    output[i] = Arrays.copyOf(output[i], rows[i].length);
                }
                return output;
            }
        }
    }

    @Test
    void leavesModelsAloneThatDoNotQuantize() {
        assertInstanceOf(NotNeeded.class, rewrite(OnnxModelWriter.matmul(2, 3, 1), null));
        assertInstanceOf(NotNeeded.class, rewrite(OnnxModelWriter.add(2), "mask"));
    }

    @Test
    void doesNotChangeTheBytesItReads() {
        byte[] model = new Pattern().toBytes();
        byte[] before = model.clone();
        rewritten(rewrite(model, "mask"));
        assertArrayEquals(before, model);
    }

    @Test
    void findsNothingLeftToDoInItsOwnModels() {
        byte[] once = rewritten(rewrite(new Pattern().toBytes(), "mask"));
        assertInstanceOf(NotNeeded.class, rewrite(once, "mask"));
    }

    @Test
    void avoidsTakenNames() throws OrtException {
        Pattern pattern = new Pattern();
        pattern.extra = writer -> writer.node("Identity", List.of("x"), List.of("per_row/mask"))
                .output("per_row/mask", "FLOAT", "batch", "sequence", KEYS);
        byte[] rewritten = rewritten(rewrite(pattern.toBytes(), "mask"));
        environment.createSession(rewritten).close();
    }

    static Stream<Arguments> unsupported() {
        Pattern scaleElsewhere = new Pattern();
        scaleElsewhere.extra = writer -> writer.node("Identity", List.of("x_scale"), List.of("also"));
        Pattern quantizedElsewhere = new Pattern();
        quantizedElsewhere.extra = writer -> writer.node("Identity", List.of("x_quantized"), List.of("also"));
        Pattern productElsewhere = new Pattern();
        productElsewhere.extra = writer -> writer.node("Identity", List.of("product"), List.of("also"));
        Pattern scalesElsewhere = new Pattern();
        scalesElsewhere.extra = writer -> writer.node("Identity", List.of("scales"), List.of("also"));
        Pattern scaleIsOutput = new Pattern();
        scaleIsOutput.extra = writer -> writer.output("x_scale", "FLOAT");
        Pattern castIsOutput = new Pattern();
        castIsOutput.extra = writer -> writer.output("cast", "FLOAT", "batch", "sequence", COLUMNS);
        Pattern noZeroPoint = new Pattern();
        noZeroPoint.matMulZeroPoint = "";
        Pattern castToDouble = new Pattern();
        castToDouble.castTo = "DOUBLE";
        Pattern otherScales = new Pattern();
        otherScales.scalesName = "other";
        Pattern weightsAreInput = new Pattern();
        weightsAreInput.weightsAreInput = true;
        Pattern weightsAreExternal = new Pattern();
        weightsAreExternal.weightsAreExternal = true;
        Pattern floatWeights = new Pattern();
        floatWeights.weights = "w_scale";
        Pattern fourDimensions = new Pattern();
        fourDimensions.dims = new Object[] {"batch", 2, "sequence", KEYS};
        Pattern fused = new Pattern();
        fused.extra = writer ->
                writer.node("com.microsoft:DynamicQuantizeMatMul", List.of("x", "w", "w_scale"), List.of("fused"));
        Pattern subgraph = new Pattern();
        subgraph.extra = writer -> writer.nodeWithGraph(
                "If", List.of("condition"), List.of("chosen"), "then_branch", new Pattern().writer());
        Pattern function = new Pattern();
        function.extra = writer -> writer.function("f", List.of("x"), List.of("y"), new Pattern().writer());
        return Stream.of(
                Arguments.of(scaleElsewhere, "DynamicQuantizeLinear node 'x_quantized' gives its scale"),
                Arguments.of(quantizedElsewhere, "DynamicQuantizeLinear node 'x_quantized' does not give its output"),
                Arguments.of(productElsewhere, "MatMulInteger node 'product' is not followed by one Cast alone"),
                Arguments.of(scalesElsewhere, "Mul node 'scales' is not followed by one Mul alone"),
                Arguments.of(scaleIsOutput, "DynamicQuantizeLinear node 'x_quantized' gives its output 'x_scale'"),
                Arguments.of(castIsOutput, "Cast node 'cast' is not followed by one Mul alone"),
                Arguments.of(noZeroPoint, "DynamicQuantizeLinear node 'x_quantized' does not give its output"),
                Arguments.of(castToDouble, "Cast node 'cast' does not cast to FLOAT"),
                Arguments.of(otherScales, "Mul node 'scaled' does not multiply by the scales"),
                Arguments.of(weightsAreInput, "MatMulInteger node 'product' reads 'w', which is not an initializer"),
                Arguments.of(weightsAreExternal, "not an ONNX model: the numbers of tensor 'w' cannot be read"),
                Arguments.of(floatWeights, "MatMulInteger node 'product' has weights that are not an 8-bit matrix"),
                Arguments.of(fourDimensions, "DynamicQuantizeLinear node 'x_quantized' reads 4 dimensions"),
                Arguments.of(fused, "DynamicQuantizeMatMul node 'fused' quantises in an unsupported way"),
                Arguments.of(subgraph, "If node 'chosen' holds a graph of its own"),
                Arguments.of(function, "a function of the model quantises"));
    }

    @ParameterizedTest
    @MethodSource
    void unsupported(Pattern pattern, String reason) {
        assertImpossible(reason, rewrite(pattern.toBytes(), "mask"));
    }

    @Test
    void findsQuantizationsWithinSubgraphs() {
        byte[] model = new OnnxModelWriter()
                .nodeWithGraph("If", List.of("condition"), List.of("y"), "then_branch", new Pattern().writer())
                .toBytes();
        assertImpossible("If node 'y' holds a graph of its own", rewrite(model, "mask"));
    }

    @Test
    void needsAMaskOfTheRightKind() {
        byte[] model = new Pattern().toBytes();
        assertImpossible("no mask input is named", rewrite(model, null));
        assertImpossible("the mask 'none' is not an input", rewrite(model, "none"));
        assertImpossible("the mask 'x' is not INT64", rewrite(model, "x"));
    }

    @Test
    void refusesBytesThatAreNoModel() {
        assertImpossible("not an ONNX model", rewrite(new byte[] {1, 2, 3}, "mask"));
        assertImpossible("not an ONNX model", rewrite(new byte[0], "mask"));
    }

    private static void assertImpossible(String reason, Result result) {
        String actual = assertInstanceOf(Impossible.class, result).reason();
        assertTrue(actual.startsWith(reason), () -> "was: " + actual);
    }

    private static Result rewrite(byte[] model, @Nullable String mask) {
        return PerRowQuantization.rewrite(ByteBuffer.wrap(model), Parts.NO_FILES, mask);
    }

    private static byte[] rewritten(Result result) {
        if (result instanceof Impossible impossible) {
            assertEquals("", impossible.reason());
        }
        return Parts.joined(assertInstanceOf(Rewritten.class, result).model());
    }
}
