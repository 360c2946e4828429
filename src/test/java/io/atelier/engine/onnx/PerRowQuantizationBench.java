package io.atelier.engine.onnx;

import ai.onnxruntime.OrtException;
import io.atelier.engine.onnx.PerRowQuantization.Rewritten;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;

/**
 * Prints milliseconds per row of the model as exported and as rewritten, interleaved, medians; then how far the
 * rewritten batches are from the rows alone. One thread, 32 tokens.
 */
final class PerRowQuantizationBench {
    private static final int LENGTH = 32;

    private PerRowQuantizationBench() {}

    public static void main(String[] args) throws OrtException {
        byte[] model = SentenceModel.bytes();
        long start = System.nanoTime();
        byte[] rewritten = Parts.joined(
                ((Rewritten) PerRowQuantization.rewrite(ByteBuffer.wrap(model), Parts.NO_FILES, SentenceModel.MASK))
                        .model());
        System.out.printf(
                "rewriting: %d ms, %d to %d bytes%n",
                (System.nanoTime() - start) / 1_000_000, model.length, rewritten.length);
        try (SentenceModel original = new SentenceModel(model);
                SentenceModel perRow = new SentenceModel(rewritten)) {
            time(original, perRow);
            compare(original, perRow);
        }
    }

    private static void time(SentenceModel original, SentenceModel perRow) throws OrtException {
        Random random = new Random(1);
        for (int batch : new int[] {1, 2, 4, 8, 16, 32}) {
            long[][] rows = new long[batch][];
            Arrays.setAll(rows, i -> SentenceModel.sentence(LENGTH, random));
            int runs = Math.max(21, 240 / batch);
            double[] before = new double[runs];
            double[] after = new double[runs];
            for (int i = -3; i < runs; i++) {
                double first = original.millis(rows) / batch;
                double second = perRow.millis(rows) / batch;
                if (i >= 0) {
                    before[i] = first;
                    after[i] = second;
                }
            }
            Arrays.sort(before);
            Arrays.sort(after);
            System.out.printf(
                    "batch %2d: as exported %.2f, rewritten %.2f ms/row%n", batch, before[runs / 2], after[runs / 2]);
        }
    }

    private static void compare(SentenceModel original, SentenceModel perRow) throws OrtException {
        for (int longest : new int[] {16, 32, 64, 128, 256}) {
            Random random = new Random(longest);
            int batches = 8;
            int batch = 8;
            double[] states = new double[batches * batch];
            double[] embeddings = new double[batches * batch];
            double[] asExported = new double[batches * batch];
            for (int i = 0; i < batches; i++) {
                long[][] rows = new long[batch][];
                Arrays.setAll(rows, j -> SentenceModel.sentence(3 + random.nextInt(longest - 2), random));
                float[][][] together = perRow.run(rows);
                float[][][] exported = original.run(rows);
                for (int j = 0; j < batch; j++) {
                    float[][] alone = original.run(rows[j])[0];
                    states[i * batch + j] = SentenceModelTest.furthestState(alone, together[j]);
                    embeddings[i * batch + j] =
                            SentenceModelTest.furthestEmbedding(new float[][][] {alone}, new float[][][] {together[j]});
                    asExported[i * batch + j] =
                            SentenceModelTest.furthestEmbedding(new float[][][] {alone}, new float[][][] {exported[j]});
                }
            }
            System.out.printf(
                    "lengths to %3d: states %s; embeddings %s; embeddings as exported %s%n",
                    longest, spread(states), spread(embeddings), spread(asExported));
        }
    }

    private static String spread(double[] values) {
        Arrays.sort(values);
        long exact = Arrays.stream(values).filter(value -> value == 0).count();
        long near = Arrays.stream(values).filter(value -> value <= 1e-4).count();
        return String.format(
                "%d of %d equal, %d within 1e-4, median %.1e, furthest %.1e",
                exact, values.length, near, values[values.length / 2], values[values.length - 1]);
    }
}
