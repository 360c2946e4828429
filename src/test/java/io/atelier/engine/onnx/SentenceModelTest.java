package io.atelier.engine.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import io.atelier.engine.onnx.PerRowQuantization.Rewritten;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The rewriting, on a model that people use. */
class SentenceModelTest {
    private static final int[] LENGTHS = {4, 11, 3, 20, 5, 32, 7, 16};
    private static final double TOLERANCE = 1e-4;

    @Test
    void aBatchGivesEachSentenceWhatItGetsAlone() throws OrtException {
        byte[] model = SentenceModel.bytes();
        byte[] rewritten = Parts.joined(assertInstanceOf(
                        Rewritten.class,
                        PerRowQuantization.rewrite(ByteBuffer.wrap(model), Parts.NO_FILES, SentenceModel.MASK))
                .model());
        Random random = new Random(1);
        long[][] rows = IntStream.of(LENGTHS)
                .mapToObj(length -> SentenceModel.sentence(length, random))
                .toArray(long[][]::new);
        try (SentenceModel original = new SentenceModel(model);
                SentenceModel perRow = new SentenceModel(rewritten)) {
            float[][][] alone = new float[rows.length][][];
            for (int i = 0; i < rows.length; i++) {
                alone[i] = original.run(rows[i])[0];
            }
            double asExported = furthestEmbedding(alone, original.run(rows));
            double asRewritten = furthestEmbedding(alone, perRow.run(rows));
            assertTrue(asRewritten <= TOLERANCE, () -> "rewritten: " + asRewritten);
            assertTrue(asExported > 100 * TOLERANCE, () -> "as exported: " + asExported);
        }
    }

    /**
     * Processors with AVX2 or AVX-512 and without VNNI add two products of an unsigned and a signed byte in 16 bits, where
     * 255 times 64 fits twice and 255 times 65 does not. So weights of 7 bits give the same sums everywhere.
     */
    @Test
    void noPairOfProductsOfTheEmbeddedModelLeavesSixteenBits() throws Exception {
        int products = 0;
        for (DynamicQuantization quantization :
                DynamicQuantization.in(OnnxModel.parse(ByteBuffer.wrap(SentenceModel.bytes()), Parts.NO_FILES))) {
            for (DynamicQuantization.Product product : quantization.products()) {
                int[] weights = product.weights().eightBitValues();
                assertTrue(
                        IntStream.of(weights).allMatch(weight -> weight >= -64 && weight <= 64),
                        () -> product.matMul().label());
                products++;
            }
        }
        assertEquals(36, products);
    }

    static double furthestEmbedding(float[][][] expected, float[][][] actual) {
        double furthest = 0;
        for (int i = 0; i < expected.length; i++) {
            double[] one = SentenceModel.embedding(expected[i]);
            double[] other = SentenceModel.embedding(actual[i]);
            for (int j = 0; j < one.length; j++) {
                furthest = Math.max(furthest, Math.abs(one[j] - other[j]));
            }
        }
        return furthest;
    }

    static double furthestState(float[][] expected, float[][] actual) {
        double furthest = 0;
        for (int i = 0; i < expected.length; i++) {
            for (int j = 0; j < expected[i].length; j++) {
                furthest = Math.max(furthest, Math.abs(expected[i][j] - actual[i][j]));
            }
        }
        return furthest;
    }
}
