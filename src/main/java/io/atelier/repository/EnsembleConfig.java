package io.atelier.repository;

import io.atelier.core.TensorSpec;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Models that feed each other, as a folder writes it down; whether they fit together is not known yet. Immutable.
 *
 * @param inputs  what the ensemble takes; empty where it follows from the steps
 * @param outputs what it gives; empty where it follows from the steps
 * @see <a href="https://github.com/triton-inference-server/server/blob/main/docs/user_guide/ensemble_models.md">Triton:
 *     ensemble models</a>
 */
public record EnsembleConfig(List<Step> steps, List<TensorSpec> inputs, List<TensorSpec> outputs) {
    /** Triton's name for this kind of model. */
    public static final String PLATFORM = "ensemble";

    public EnsembleConfig {
        if (steps.isEmpty()) {
            throw new IllegalArgumentException("an ensemble has at least one step");
        }
        steps = List.copyOf(steps);
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
    }

    /**
     * One model's part.
     *
     * @param version the newest where it is empty
     * @param inputs  name of a tensor for each of the model's inputs; empty where they have the names of the inputs
     * @param outputs name of a tensor for each of the model's outputs that is wanted; empty for all, under their names
     */
    public record Step(
            String model, Optional<String> version, Map<String, String> inputs, Map<String, String> outputs) {
        public Step {
            inputs = Map.copyOf(inputs);
            outputs = Map.copyOf(outputs);
        }
    }
}
