package io.atelier.serving;

import io.atelier.core.DeviceId;
import io.atelier.core.ModelId;
import io.atelier.core.ModelSignature;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * How a model version is served, with every default filled in. Immutable.
 *
 * @param platform the kind of model, in Triton's words ({@code onnxruntime_onnx})
 * @param backend  what runs it, in Triton's words ({@code onnxruntime})
 * @param file     name of the model file
 * @param together whether requests share executions
 * @param timeout  how long a request may take when its caller does not say
 * @param priority level of requests that ask for none
 * @param instances executions at once, by device
 */
public record ModelConfiguration(
        ModelId id,
        String platform,
        String backend,
        String file,
        ModelSignature signature,
        Versions versions,
        boolean together,
        int maxBatchSize,
        Duration maxQueueDelay,
        int maxQueueSize,
        Duration timeout,
        int priority,
        Map<DeviceId, Integer> instances) {

    /** Which versions of a model are served. */
    public sealed interface Versions {
        /** The newest so many. */
        record Latest(int count) implements Versions {}

        /** Every one that is there. */
        record All() implements Versions {}

        /** These. */
        record Specific(List<Long> numbers) implements Versions {}
    }
}
