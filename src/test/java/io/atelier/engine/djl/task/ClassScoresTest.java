package io.atelier.engine.djl.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.atelier.core.DataType;
import io.atelier.core.ServingException.EngineFailure;
import io.atelier.core.Shape;
import io.atelier.core.TaskAnswer;
import io.atelier.core.TaskAnswer.Label;
import io.atelier.core.TaskAnswer.Labels;
import io.atelier.core.Tensor;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.TaskConfig;
import io.atelier.engine.TaskConfig.Activation;
import io.atelier.engine.TaskConfig.Scoring;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClassScoresTest {
    private static final List<String> NAMES = List.of("a", "b", "c");

    @TempDir
    Path folder;

    @Test
    void oneClassOfWhichNobodySaidMoreIsRightOrNot() {
        Scoring unsaid = new Scoring(Optional.empty(), 5, 0);

        assertThat(labels(unsaid, List.of("relevant"), 2).get(0).score()).isEqualTo(1 / (1 + Math.exp(-2)));
        assertThat(labels(unsaid, NAMES, 1, 1, 1))
                .allSatisfy(label -> assertThat(label.score()).isEqualTo(1.0 / 3));
    }

    @Test
    void addsUpToOneWithSoftmaxHoweverLargeTheNumbers() {
        List<Label> labels = labels(new Scoring(Activation.SOFTMAX, 3, 0), NAMES, 1000, 1001, 999);

        assertThat(labels).extracting(Label::label).containsExactly("b", "a", "c");
        assertThat(labels.get(0).score()).isCloseTo(1 / (1 + Math.exp(-1) + Math.exp(-2)), within(1e-9));
        assertThat(labels.stream().mapToDouble(Label::score).sum()).isCloseTo(1, within(1e-9));
    }

    @Test
    void takesEachClassByItselfWithSigmoid() {
        List<Label> labels = labels(new Scoring(Activation.SIGMOID, 3, 0.5), NAMES, 0, -3, 2);

        assertThat(labels).extracting(Label::label).containsExactly("c", "a");
        assertThat(labels.get(1).score()).isEqualTo(0.5);
    }

    @Test
    void leavesScoresAsTheyAreAndGivesTheBestOfThem() {
        assertThat(labels(new Scoring(Activation.NONE, 2, Double.NEGATIVE_INFINITY), NAMES, 0.25f, -4, 0.5f))
                .containsExactly(new Label("c", 0.5), new Label("a", 0.25));
    }

    @Test
    void namesAClassByItsNumberWhereNobodyNamedIt() {
        assertThat(labels(new Scoring(Activation.NONE, 1, 0), List.of(), 1, 2)).containsExactly(new Label("1", 2));
    }

    @Test
    void answersEachRow() {
        List<TaskAnswer> answers = new ClassScores(List.of("a", "b"), new Scoring(Activation.NONE, 1, 0))
                .answers(tensor(Shape.of(2, 2, 1, 1), 1, 2, 4, 3));

        assertThat(answers)
                .containsExactly(new Labels(List.of(new Label("b", 2))), new Labels(List.of(new Label("a", 4))));
    }

    @Test
    void doesNotRankWhatIsNoNumber() {
        assertThatThrownBy(() -> labels(new Scoring(Activation.SOFTMAX, 1, 0), NAMES, 1, Float.NaN, 2))
                .isInstanceOf(EngineFailure.class)
                .hasMessage("output 'y' is not a number");
    }

    @Test
    void readsNamesFromTheUsualFiles() throws Exception {
        assertThat(names(-1)).isEmpty();
        Files.writeString(folder.resolve("config.json"), "{\"id2label\": {\"1\": \"no\", \"0\": \"yes\"}}");
        assertThat(names(2)).containsExactly("yes", "no");
        Files.writeString(folder.resolve("synset.txt"), "n01 tench, Tinca\nn02 goldfish\n\n");
        assertThat(names(2)).containsExactly("n01 tench, Tinca", "n02 goldfish");
        Files.writeString(folder.resolve("labels.txt"), "x\ny\n");
        assertThat(names(2)).containsExactly("x", "y");
    }

    @Test
    void refusesNamesThatAreNotThoseOfTheClasses() throws Exception {
        Files.writeString(folder.resolve("labels.txt"), "x\ny\nz\n");
        Files.writeString(folder.resolve("holes.json"), "{\"id2label\": {\"0\": \"a\", \"2\": \"c\"}}");
        Files.writeString(folder.resolve("empty.txt"), "\n");

        assertThatThrownBy(() -> names(2))
                .isInstanceOf(ModelLoadException.class)
                .hasMessage("labels.txt names 3 classes, the model has 2");
        assertRefused("holes.json", "holes.json: id2label does not name the classes 0 to 1");
        assertRefused("empty.txt", "empty.txt names no classes");
        assertThatThrownBy(() -> LabelFile.names(new TaskConfig.Labels(List.of("a"), Optional.empty()), folder, 2))
                .hasMessage("task.labels names 1 classes, the model has 2");
    }

    private void assertRefused(String file, String reason) {
        assertThatThrownBy(() -> LabelFile.names(new TaskConfig.Labels(List.of(), Optional.of(file)), folder, -1))
                .isInstanceOf(ModelLoadException.class)
                .hasMessage(reason);
    }

    private List<String> names(long classes) throws ModelLoadException {
        return LabelFile.names(TaskConfig.Labels.UNSAID, folder, classes);
    }

    private static List<Label> labels(Scoring scoring, List<String> names, float... numbers) {
        Labels labels = (Labels) new ClassScores(names, scoring)
                .answers(tensor(Shape.of(1, numbers.length), numbers))
                .get(0);
        return labels.labels();
    }

    static Tensor tensor(Shape shape, float... numbers) {
        ByteBuffer data = ByteBuffer.allocate(numbers.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        data.asFloatBuffer().put(numbers);
        return new Tensor("y", DataType.FP32, shape, data);
    }
}
