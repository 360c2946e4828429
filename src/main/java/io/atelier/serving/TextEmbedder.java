package io.atelier.serving;

import io.atelier.core.DataType;
import io.atelier.core.ModelSignature;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.core.TextTokenizer;
import io.atelier.repository.TaskConfig;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * How a model embeds texts: tokens in, one vector out. Immutable, thread-safe.
 *
 * <p>The token tensors are INT64 {@code [rows, tokens]}: {@code input_ids}, and where the model takes them
 * {@code attention_mask} of ones and {@code token_type_ids} of zeros. Its output is FP32 {@code [rows, tokens, size]},
 * which is pooled, or {@code [rows, size]}, which is taken as it is.
 *
 * @param task   how it was asked for
 * @param output the output that holds the vectors
 */
public record TextEmbedder(TextTokenizer tokenizer, TaskConfig.TextEmbedding task, String output) {
    /** The model's inputs for texts of the same number of tokens. */
    List<Tensor> inputs(ModelSignature signature, List<long[]> tokens) {
        int length = tokens.get(0).length;
        List<Tensor> inputs = new ArrayList<>(signature.inputs().size());
        for (TensorSpec spec : signature.inputs()) {
            ByteBuffer data = ByteBuffer.allocateDirect(tokens.size() * length * Long.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN);
            for (long[] ids : tokens) {
                for (long id : ids) {
                    data.putLong(
                            switch (spec.name()) {
                                case TaskConfig.TextEmbedding.ATTENTION_MASK -> 1;
                                case TaskConfig.TextEmbedding.TOKEN_TYPE_IDS -> 0;
                                default -> id;
                            });
                }
            }
            inputs.add(new Tensor(spec.name(), DataType.INT64, Shape.of(tokens.size(), length), data.flip()));
        }
        return inputs;
    }

    /** One vector for each row of the output. */
    List<float[]> vectors(Tensor hidden) {
        FloatBuffer data = hidden.data().asFloatBuffer();
        Shape shape = hidden.shape();
        int rows = Math.toIntExact(shape.dimension(0));
        int tokens = shape.rank() == 3 ? Math.toIntExact(shape.dimension(1)) : 1;
        int size = Math.toIntExact(shape.dimension(shape.rank() - 1));
        List<float[]> vectors = new ArrayList<>(rows);
        for (int row = 0; row < rows; row++) {
            int used = task.pooling() == TaskConfig.Pooling.MEAN ? tokens : 1;
            double[] sum = new double[size];
            for (int token = 0; token < used; token++) {
                int at = (row * tokens + token) * size;
                for (int i = 0; i < size; i++) {
                    sum[i] += data.get(at + i);
                }
            }
            vectors.add(scaled(sum, task.normalize() ? 1 / length(sum) : 1.0 / used));
        }
        return vectors;
    }

    private static double length(double[] vector) {
        double squares = 0;
        for (double value : vector) {
            squares += value * value;
        }
        return Math.max(Math.sqrt(squares), 1e-12);
    }

    private static float[] scaled(double[] vector, double factor) {
        float[] scaled = new float[vector.length];
        for (int i = 0; i < vector.length; i++) {
            scaled[i] = (float) (vector[i] * factor);
        }
        return scaled;
    }
}
