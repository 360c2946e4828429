package io.atelier.core;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Inputs and outputs of a model version, in the model's own order.
 *
 * @param rows false where the model's owner says that a first axis is not one of rows, whatever it looks like
 */
public record ModelSignature(List<TensorSpec> inputs, List<TensorSpec> outputs, boolean rows) {
    public ModelSignature {
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
    }

    /** One whose first axes may be of rows. */
    public ModelSignature(List<TensorSpec> inputs, List<TensorSpec> outputs) {
        this(inputs, outputs, true);
    }

    public Optional<TensorSpec> input(String name) {
        return inputs.stream().filter(spec -> spec.name().equals(name)).findFirst();
    }

    public Optional<TensorSpec> output(String name) {
        return outputs.stream().filter(spec -> spec.name().equals(name)).findFirst();
    }

    /** Whether the first axis of every input and output is dynamic, so that rows of several requests can be stacked. */
    public boolean hasBatchAxis() {
        return rows
                && !inputs.isEmpty()
                && inputs.stream().allMatch(ModelSignature::startsDynamic)
                && outputs.stream().allMatch(ModelSignature::startsDynamic);
    }

    /** Whether a request that was checked against one signature fits this one too. */
    public boolean accepts(InferenceRequest request) {
        List<Tensor> tensors = request.inputs();
        if (tensors.size() != inputs.size()) {
            return false;
        }
        for (int i = 0; i < inputs.size(); i++) {
            TensorSpec spec = inputs.get(i);
            Tensor tensor = tensors.get(i);
            if (!spec.name().equals(tensor.name())
                    || spec.dataType() != tensor.dataType()
                    || !spec.shape().accepts(tensor.shape())) {
                return false;
            }
        }
        for (String name : request.outputs()) {
            if (output(name).isEmpty()) {
                return false;
            }
        }
        return true;
    }

    /**
     * What is wrong between the shapes of a request's inputs, each of which fits by itself: dynamic axes to which the model
     * gives one name have different sizes.
     *
     * @param tensors the inputs, in the order of this signature
     */
    public Optional<String> contradiction(List<Tensor> tensors) {
        record Seen(Tensor tensor, long size) {}
        Map<String, Seen> seen = new HashMap<>();
        for (int i = 0; i < inputs.size(); i++) {
            Tensor tensor = tensors.get(i);
            for (int axis = 0; axis < inputs.get(i).shape().rank(); axis++) {
                String name = inputs.get(i).dynamicAxisName(axis);
                if (name == null) {
                    continue;
                }
                Seen now = new Seen(tensor, tensor.shape().dimension(axis));
                Seen before = seen.putIfAbsent(name, now);
                if (before != null && before.size() != now.size()) {
                    return Optional.of("inputs '%s' %s and '%s' %s differ in '%s'"
                            .formatted(
                                    before.tensor().name(),
                                    before.tensor().shape(),
                                    tensor.name(),
                                    tensor.shape(),
                                    name));
                }
            }
        }
        return Optional.empty();
    }

    private static boolean startsDynamic(TensorSpec spec) {
        return spec.shape().rank() > 0 && spec.shape().isDynamic(0);
    }
}
