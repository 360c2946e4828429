package io.atelier.core;

import java.util.List;
import java.util.Map;

/**
 * What a model is for, beyond tensors in and tensors out: plain values become its inputs, its outputs a plain answer.
 * Between the two the tensors wait in the model's queue like anybody's. Thread-safe.
 */
public interface Task {
    TaskKind kind();

    /** The outputs that {@link Part#answers} reads, in its order. */
    List<String> outputs();

    /** The names of classes by their index, for each output that has some. */
    default Map<String, List<String>> labels() {
        return Map.of();
    }

    /**
     * The requests by which the model is asked about these values; each value belongs to one row of one of them. Decodes
     * and tokenizes, so it may take long.
     *
     * @param values  of this kind's medium
     * @param maxRows most rows in one request; at least 1
     * @throws ServingException if a value cannot be read; the message says which
     */
    List<Part> prepare(List<TaskInput> values, int maxRows);

    /** One request to the model. Immutable. */
    interface Part {
        /** For each row the index of its value. */
        List<Integer> rows();

        /** In the order of the signature. */
        List<Tensor> inputs();

        /**
         * An answer for each row. May take as long as the outputs are large.
         *
         * @throws ServingException.EngineFailure if the outputs are not of the form that the task expects
         */
        List<TaskAnswer> answers(List<Tensor> outputs);
    }
}
