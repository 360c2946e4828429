package io.atelier.core;

import java.util.List;

/** The answer to an {@link InferenceRequest}: the outputs that it asked for, in its order. */
public record InferenceResult(ModelId model, List<Tensor> outputs) {
    public InferenceResult {
        outputs = List.copyOf(outputs);
    }
}
