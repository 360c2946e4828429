package io.atelier.engine.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.Random;

/** The quantised all-MiniLM-L6-v2 in a session with one thread. Closing it closes the session. */
final class SentenceModel implements AutoCloseable {
    static final String MASK = "attention_mask";
    private static final long FIRST_WORD = 1000;
    private static final int WORDS = 29000;
    private static final long START = 101;
    private static final long END = 102;

    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;

    SentenceModel(byte[] model) throws OrtException {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(1);
            session = environment.createSession(model, options);
        }
    }

    static byte[] bytes() {
        try (InputStream stream = SentenceModel.class.getResourceAsStream("/all-minilm-l6-v2-q.onnx")) {
            return Objects.requireNonNull(stream).readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Token ids of a sentence of random words. */
    static long[] sentence(int length, Random random) {
        long[] ids = new long[length];
        for (int i = 0; i < length; i++) {
            ids[i] = FIRST_WORD + random.nextInt(WORDS);
        }
        ids[0] = START;
        ids[length - 1] = END;
        return ids;
    }

    /** Token states of each row, without those of padding: [row][position][384]. */
    float[][][] run(long[]... rows) throws OrtException {
        try (Inputs inputs = new Inputs(rows);
                OrtSession.Result result = session.run(inputs.tensors)) {
            float[][][] states = (float[][][]) result.get(0).getValue();
            for (int i = 0; i < rows.length; i++) {
                states[i] = Arrays.copyOf(states[i], rows[i].length);
            }
            return states;
        }
    }

    /** How long the session alone takes for the rows, in milliseconds: nothing is copied in or out. */
    double millis(long[]... rows) throws OrtException {
        try (Inputs inputs = new Inputs(rows)) {
            long start = System.nanoTime();
            session.run(inputs.tensors).close();
            return (System.nanoTime() - start) / 1e6;
        }
    }

    /** Rows padded to the longest. */
    private final class Inputs implements AutoCloseable {
        private final Map<String, OnnxTensor> tensors;

        Inputs(long[][] rows) throws OrtException {
            int length = Arrays.stream(rows).mapToInt(row -> row.length).max().orElseThrow();
            long[][] ids = new long[rows.length][];
            long[][] mask = new long[rows.length][length];
            for (int i = 0; i < rows.length; i++) {
                ids[i] = Arrays.copyOf(rows[i], length);
                Arrays.fill(mask[i], 0, rows[i].length, 1);
            }
            tensors = Map.of(
                    "input_ids",
                    OnnxTensor.createTensor(environment, ids),
                    MASK,
                    OnnxTensor.createTensor(environment, mask),
                    "token_type_ids",
                    OnnxTensor.createTensor(environment, new long[rows.length][length]));
        }

        @Override
        public void close() {
            tensors.values().forEach(OnnxTensor::close);
        }
    }

    /** The mean of the token states, of length 1. */
    static double[] embedding(float[][] states) {
        double[] sum = new double[states[0].length];
        for (float[] state : states) {
            for (int i = 0; i < sum.length; i++) {
                sum[i] += state[i];
            }
        }
        double norm = Math.sqrt(Arrays.stream(sum).map(value -> value * value).sum());
        return Arrays.stream(sum).map(value -> value / norm).toArray();
    }

    @Override
    public void close() throws OrtException {
        session.close();
    }
}
