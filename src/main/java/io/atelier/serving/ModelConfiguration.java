package io.atelier.serving;

import io.atelier.core.DeviceId;
import io.atelier.core.ModelId;
import io.atelier.core.ModelSignature;
import io.atelier.core.Sharing;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How a model version is served, with every default filled in. Immutable.
 *
 * @param platform the kind of model, in Triton's words ({@code onnxruntime_onnx})
 * @param backend  what runs it, in Triton's words ({@code onnxruntime})
 * @param file     name of the model file
 * @param sharing  whether requests share executions, and why
 * @param timeout  how long a request may take when its caller does not say
 * @param priority level of requests that ask for none
 * @param instances executions at once, by device
 * @param steps     what an ensemble is made of; empty for a model
 */
public record ModelConfiguration(
        ModelId id,
        String platform,
        String backend,
        String file,
        ModelSignature signature,
        Versions versions,
        Sharing sharing,
        int maxBatchSize,
        Duration maxQueueDelay,
        int maxQueueSize,
        Duration timeout,
        int priority,
        Map<DeviceId, Integer> instances,
        List<Step> steps) {

    /**
     * One model's part in an ensemble.
     *
     * @param version empty for the newest
     * @param inputs  the tensor for each input of the model
     * @param outputs the tensor for each output that is wanted
     */
    public record Step(
            String model, Optional<String> version, Map<String, String> inputs, Map<String, String> outputs) {}

    /** Which versions of a model are served. */
    public sealed interface Versions {
        /** The newest so many. */
        record Latest(int count) implements Versions {}

        /** Every one that is there. */
        record All() implements Versions {}

        /** These. */
        record Specific(List<Long> numbers) implements Versions {}
    }

    /** The same, with what is known of its sharing now. */
    public ModelConfiguration sharing(Sharing now) {
        return new ModelConfiguration(
                id,
                platform,
                backend,
                file,
                signature,
                versions,
                now,
                maxBatchSize,
                maxQueueDelay,
                maxQueueSize,
                timeout,
                priority,
                instances,
                steps);
    }
}
