package io.atelier.repository;

import io.atelier.core.DataType;
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

    private static final String TYPE_PREFIX = "TYPE_";

    private EnsembleProto() {}

    /** @param root the whole file */
    static EnsembleConfig parse(ProtoSection root) throws ModelConfigException {
        Optional<String> platform =
                root.text("platform").filter(word -> !word.isEmpty() && !word.equals(EnsembleConfig.PLATFORM));
        if (platform.isPresent()) {
            throw root.problem("platform is " + ProtoSection.quoted(platform.get()) + ", allowed beside " + FIELD
                    + " is \"" + EnsembleConfig.PLATFORM + "\"");
        }
        List<Step> steps = new ArrayList<>();
        for (ProtoSection step : root.section(FIELD).sections("step")) {
            Optional<String> model = step.text("model_name").filter(name -> !name.isEmpty());
            if (model.isEmpty()) {
                throw root.problem(FIELD + ".step[" + steps.size() + "].model_name is missing, allowed is a name");
            }
            steps.add(new Step(model.get(), version(step), names(step, "input_map"), names(step, "output_map")));
        }
        if (steps.isEmpty()) {
            throw root.problem(FIELD + ".step is missing, allowed is at least one");
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
        Map<String, String> names = new LinkedHashMap<>();
        for (ProtoSection entry : step.sections(field)) {
            String key = entry.text("key").orElse("");
            String value = entry.text("value").orElse("");
            if (key.isEmpty() || value.isEmpty()) {
                throw step.problem(FIELD + ".step." + field + " has an entry without key or value");
            }
            if (names.put(key, value) != null) {
                throw step.problem(FIELD + ".step." + field + " has " + ProtoSection.quoted(key) + " twice");
            }
        }
        return names;
    }

    /** @param batched whether the first axis, one of rows, is left out there */
    private static List<TensorSpec> tensors(ProtoSection root, String field, boolean batched)
            throws ModelConfigException {
        List<TensorSpec> tensors = new ArrayList<>();
        for (ProtoSection tensor : root.sections(field)) {
            String place = field + "[" + tensors.size() + "].";
            Optional<String> name = tensor.text("name").filter(text -> !text.isEmpty());
            if (name.isEmpty()) {
                throw root.problem(place + "name is missing, allowed is a name");
            }
            if (tensors.stream().anyMatch(other -> other.name().equals(name.get()))) {
                throw root.problem(field + " has " + ProtoSection.quoted(name.get()) + " twice");
            }
            Optional<DataType> type = tensor.word("data_type").flatMap(EnsembleProto::dataType);
            if (type.isEmpty()) {
                throw root.problem(place + "data_type is missing or unknown, allowed is one such as TYPE_FP32");
            }
            List<Long> shape = new ArrayList<>(tensor.integers("dims", Shape.DYNAMIC));
            if (batched) {
                shape.add(0, Shape.DYNAMIC);
            }
            tensors.add(new TensorSpec(
                    name.get(),
                    type.get(),
                    Shape.of(shape.stream().mapToLong(Long::longValue).toArray())));
        }
        return tensors;
    }

    private static Optional<DataType> dataType(String word) {
        return word.equals("TYPE_STRING")
                ? Optional.of(DataType.BYTES)
                : word.startsWith(TYPE_PREFIX)
                        ? DataType.byName(word.substring(TYPE_PREFIX.length())).filter(DataType::isFixedSize)
                        : Optional.empty();
    }
}
