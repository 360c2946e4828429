package io.atelier.engine.djl.task;

import io.atelier.core.Task;
import io.atelier.core.TaskInput;
import io.atelier.core.TaskKind;
import java.util.List;
import java.util.Map;

/** Labels for each image. */
record ImageClassificationTask(ImageInputs images, ClassScores scores, String output) implements Task {
    @Override
    public TaskKind kind() {
        return TaskKind.IMAGE_CLASSIFICATION;
    }

    @Override
    public List<String> outputs() {
        return List.of(output);
    }

    @Override
    public Map<String, List<String>> labels() {
        return Map.of(output, scores.labels());
    }

    @Override
    public List<Part> prepare(List<TaskInput> values, int maxRows) {
        return images.parts(values, (outputs, placement) -> scores.answers(outputs.get(0)));
    }
}
