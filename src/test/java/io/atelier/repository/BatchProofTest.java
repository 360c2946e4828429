package io.atelier.repository;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.core.DataType;
import io.atelier.core.DeviceId;
import io.atelier.core.ModelSignature;
import io.atelier.core.Shape;
import io.atelier.core.Sharing;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.engine.BatchLayout;
import io.atelier.engine.EngineBatch;
import io.atelier.engine.ModelInstance;
import io.atelier.engine.Tolerance;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models written as functions of a matrix, FP32 [rows, length], the rows of all requests in one. */
class BatchProofTest {
    private static final ModelSignature MODEL = new ModelSignature(
            List.of(new TensorSpec("x", DataType.FP32, Shape.of(-1, -1), List.of("batch", "length"))),
            List.of(new TensorSpec("y", DataType.FP32, Shape.of(-1, -1), List.of("batch", "length"))));
    private static final String PADDED = "batching: {padding: {values: {x: 0}}}";

    @Test
    void rowsThatDoNotSeeEachOtherShare() throws Exception {
        Sharing shown = prove("", matrix -> eachRow(matrix, row -> map(row, number -> number * 2)));

        assertThat(shown).isEqualTo(new Sharing(Sharing.Extent.ROWS, false, "shown at load"));
    }

    @Test
    void rowsThatAreRoundedOtherwiseInABatchShare() throws Exception {
        Sharing shown =
                prove("", matrix -> eachRow(matrix, row -> map(row, number -> number * (1 + matrix.length * 1e-7f))));

        assertThat(shown.extent()).isEqualTo(Sharing.Extent.ROWS);
    }

    @ParameterizedTest
    @ValueSource(floats = {-1000, -10, -1, -0.1f, 0, 0.1f, 1, 10, 100, 1000, 10_000})
    void aBranchOnASumOverTheRowsIsFoundWhereverItLies(float threshold) throws Exception {
        Sharing shown = prove("", matrix -> {
            float sum = sum(matrix);
            return eachRow(matrix, row -> map(row, number -> sum > threshold ? number : -number));
        });

        assertThat(shown.isAllowed()).isFalse();
    }

    @Test
    void aSmallPartOfTheOthersIsFound() throws Exception {
        Sharing shown = prove("", matrix -> {
            float part = sum(matrix) / 1000;
            return eachRow(matrix, row -> map(row, number -> number + part));
        });

        assertThat(shown.reason()).isEqualTo("among 4 rows its output 'y' is not what it is alone");
    }

    @Test
    void rowsThatTradePlacesAreFound() throws Exception {
        Sharing shown = prove("", matrix -> {
            float[][] backwards = new float[matrix.length][];
            for (int i = 0; i < matrix.length; i++) {
                backwards[i] = matrix[matrix.length - 1 - i];
            }
            return backwards;
        });

        assertThat(shown.isAllowed()).isFalse();
    }

    @Test
    void anOutputOfAnotherNumberOfRowsIsFound() throws Exception {
        assertThat(prove("", matrix -> new float[][] {matrix[0]}).reason()).contains("is [1,");
    }

    @Test
    void aModelThatAnswersAllAlikeIsNotShown() throws Exception {
        assertThat(prove("", matrix -> eachRow(matrix, row -> map(row, number -> 7f)))
                        .reason())
                .isEqualTo("not shown: it answers all made-up inputs alike");
    }

    @Test
    void aModelThatThrowsDiceIsNotShown() throws Exception {
        float[] dice = {0};

        assertThat(prove("", matrix -> eachRow(matrix, row -> map(row, number -> number + dice[0]++)))
                        .reason())
                .isEqualTo("not shown: it answers one question differently each time");
    }

    @Test
    void whatBearsPaddingIsPadded() throws Exception {
        assertThat(prove(PADDED, matrix -> eachRow(matrix, row -> map(row, number -> number + 1)))
                        .padded())
                .isTrue();
    }

    @Test
    void whatSeesThePaddingIsBatchedWithoutIt() throws Exception {
        Sharing shown = prove(
                PADDED,
                matrix -> eachRow(matrix, row -> {
                    float mean = sum(new float[][] {row}) / row.length;
                    return map(row, number -> number - mean);
                }));

        assertThat(shown.extent()).isEqualTo(Sharing.Extent.ROWS);
        assertThat(shown.padded()).isFalse();
        assertThat(shown.reason()).startsWith("shown at load; nothing is padded: ");
    }

    @Test
    void theOwnersWordStandsForTheProof() throws Exception {
        Sharing trusted = prove("batching: trusted", matrix -> new float[][] {matrix[0]});

        assertThat(trusted.extent()).isEqualTo(Sharing.Extent.ROWS);
        assertThat(trusted.reason()).startsWith("trusted");
    }

    private static Sharing prove(String yaml, UnaryOperator<float[][]> model) throws Exception {
        ModelConfig config = ModelYaml.parse(yaml);
        ModelInstance instance = new Matrices(config, model);
        Executions executions = new Executions(instance, Supplier::get, Duration.ofMinutes(1), System::nanoTime);
        return new BatchProof(config, instance, executions, Tolerance.on(DeviceId.cpu(0)), 16)
                .run(new WarmUp(config, instance, executions).run(), Optional.empty());
    }

    private static float[][] eachRow(float[][] matrix, UnaryOperator<float[]> row) {
        float[][] result = new float[matrix.length][];
        for (int i = 0; i < matrix.length; i++) {
            result[i] = row.apply(matrix[i]);
        }
        return result;
    }

    private static float[] map(float[] row, UnaryOperator<Float> number) {
        float[] result = new float[row.length];
        for (int i = 0; i < row.length; i++) {
            result[i] = number.apply(row[i]);
        }
        return result;
    }

    private static float sum(float[][] matrix) {
        float sum = 0;
        for (float[] row : matrix) {
            for (float number : row) {
                sum += number;
            }
        }
        return sum;
    }

    /** Runs a function on the rows of all requests. */
    private static final class Matrices implements ModelInstance {
        private final BatchLayout layout;
        private final UnaryOperator<float[][]> model;

        Matrices(ModelConfig config, UnaryOperator<float[][]> model) {
            this.layout = new BatchLayout(MODEL, config.batching().padding());
            this.model = model;
        }

        @Override
        public ModelSignature signature() {
            return MODEL;
        }

        @Override
        public Sharing sharing() {
            return Sharing.rows("");
        }

        @Override
        public CompletionStage<List<List<Tensor>>> run(EngineBatch batch) {
            Tensor x = layout.gather(batch.requests(), 0, ByteBuffer::allocateDirect);
            int rows = (int) x.shape().dimension(0);
            float[][] matrix = new float[rows][(int) x.shape().dimension(1)];
            ByteBuffer data = x.data();
            for (float[] row : matrix) {
                for (int i = 0; i < row.length; i++) {
                    row[i] = data.getFloat();
                }
            }
            float[][] result = model.apply(matrix);
            ByteBuffer out = ByteBuffer.allocate(result.length * result[0].length * Float.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN);
            for (float[] row : result) {
                for (float number : row) {
                    out.putFloat(number);
                }
            }
            Tensor y = new Tensor("y", DataType.FP32, Shape.of(result.length, result[0].length), out.flip());
            try {
                List<List<Tensor>> answers = new ArrayList<>();
                layout.scatter(batch.requests(), MODEL.outputs().get(0), y).forEach(part -> answers.add(List.of(part)));
                return CompletableFuture.completedStage(answers);
            } catch (RuntimeException failure) {
                return CompletableFuture.failedStage(failure);
            }
        }

        @Override
        public void close() {}
    }
}
