package io.atelier.repository;

import io.atelier.core.Shape;
import io.atelier.core.TensorSpec;
import io.atelier.repository.EnsembleConfig.Step;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads {@code ensemble_scheduling} of Triton's {@code config.pbtxt}, with the ensemble's inputs and outputs beside it.
 */
final class EnsembleProto {
    static final String FIELD = "ensemble_scheduling";

    /** What belongs to a model with a file of its own. */
    private static final List<String> NOT_BESIDE =
            List.of("backend", "runtime", "default_model_filename", "instance_group", "model_warmup");

    private EnsembleProto() {}

    /** @param root the whole file */
    static EnsembleConfig parse(ProtoSection root) throws ModelConfigException {
        Optional<String> platform = root.text("platform").filter(word -> !word.equals(EnsembleConfig.PLATFORM));
        if (platform.isPresent()) {
            throw root.problem(
                    "platform",
                    "is " + ProtoSection.quoted(platform.get()) + ", allowed beside " + FIELD + " is \""
                            + EnsembleConfig.PLATFORM + "\"");
        }
        for (String field : NOT_BESIDE) {
            if (root.has(field)) {
                throw root.problem(field, "is not supported beside " + FIELD);
            }
        }
        List<Step> steps = new ArrayList<>();
        for (ProtoSection step : root.section(FIELD).sections("step")) {
            Optional<String> model = step.text("model_name");
            if (model.isEmpty()) {
                throw step.problem("model_name", "is missing, allowed is a name");
            }
            steps.add(new Step(model.get(), version(step), names(step, "input_map"), names(step, "output_map")));
        }
        if (steps.isEmpty()) {
            throw root.section(FIELD).problem("step", "is missing, allowed is at least one");
        }
        boolean batched = root.integer("max_batch_size", Integer.MAX_VALUE).orElse(0L) > 0;
        return new EnsembleConfig(steps, tensors(root, "input", batched), tensors(root, "output", batched));
    }

    /** Triton's -1 is the newest. */
    private static Optional<String> version(ProtoSection step) throws ModelConfigException {
        List<Long> version = step.integers("model_version", -1);
        return version.stream().filter(number -> number > 0).findFirst().map(String::valueOf);
    }

    private static Map<String, String> names(ProtoSection step, String field) throws ModelConfigException {
        Map<String, String> names = new LinkedHashMap<>(step.texts(field));
        if (names.containsKey("") || names.containsValue("")) {
            throw step.problem(field, "has an entry without key or value");
        }
        return names;
    }

    /** @param batched whether the first axis, one of rows, is left out there */
    private static List<TensorSpec> tensors(ProtoSection root, String field, boolean batched)
            throws ModelConfigException {
        for (ProtoSection section : root.sections(field)) {
            if (section.has("reshape")) {
                throw section.problem("reshape", "is not supported beside " + FIELD);
            }
        }
        List<TensorSpec> tensors = new ArrayList<>();
        for (DeclaredTensor tensor : TritonTensors.read(root, field)) {
            List<Long> shape = new ArrayList<>(tensor.dims());
            if (batched) {
                shape.add(0, Shape.DYNAMIC);
            }
            tensors.add(new TensorSpec(tensor.name(), tensor.dataType(), TritonTensors.shape(shape)));
        }
        return tensors;
    }
}
