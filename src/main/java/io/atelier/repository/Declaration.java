package io.atelier.repository;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a folder says a model looks like to its callers, in Triton's words. Immutable.
 *
 * @param rows       whether requests have rows on their first axis, which {@code inputs} and {@code outputs} leave out
 * @param inputs     every input; empty where the model file alone tells
 * @param outputs    the outputs that callers see; empty where the model file alone tells
 * @param parameters whatever its owner wrote down beside, for callers to read
 */
public record Declaration(
        Rows rows, List<DeclaredTensor> inputs, List<DeclaredTensor> outputs, Map<String, String> parameters) {
    /** Whether there are rows. */
    public enum Rows {
        /** The model file says it. */
        INFERRED,
        /** There are, or the folder is wrong. */
        YES,
        /** A request's shape is all its own: it is never joined with others. */
        NO
    }

    /** A folder that says nothing. */
    public static final Declaration NONE = new Declaration(Rows.INFERRED, List.of(), List.of(), Map.of());

    public Declaration {
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
        parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
    }

    /** The same under another that stands above it, as far as that one says anything. */
    Declaration under(Declaration above) {
        Map<String, String> both = new LinkedHashMap<>(parameters);
        both.putAll(above.parameters);
        return new Declaration(
                above.rows == Rows.INFERRED ? rows : above.rows,
                above.inputs.isEmpty() ? inputs : above.inputs,
                above.outputs.isEmpty() ? outputs : above.outputs,
                both);
    }
}
