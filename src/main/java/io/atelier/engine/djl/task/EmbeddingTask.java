package io.atelier.engine.djl.task;

import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.Shape;
import io.atelier.core.Task;
import io.atelier.core.TaskAnswer;
import io.atelier.core.TaskInput;
import io.atelier.core.TaskKind;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.engine.Floats;
import io.atelier.engine.TaskConfig.Pooling;
import io.atelier.engine.TaskConfig.Prompts;
import io.atelier.engine.TaskConfig.TextEmbedding;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * A vector for each text. The model's output is {@code [rows, tokens, size]}, which is pooled, or
 * {@code [rows, size]}, which is taken as it is.
 */
record EmbeddingTask(TextEmbedding config, TextInputs texts, TensorSpec output) implements Task {
    private static final double SHORTEST = 1e-12;

    /** Of the only vector there is, where the model pools itself. */
    private static final Set<Pooling> POOLED = Set.of(Pooling.CLS);

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
        return texts.parts(
                values.stream().map(value -> prompted((TaskInput.Text) value)).toList(),
                maxRows,
                (outputs, tokens) -> vectors(outputs.get(0), tokens));
    }

    private String prompted(TaskInput.Text text) {
        Prompts prompts = config.prompts();
        if (text.prompt() == null) {
            return prompts.usual() + text.text();
        }
        String prompt = prompts.byName().get(text.prompt());
        if (prompt == null) {
            throw new InvalidInput(
                    prompts.byName().isEmpty()
                            ? "prompt_name is '%s', the model has no prompts".formatted(text.prompt())
                            : "prompt_name is '%s', not %s"
                                    .formatted(
                                            text.prompt(),
                                            String.join(
                                                    " or ",
                                                    new TreeSet<>(
                                                            prompts.byName().keySet()))));
        }
        return prompt + text.text();
    }

    private List<TaskAnswer> vectors(Tensor hidden, int tokens) {
        FloatBuffer data = Floats.of(hidden);
        Shape shape = hidden.shape();
        int rows = Math.toIntExact(shape.dimension(0));
        int positions = shape.rank() == 3 ? Math.toIntExact(shape.dimension(1)) : 1;
        int size = Math.toIntExact(shape.dimension(shape.rank() - 1));
        Set<Pooling> pooling = shape.rank() == 3 ? config.pooling() : POOLED;
        List<TaskAnswer> vectors = new ArrayList<>(rows);
        for (int row = 0; row < rows; row++) {
            double[] vector = new double[pooling.size() * size];
            int at = 0;
            for (Pooling kind : pooling) {
                pool(kind, data.slice(row * positions * size, positions * size), positions, vector, at, size);
                at += size;
            }
            vectors.add(new TaskAnswer.Embedding(scaled(vector, config.normalize() ? 1 / length(vector) : 1), tokens));
        }
        return vectors;
    }

    /**
     * Adds up the vectors of one text's tokens, each as often as its pooling says. Nothing is filling here.
     *
     * @param hidden the vectors, one behind the other
     * @param into   gets the pooled one, from {@code at} on
     */
    private static void pool(Pooling kind, FloatBuffer hidden, int positions, double[] into, int at, int size) {
        int first = kind == Pooling.LASTTOKEN ? positions - 1 : 0;
        int end = kind == Pooling.CLS ? 1 : positions;
        for (int position = first; position < end; position++) {
            double weight = kind == Pooling.WEIGHTEDMEAN ? position + 1 : 1;
            for (int i = 0; i < size; i++) {
                double value = hidden.get(position * size + i);
                into[at + i] = kind == Pooling.MAX && position > 0
                        ? Math.max(into[at + i], value)
                        : into[at + i] + weight * value;
            }
        }
        double divisor = divisor(kind, positions);
        for (int i = 0; i < size && kind != Pooling.MAX; i++) {
            into[at + i] /= divisor;
        }
    }

    private static double divisor(Pooling kind, int positions) {
        return switch (kind) {
            case CLS, MAX, LASTTOKEN -> 1;
            case MEAN -> positions;
            case MEAN_SQRT_LEN -> Math.sqrt(positions);
            case WEIGHTEDMEAN -> positions * (positions + 1.0) / 2;
        };
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
