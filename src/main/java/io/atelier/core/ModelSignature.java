package io.atelier.core;

import io.atelier.core.ServingException.InvalidInput;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Inputs and outputs of a model version, in the model's own order.
 *
 * @param inputs         what every request has to give
 * @param optionalInputs what a request may give too: the model has a value of its own for each
 * @param rows           false where the model's owner says that a first axis is not one of rows, whatever it looks like
 */
public record ModelSignature(
        List<TensorSpec> inputs, List<TensorSpec> outputs, List<TensorSpec> optionalInputs, boolean rows) {
    /** {@code unk__314} of tf2onnx, {@code p2o.DynamicDimension.0} of Paddle, {@code s0} of PyTorch, {@code ?}. */
    private static final Pattern MADE_UP_NAME =
            Pattern.compile("^unk__\\d|DynamicDimension|^[a-zA-Z_]{0,3}\\d+$|^\\W*$|^(?i)none$|^-1$");

    /** Of a name that a refusal repeats. */
    private static final int MOST_CHARACTERS = 64;

    /** Of the names that a refusal lists. */
    private static final int MOST_NAMES = 32;

    public ModelSignature {
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
        optionalInputs = List.copyOf(optionalInputs);
    }

    /** One without optional inputs. */
    public ModelSignature(List<TensorSpec> inputs, List<TensorSpec> outputs) {
        this(inputs, outputs, List.of());
    }

    /** One whose first axes may be of rows. */
    public ModelSignature(List<TensorSpec> inputs, List<TensorSpec> outputs, List<TensorSpec> optionalInputs) {
        this(inputs, outputs, optionalInputs, true);
    }

    /** What the model takes under a name, whether it has to be given or not. */
    public Optional<TensorSpec> input(String name) {
        return Stream.concat(inputs.stream(), optionalInputs.stream())
                .filter(spec -> spec.name().equals(name))
                .findFirst();
    }

    /**
     * Tensors by name as a request holds them: those that have to be there in the order of {@link #inputs}, then the
     * optional ones that are.
     *
     * @throws InvalidInput if one is missing
     */
    public List<Tensor> inOrder(Map<String, Tensor> tensors) {
        List<Tensor> ordered = new ArrayList<>();
        for (TensorSpec spec : inputs) {
            Tensor tensor = tensors.get(spec.name());
            if (tensor == null) {
                throw new InvalidInput("input '%s' is missing".formatted(spec.name()));
            }
            ordered.add(tensor);
        }
        for (TensorSpec spec : optionalInputs) {
            Tensor tensor = tensors.get(spec.name());
            if (tensor != null) {
                ordered.add(tensor);
            }
        }
        return ordered;
    }

    public Optional<TensorSpec> output(String name) {
        return outputs.stream().filter(spec -> spec.name().equals(name)).findFirst();
    }

    /** What a caller is told who names an input that there is not. */
    public String noInput(String name) {
        return none(
                "input",
                name,
                Stream.concat(inputs.stream(), optionalInputs.stream()).toList());
    }

    /** What a caller is told who names an output that there is not. */
    public String noOutput(String name) {
        return none("output", name, outputs);
    }

    private static String none(String kind, String name, List<TensorSpec> specs) {
        String shown = name.length() <= MOST_CHARACTERS ? name : name.substring(0, MOST_CHARACTERS) + "…";
        String names = specs.stream().limit(MOST_NAMES).map(TensorSpec::name).collect(Collectors.joining(", "));
        String further = specs.size() <= MOST_NAMES ? "" : " and " + (specs.size() - MOST_NAMES) + " more";
        return "the model has no %s '%s', it has %s%s".formatted(kind, shown, names, further);
    }

    /** Whether rows of several requests could be stacked, by the looks of it; {@link #obstacleToRows} tells why not. */
    public boolean hasBatchAxis() {
        return obstacleToRows().isEmpty();
    }

    /**
     * Why rows of several requests cannot be stacked along the first axis, as far as shapes and names tell; empty if
     * nothing stands against it. Names of axes are hints: they can show that an axis is none of rows, never that it is.
     */
    public Optional<String> obstacleToRows() {
        if (!rows) {
            return Optional.of("its configuration says that it has no rows");
        }
        if (inputs.isEmpty()) {
            return Optional.of("it has no inputs");
        }
        Optional<String> fixed = Stream.concat(
                        inputs.stream().filter(spec -> !startsDynamic(spec)).map(spec -> "input " + described(spec)),
                        outputs.stream().filter(spec -> !startsDynamic(spec)).map(spec -> "output " + described(spec)))
                .findFirst();
        if (fixed.isPresent()) {
            return fixed.map(which -> which + " has no rows on its first axis");
        }
        List<String> names = inputs.stream()
                .filter(spec -> !repeatsItsRows(spec)) // of such a name nothing can be learnt
                .map(spec -> spec.axisNames().get(0))
                .filter(ModelSignature::isGivenName)
                .distinct()
                .toList();
        if (names.size() > 1) {
            return Optional.of("its inputs name their rows differently: " + String.join(", ", names));
        }
        if (inputs.stream().anyMatch(ModelSignature::repeatsItsRows)) {
            return Optional.empty();
        }
        return Stream.concat(inputs.stream(), outputs.stream())
                .filter(spec -> names.stream()
                        .anyMatch(name -> spec.axisNames()
                                .subList(1, spec.axisNames().size())
                                .contains(name)))
                .findFirst()
                .map(spec -> "'" + spec.name() + "' has rows on more than one axis: " + spec.axisNames());
    }

    /** Whether the first axis of every input and output may have any size. */
    public boolean allStartDynamic() {
        return rows
                && !inputs.isEmpty()
                && Stream.concat(inputs.stream(), outputs.stream()).allMatch(ModelSignature::startsDynamic);
    }

    private static String described(TensorSpec spec) {
        return "'" + spec.name() + "' " + spec.dataType() + spec.shape();
    }

    /** Whether the name of an input's first axis is that of another axis of it, as exporters write that name all axes alike. */
    private static boolean repeatsItsRows(TensorSpec input) {
        String first = input.axisNames().get(0);
        return !first.isEmpty()
                && input.axisNames().subList(1, input.axisNames().size()).contains(first);
    }

    /** Whether a person named the axis: exporters number those that nobody named. */
    private static boolean isGivenName(String name) {
        return !name.isEmpty() && !MADE_UP_NAME.matcher(name).find();
    }

    /** Whether a request that was checked against one signature fits this one too. */
    public boolean accepts(InferenceRequest request) {
        List<Tensor> tensors = request.inputs();
        if (tensors.size() < inputs.size()) {
            return false;
        }
        for (int i = 0; i < tensors.size(); i++) {
            Tensor tensor = tensors.get(i);
            Optional<TensorSpec> known = i < inputs.size() ? Optional.of(inputs.get(i)) : optionalInput(tensor.name());
            if (known.isEmpty()) {
                return false;
            }
            TensorSpec spec = known.get();
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
     * Where the shapes of a request's inputs differ, though the model gives their dynamic axes one name. That need not be
     * wrong: engines do not hold such names against a request. It tells why an execution may have failed, and which
     * requests must not be padded.
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

    private Optional<TensorSpec> optionalInput(String name) {
        return optionalInputs.stream().filter(spec -> spec.name().equals(name)).findFirst();
    }

    private static boolean startsDynamic(TensorSpec spec) {
        return !spec.shape().isUnknown()
                && spec.shape().rank() > 0
                && spec.shape().isDynamic(0);
    }
}
