package io.atelier.serving;

import io.atelier.core.Deadline;
import io.atelier.core.InferenceRequest;
import io.atelier.core.InferenceResult;
import io.atelier.core.ServingException;
import io.atelier.core.TaskInput;
import io.atelier.core.Trace;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Predictions. Thread-safe; no method blocks. */
public interface InferenceService {
    /**
     * The version asked for, or the newest one.
     *
     * @throws io.atelier.core.ServingException.ModelNotFound if there is none of this name
     */
    ModelView model(String name, @Nullable String version);

    /** Every model version that is served. */
    List<ModelView> models();

    /** A deadline that starts now. */
    Deadline deadline(Duration timeout);

    /**
     * Accepts the request or refuses it, at once.
     *
     * @return the answer, by the deadline or soon after; its failure is a {@link io.atelier.core.ServingException}, also
     *     for a refusal. Cancelling it cancels the request: one that has not begun is never executed.
     */
    CompletableFuture<InferenceResult> infer(InferenceRequest request, Deadline deadline);

    /**
     * One answer of the model's task for each value, as {@link #infer} does for tensors.
     *
     * @param version null for the newest
     * @param values  of the task's medium; at least one
     * @param trace   of the caller's request
     */
    CompletableFuture<Prediction> predict(
            String model, @Nullable String version, List<TaskInput> values, Deadline deadline, Trace trace);

    /** Counts a request that was refused before it came to {@link #infer} or {@link #predict}. */
    void refused(ServingException reason);

    /** Every device, in order. */
    List<DeviceView> devices();

    /** What probes ask. */
    ServingStatus status();
}
