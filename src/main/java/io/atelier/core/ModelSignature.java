package io.atelier.core;

import java.util.List;
import java.util.Optional;

/** Inputs and outputs of a model version, in the model's own order. */
public record ModelSignature(List<TensorSpec> inputs, List<TensorSpec> outputs) {
    public ModelSignature {
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
    }

    public Optional<TensorSpec> input(String name) {
        return inputs.stream().filter(spec -> spec.name().equals(name)).findFirst();
    }

    public Optional<TensorSpec> output(String name) {
        return outputs.stream().filter(spec -> spec.name().equals(name)).findFirst();
    }

    /** Whether the first axis of every input and output is dynamic, so that rows of several requests can be stacked. */
    public boolean hasBatchAxis() {
        return !inputs.isEmpty()
                && inputs.stream().allMatch(ModelSignature::startsDynamic)
                && outputs.stream().allMatch(ModelSignature::startsDynamic);
    }

    private static boolean startsDynamic(TensorSpec spec) {
        return spec.shape().rank() > 0 && spec.shape().isDynamic(0);
    }
}
