package io.atelier.repository;

import io.atelier.core.DataType;
import io.atelier.core.Shape;
import io.atelier.core.TensorSpec;
import io.atelier.repository.EnsembleConfig.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads the section {@code ensemble} of {@code model.yaml}. */
final class EnsembleYaml {
    private EnsembleYaml() {}

    static EnsembleConfig parse(YamlSection ensemble) throws ModelConfigException {
        List<Step> steps = new ArrayList<>();
        for (YamlSection step : ensemble.sections("steps")) {
            steps.add(new Step(
                    name(step, "model"),
                    step.integer("version", Integer.MAX_VALUE).map(String::valueOf),
                    step.texts("inputs"),
                    step.texts("outputs")));
        }
        if (steps.isEmpty()) {
            throw ensemble.problem(ensemble.path("steps") + " is missing, allowed is a list of mappings");
        }
        return new EnsembleConfig(steps, tensors(ensemble, "inputs"), tensors(ensemble, "outputs"));
    }

    /** The tensors that a list describes; none if the key is not there. */
    static List<TensorSpec> tensors(YamlSection ensemble, String key) throws ModelConfigException {
        List<TensorSpec> tensors = new ArrayList<>();
        for (YamlSection tensor : ensemble.sections(key)) {
            String name = name(tensor, "name");
            if (tensors.stream().anyMatch(other -> other.name().equals(name))) {
                throw ensemble.problem(ensemble.path(key) + " has '" + name + "' twice");
            }
            Optional<DataType> type = tensor.text(
                            "datatype",
                            "a datatype such as FP32",
                            word -> DataType.byName(word).isPresent())
                    .flatMap(DataType::byName);
            if (type.isEmpty()) {
                throw tensor.problem(tensor.path("datatype") + " is missing, allowed is a datatype such as FP32");
            }
            long[] shape = tensor.integers("shape", Shape.DYNAMIC).stream()
                    .mapToLong(Long::longValue)
                    .toArray();
            tensors.add(new TensorSpec(name, type.get(), Shape.of(shape)));
        }
        return tensors;
    }

    private static String name(YamlSection section, String key) throws ModelConfigException {
        Optional<String> name = section.text(key, "a name", text -> !text.isBlank());
        if (name.isEmpty()) {
            throw section.problem(section.path(key) + " is missing, allowed is a name");
        }
        return name.get();
    }
}
