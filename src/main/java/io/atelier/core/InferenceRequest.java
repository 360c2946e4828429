package io.atelier.core;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One caller's question to one model version. Immutable; its inputs have been checked against the signature.
 *
 * @param id       the caller's own mark, echoed; null if there was none
 * @param inputs   every input of the model once, in the order of its signature, then those of its optional ones that were
 *                 given
 * @param outputs  names of the outputs wanted, in order; never empty
 * @param priority 0 is the model's default; else 1 is served first, {@value #LOWEST_PRIORITY} last
 * @param queueTimeout the longest wait in the queue that the caller asks for; zero where it does not say. Holds where the
 *     model lets it: {@link QueueTimeout#overridable}
 * @param trace    of the caller's request that this is, or is a part of
 */
public record InferenceRequest(
        @Nullable String id,
        ModelId model,
        List<Tensor> inputs,
        List<String> outputs,
        int priority,
        Duration queueTimeout,
        Trace trace) {
    /** The least urgent level that a caller can ask for. */
    public static final int LOWEST_PRIORITY = 10;

    public InferenceRequest {
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
    }

    /** One that asks for no longest wait in the queue. */
    public InferenceRequest(
            @Nullable String id, ModelId model, List<Tensor> inputs, List<String> outputs, int priority, Trace trace) {
        this(id, model, inputs, outputs, priority, Duration.ZERO, trace);
    }

    /** One that is not traced. */
    public InferenceRequest(
            @Nullable String id, ModelId model, List<Tensor> inputs, List<String> outputs, int priority) {
        this(id, model, inputs, outputs, priority, Trace.NONE);
    }

    /** The same, of this priority if it asks for none. */
    public InferenceRequest orPriority(int level) {
        return priority == 0 ? new InferenceRequest(id, model, inputs, outputs, level, queueTimeout, trace) : this;
    }

    /** The same as a part of this trace. */
    public InferenceRequest in(Trace other) {
        return other == trace ? this : new InferenceRequest(id, model, inputs, outputs, priority, queueTimeout, other);
    }
}
