package io.atelier.serving;

import io.atelier.core.DataType;
import io.atelier.core.DeviceId;
import io.atelier.core.ModelId;
import io.atelier.core.ModelSignature;
import io.atelier.core.QueueTimeout;
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
 * @param queueTimeout how long a request may wait for a device; empty where its deadline alone says
 * @param notes       what its folder says of inputs and outputs beside type and shape, by name
 * @param parameters  whatever callers are to read beside, by name
 * @param warmUps     requests that it answered before it served
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
        Optional<QueueTimeout> queueTimeout,
        Map<String, Note> notes,
        Map<String, String> parameters,
        List<WarmUp> warmUps,
        List<Step> steps) {

    /**
     * What is said of an input or output.
     *
     * @param reshape the shape that the model has, without the axis of rows, where callers see another
     * @param format  of images, in Triton's words
     * @param labels  name of the file with the names of its classes
     */
    public record Note(Optional<List<Long>> reshape, Optional<String> format, Optional<String> labels) {
        /** Nothing is said. */
        public static final Note NONE = new Note(Optional.empty(), Optional.empty(), Optional.empty());
    }

    /** A request that was answered {@code count} times before the model served. */
    public record WarmUp(String name, int rows, int count, Map<String, WarmUpInput> inputs) {}

    /**
     * An input of it.
     *
     * @param filling what fills it
     * @param file    name of the file that does, for {@link Filling#FILE}
     */
    public record WarmUpInput(DataType dataType, List<Long> shape, Filling filling, Optional<String> file) {}

    /** What fills an input. */
    public enum Filling {
        ZERO,
        RANDOM,
        FILE
    }

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
                queueTimeout,
                notes,
                parameters,
                warmUps,
                steps);
    }
}
