package io.atelier.engine.djl.task;

import io.atelier.core.Shape;
import io.atelier.core.Task;
import io.atelier.core.TaskAnswer;
import io.atelier.core.TaskInput;
import io.atelier.core.TaskKind;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.engine.Floats;
import io.atelier.engine.TaskConfig.Pooling;
import io.atelier.engine.TaskConfig.TextEmbedding;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * A vector for each text. The model's output is {@code [rows, tokens, size]}, which is pooled, or
 * {@code [rows, size]}, which is taken as it is.
 */
record EmbeddingTask(TextEmbedding config, TextInputs texts, TensorSpec output) implements Task {
    private static final double SHORTEST = 1e-12;

    @Override
    public TaskKind kind() {
        return config.kind();
    }

    @Override
    public List<String> outputs() {
        return List.of(output.name());
    }

    @Override
    public List<Part> prepare(List<TaskInput> values, int maxRows) {
        return texts.parts(values, maxRows, (outputs, tokens) -> vectors(outputs.get(0), tokens));
    }

    private List<TaskAnswer> vectors(Tensor hidden, int tokens) {
        FloatBuffer data = Floats.of(hidden);
        Shape shape = hidden.shape();
        int rows = Math.toIntExact(shape.dimension(0));
        int positions = shape.rank() == 3 ? Math.toIntExact(shape.dimension(1)) : 1;
        int size = Math.toIntExact(shape.dimension(shape.rank() - 1));
        int used = config.pooling() == Pooling.MEAN ? positions : 1;
        List<TaskAnswer> vectors = new ArrayList<>(rows);
        for (int row = 0; row < rows; row++) {
            double[] sum = new double[size];
            for (int position = 0; position < used; position++) {
                int at = (row * positions + position) * size;
                for (int i = 0; i < size; i++) {
                    sum[i] += data.get(at + i);
                }
            }
            vectors.add(
                    new TaskAnswer.Embedding(scaled(sum, config.normalize() ? 1 / length(sum) : 1.0 / used), tokens));
        }
        return vectors;
    }

    private static double length(double[] vector) {
        double squares = 0;
        for (double value : vector) {
            squares += value * value;
        }
        return Math.max(Math.sqrt(squares), SHORTEST);
    }

    private static float[] scaled(double[] vector, double factor) {
        float[] scaled = new float[vector.length];
        for (int i = 0; i < vector.length; i++) {
            scaled[i] = (float) (vector[i] * factor);
        }
        return scaled;
    }
}
