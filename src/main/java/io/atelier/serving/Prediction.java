package io.atelier.serving;

import io.atelier.core.ModelId;
import io.atelier.core.TaskAnswer;
import java.util.List;

/** What a model's task says: one answer for each value, in order. */
public record Prediction(ModelId model, List<TaskAnswer> answers) {
    public Prediction {
        answers = List.copyOf(answers);
    }
}
