package io.atelier.engine.djl.task;

import io.atelier.core.Task;
import io.atelier.core.TaskInput;
import io.atelier.core.TaskKind;
import java.util.List;
import java.util.Map;

/** Labels for each text. */
record TextClassificationTask(TextInputs texts, ClassScores scores, String output) implements Task {
    @Override
    public TaskKind kind() {
        return TaskKind.TEXT_CLASSIFICATION;
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
        return texts.parts(
                values.stream().map(value -> ((TaskInput.Text) value).text()).toList(),
                maxRows,
                (outputs, tokens) -> scores.answers(outputs.get(0)));
    }
}
