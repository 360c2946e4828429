package io.atelier.engine.djl.task;

import ai.djl.modality.Classifications;
import io.atelier.core.ServingException.EngineFailure;
import io.atelier.core.TaskAnswer;
import io.atelier.core.Tensor;
import io.atelier.engine.Floats;
import io.atelier.engine.TaskConfig.Activation;
import io.atelier.engine.TaskConfig.Scoring;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;

/**
 * The numbers that a model gives its classes, {@code [rows, classes]} of any floating-point type, to labels with scores.
 *
 * @param labels a name for each class
 */
record ClassScores(List<String> labels, Scoring scoring) {
    ClassScores {
        labels = List.copyOf(labels);
    }

    /** Labels for each row, the likeliest first. */
    List<TaskAnswer> answers(Tensor output) {
        FloatBuffer data = Floats.of(output);
        int rows = Math.toIntExact(output.shape().dimension(0));
        int classes = data.remaining() / Math.max(1, rows);
        List<String> names = LabelFile.forClasses(labels, classes);
        List<TaskAnswer> answers = new ArrayList<>(rows);
        for (int row = 0; row < rows; row++) {
            double[] numbers = new double[classes];
            for (int i = 0; i < classes; i++) {
                numbers[i] = data.get();
                if (Double.isNaN(numbers[i])) {
                    throw new EngineFailure("output '" + output.name() + "' is not a number", null);
                }
            }
            answers.add(labels(names, scores(numbers)));
        }
        return answers;
    }

    private TaskAnswer labels(List<String> names, double[] scores) {
        List<Classifications.Classification> best =
                new Classifications(names, DoubleStream.of(scores).boxed().toList()).topK(scoring.topK());
        return new TaskAnswer.Labels(best.stream()
                .filter(found -> found.getProbability() >= scoring.threshold())
                .map(found -> new TaskAnswer.Label(found.getClassName(), found.getProbability()))
                .toList());
    }

    private double[] scores(double[] numbers) {
        Activation usual = numbers.length == 1 ? Activation.SIGMOID : Activation.SOFTMAX;
        return switch (scoring.activation().orElse(usual)) {
            case SIGMOID -> Arrays.stream(numbers).map(ClassScores::sigmoid).toArray();
            case SOFTMAX -> softmax(numbers);
            case NONE -> numbers;
        };
    }

    private static double sigmoid(double number) {
        return 1 / (1 + Math.exp(-number));
    }

    /** The largest number is subtracted first, so that no power overflows. */
    private static double[] softmax(double[] numbers) {
        double largest = Arrays.stream(numbers).max().orElse(0);
        double[] powers =
                Arrays.stream(numbers).map(number -> Math.exp(number - largest)).toArray();
        double sum = Arrays.stream(powers).sum();
        return Arrays.stream(powers).map(power -> power / sum).toArray();
    }
}
