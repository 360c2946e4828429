package io.atelier.engine.djl.task;

import io.atelier.core.Task;
import io.atelier.core.TaskAnswer;
import io.atelier.core.Tensor;
import java.util.List;
import java.util.function.Function;

/** One request and how its outputs are read. */
record Rows(List<Integer> rows, List<Tensor> inputs, Function<List<Tensor>, List<TaskAnswer>> reading)
        implements Task.Part {
    Rows {
        rows = List.copyOf(rows);
        inputs = List.copyOf(inputs);
    }

    @Override
    public List<TaskAnswer> answers(List<Tensor> outputs) {
        return reading.apply(outputs);
    }
}
