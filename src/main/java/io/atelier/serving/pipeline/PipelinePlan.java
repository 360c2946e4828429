package io.atelier.serving.pipeline;

import io.atelier.core.ModelId;
import io.atelier.core.ModelSignature;
import io.atelier.core.Shape;
import io.atelier.core.TensorSpec;
import io.atelier.repository.EnsembleConfig;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * An ensemble whose steps fit together: every tensor is made once, by a step or by the caller, and each step's model
 * takes what is made for it. Immutable.
 *
 * @param signature what the ensemble takes and gives
 * @param steps     in the order of the folder
 */
public record PipelinePlan(ModelSignature signature, List<Step> steps) {
    public PipelinePlan {
        steps = List.copyOf(steps);
    }

    /**
     * One model's part.
     *
     * @param takes the tensor for each input of the model, in the order of its signature
     * @param gives the tensor for each output that is wanted, by the output's name
     */
    public record Step(ModelId model, ModelSignature signature, List<String> takes, Map<String, String> gives) {
        public Step {
            takes = List.copyOf(takes);
            gives = Map.copyOf(gives);
        }
    }

    /** A model that a step names, as it is now. */
    public record StepModel(ModelId id, ModelSignature signature) {}

    /**
     * Checks an ensemble.
     *
     * @param models the model of each step, in order
     * @throws PipelineException if the steps do not fit together
     */
    public static PipelinePlan of(EnsembleConfig config, List<StepModel> models) throws PipelineException {
        List<Step> steps = new ArrayList<>();
        for (int i = 0; i < models.size(); i++) {
            steps.add(step(label(i, config.steps().get(i)), config.steps().get(i), models.get(i)));
        }
        return new Checking(config, steps).plan();
    }

    /** The indexes of the steps, in order. */
    List<Integer> order() {
        return IntStream.range(0, steps.size()).boxed().toList();
    }

    /** The steps without which these outputs cannot be made, by index. */
    Set<Integer> needed(Collection<String> outputs) {
        Map<String, Integer> maker = makers();
        Set<Integer> needed = new HashSet<>();
        List<String> wanted = new ArrayList<>(outputs);
        while (!wanted.isEmpty()) {
            Integer step = maker.get(wanted.remove(wanted.size() - 1));
            if (step != null && needed.add(step)) {
                wanted.addAll(steps.get(step).takes());
            }
        }
        return needed;
    }

    private Map<String, Integer> makers() {
        Map<String, Integer> maker = new HashMap<>();
        for (int i = 0; i < steps.size(); i++) {
            for (String tensor : steps.get(i).gives().values()) {
                maker.put(tensor, i);
            }
        }
        return maker;
    }

    static String label(int index, EnsembleConfig.Step step) {
        return "step %d (%s)".formatted(index + 1, step.model());
    }

    private static Step step(String label, EnsembleConfig.Step step, StepModel model) throws PipelineException {
        ModelSignature signature = model.signature();
        requireKnown(label, "input", step.inputs(), signature.inputs());
        requireKnown(label, "output", step.outputs(), signature.outputs());
        List<String> takes = new ArrayList<>();
        for (TensorSpec input : signature.inputs()) {
            String tensor =
                    step.inputs().isEmpty() ? input.name() : step.inputs().get(input.name());
            if (tensor == null) {
                throw new PipelineException(label + ": nothing is fed to the model's input '" + input.name() + "'");
            }
            takes.add(tensor);
        }
        Map<String, String> gives = step.outputs();
        if (gives.isEmpty()) {
            gives = signature.outputs().stream().collect(Collectors.toMap(TensorSpec::name, TensorSpec::name));
        }
        return new Step(model.id(), signature, takes, gives);
    }

    private static void requireKnown(String label, String kind, Map<String, String> mapped, List<TensorSpec> specs)
            throws PipelineException {
        List<String> names = specs.stream().map(TensorSpec::name).toList();
        Optional<String> unknown = mapped.keySet().stream()
                .filter(name -> !names.contains(name))
                .sorted()
                .findFirst();
        if (unknown.isPresent()) {
            throw new PipelineException("%s: the model has no %s '%s', it has %s"
                    .formatted(label, kind, unknown.get(), String.join(", ", names)));
        }
    }

    /** The checks of a whole ensemble. Used once, by one thread. */
    private static final class Checking {
        private final EnsembleConfig config;
        private final List<Step> steps;

        /** What is made by which step, in the order of the steps. */
        private final Map<String, Made> made = new LinkedHashMap<>();

        private record Made(int step, TensorSpec spec) {}

        Checking(EnsembleConfig config, List<Step> steps) {
            this.config = config;
            this.steps = steps;
        }

        PipelinePlan plan() throws PipelineException {
            for (int i = 0; i < steps.size(); i++) {
                noteOutputs(i);
            }
            refuseCycles();
            Map<String, TensorSpec> inputs = inputs();
            boolean rows = steps.stream().allMatch(step -> step.signature().rows());
            return new PipelinePlan(
                    new ModelSignature(List.copyOf(inputs.values()), outputs(), List.of(), rows), steps);
        }

        private String label(int step) {
            return PipelinePlan.label(step, config.steps().get(step));
        }

        private void noteOutputs(int step) throws PipelineException {
            for (TensorSpec output : steps.get(step).signature().outputs()) {
                String tensor = steps.get(step).gives().get(output.name());
                if (tensor == null) {
                    continue;
                }
                Made before = made.putIfAbsent(tensor, new Made(step, output));
                if (before != null) {
                    throw new PipelineException("tensor '%s' is made twice, by %s and by %s"
                            .formatted(tensor, label(before.step()), label(step)));
                }
                if (config.inputs().stream().anyMatch(input -> input.name().equals(tensor))) {
                    throw new PipelineException("tensor '%s' is made twice, by the caller as an input and by %s"
                            .formatted(tensor, label(step)));
                }
            }
        }

        /** Takes away the steps that wait for none of the others, until there are none. */
        private void refuseCycles() throws PipelineException {
            Set<Integer> left =
                    new LinkedHashSet<>(IntStream.range(0, steps.size()).boxed().toList());
            while (left.removeIf(step -> steps.get(step).takes().stream()
                    .map(made::get)
                    .noneMatch(maker -> maker != null && left.contains(maker.step())))) {
                // again: others may wait for none now
            }
            if (!left.isEmpty()) {
                throw new PipelineException("a cycle: "
                        + left.stream().map(this::label).collect(Collectors.joining(", ")) + " wait for each other");
            }
        }

        /** What the caller has to give: what steps take and none makes. */
        private Map<String, TensorSpec> inputs() throws PipelineException {
            Map<String, TensorSpec> inputs = new LinkedHashMap<>();
            config.inputs().forEach(input -> inputs.put(input.name(), input));
            boolean declared = !inputs.isEmpty();
            Set<String> taken = new HashSet<>();
            for (int i = 0; i < steps.size(); i++) {
                for (int k = 0; k < steps.get(i).takes().size(); k++) {
                    String tensor = steps.get(i).takes().get(k);
                    TensorSpec wanted = steps.get(i).signature().inputs().get(k);
                    taken.add(tensor);
                    Made maker = made.get(tensor);
                    @Nullable TensorSpec given = maker == null ? inputs.get(tensor) : maker.spec();
                    if (given == null) {
                        if (declared) {
                            throw new PipelineException(
                                    "%s: tensor '%s' is made by no step and is no input of the ensemble"
                                            .formatted(label(i), tensor));
                        }
                        inputs.put(tensor, new TensorSpec(tensor, wanted.dataType(), wanted.shape()));
                    } else {
                        String from = maker == null ? "the caller" : label(maker.step());
                        Shape both = common(given, wanted, tensor, from, label(i) + " takes");
                        if (maker == null && !declared) {
                            inputs.put(tensor, new TensorSpec(tensor, given.dataType(), both));
                        }
                    }
                }
            }
            for (String input : inputs.keySet()) {
                if (!taken.contains(input)) {
                    throw new PipelineException("input '" + input + "' feeds no step");
                }
            }
            return inputs;
        }

        /** What is declared, or else what is made and feeds no step. */
        private List<TensorSpec> outputs() throws PipelineException {
            List<TensorSpec> outputs = new ArrayList<>();
            for (TensorSpec output : config.outputs()) {
                Made maker = made.get(output.name());
                if (maker == null) {
                    throw new PipelineException("output '" + output.name() + "' is made by no step");
                }
                common(maker.spec(), output, output.name(), label(maker.step()), "the ensemble gives");
                outputs.add(output);
            }
            if (outputs.isEmpty()) {
                Set<String> taken =
                        steps.stream().flatMap(step -> step.takes().stream()).collect(Collectors.toSet());
                made.forEach((tensor, maker) -> {
                    if (!taken.contains(tensor)) {
                        outputs.add(new TensorSpec(
                                tensor, maker.spec().dataType(), maker.spec().shape()));
                    }
                });
            }
            return outputs;
        }

        /** The sizes that both allow. */
        private static Shape common(TensorSpec given, TensorSpec wanted, String tensor, String from, String to)
                throws PipelineException {
            Shape one = given.shape();
            Shape other = wanted.shape();
            boolean open = one.isUnknown() || other.isUnknown();
            boolean fits = given.dataType() == wanted.dataType() && (open || one.rank() == other.rank());
            Shape common = one.isUnknown() ? other : one;
            for (int axis = 0; fits && !open && axis < one.rank(); axis++) {
                if (one.isDynamic(axis)) {
                    common = common.with(axis, other.dimension(axis));
                } else {
                    fits = other.isDynamic(axis) || one.dimension(axis) == other.dimension(axis);
                }
            }
            if (!fits) {
                throw new PipelineException("tensor '%s' is %s%s from %s, %s %s%s"
                        .formatted(
                                tensor, given.dataType(), given.shape(), from, to, wanted.dataType(), wanted.shape()));
            }
            return common;
        }
    }
}
