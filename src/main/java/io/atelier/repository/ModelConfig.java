package io.atelier.repository;

import io.atelier.core.InferenceRequest;
import io.atelier.core.ModelSignature;
import io.atelier.core.Padding;
import io.atelier.core.QueueTimeout;
import io.atelier.engine.TaskConfig;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a model's folder says about how it is served, from {@code model.yaml} or {@code config.pbtxt}. Immutable. What
 * is empty is the service's default, or inferred from the model file.
 *
 * @param timeout   how long a request may take when its caller does not say
 * @param instances executions at once on each device
 * @param versions  which version folders are served
 * @param golden    a question whose answer is known
 * @param share     how the model shares its devices with others
 * @param format    the kind of model file, where the folder says it
 * @param ensemble  the models that it is made of, where it has no file of its own
 * @param signature inputs and outputs, for a model file that does not tell them
 * @param file      name of the model file in its version folder, where that is not the usual one
 * @param declaration what the model looks like to its callers, as far as the folder says it
 * @param warmUps   requests that must be answered before the model serves
 * @param ignored   what was written there and has no meaning here, for the log
 */
public record ModelConfig(
        Batching batching,
        Optional<Duration> timeout,
        Optional<Integer> instances,
        Optional<TaskConfig> task,
        VersionPolicy versions,
        Optional<Golden> golden,
        Share share,
        Optional<ModelFormat> format,
        Optional<EnsembleConfig> ensemble,
        Optional<ModelSignature> signature,
        Optional<String> file,
        Declaration declaration,
        List<WarmUpRequest> warmUps,
        List<String> ignored) {
    /** No duration may be longer. */
    public static final Duration LONGEST = Duration.ofDays(1);

    public static final int MOST_INSTANCES = 1024;

    /** A folder that says nothing. */
    public static final ModelConfig DEFAULTS = new ModelConfig(
            Batching.DEFAULTS,
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            VersionPolicy.NEWEST,
            Optional.empty(),
            Share.DEFAULTS,
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Declaration.NONE,
            List.of(),
            List.of());

    public ModelConfig {
        if (timeout.filter(limit -> limit.isNegative() || limit.isZero() || limit.compareTo(LONGEST) > 0)
                .isPresent()) {
            throw new IllegalArgumentException("timeout " + timeout.get() + " is not above 0 and up to " + LONGEST);
        }
        requireWithin("instances", instances, MOST_INSTANCES);
        warmUps = List.copyOf(warmUps);
        ignored = List.copyOf(ignored);
    }

    /** The name of the model file in a version's folder. */
    String fileName(ModelFormat kind) {
        return file.orElse(kind.fileName());
    }

    /** The same with more to tell the log. */
    ModelConfig ignoring(List<String> names) {
        return new ModelConfig(
                batching,
                timeout,
                instances,
                task,
                versions,
                golden,
                share,
                format,
                ensemble,
                signature,
                file,
                declaration,
                warmUps,
                names);
    }

    /** The same with another task, and requests that share executions in another way. */
    ModelConfig with(Optional<TaskConfig> other, Batching otherBatching) {
        return new ModelConfig(
                otherBatching,
                timeout,
                instances,
                other,
                versions,
                golden,
                share,
                format,
                ensemble,
                signature,
                file,
                declaration,
                warmUps,
                ignored);
    }

    /**
     * The same under another that stands above it, as far as that one says anything.
     *
     * @param withVersions whether the other says which versions are served
     */
    ModelConfig under(ModelConfig above, boolean withVersions) {
        return new ModelConfig(
                new Batching(
                        above.batching.maxBatchSize.or(batching::maxBatchSize),
                        above.batching.maxQueueDelay.or(batching::maxQueueDelay),
                        above.batching.maxQueueSize.or(batching::maxQueueSize),
                        above.batching.queueTimeout.or(batching::queueTimeout),
                        batching.padding,
                        batching.trusted),
                above.timeout.or(() -> timeout),
                above.instances.or(() -> instances),
                task,
                withVersions ? above.versions : versions,
                golden,
                new Share(above.share.priority.or(share::priority), share.weight),
                above.format.or(() -> format),
                above.ensemble.or(() -> ensemble),
                signature,
                above.file.or(() -> file),
                declaration.under(above.declaration),
                above.warmUps.isEmpty() ? warmUps : above.warmUps,
                Stream.concat(ignored.stream(), above.ignored.stream()).toList());
    }

    /**
     * How requests share executions.
     *
     * @param maxBatchSize  most rows in one batch
     * @param maxQueueDelay longest wait of the oldest request for company; zero never waits
     * @param maxQueueSize  most requests waiting
     * @param queueTimeout  how long a request may wait for a device
     * @param padding       how requests of different lengths share a batch
     * @param trusted       whether the owner's word stands for the proof that requests may share executions
     */
    public record Batching(
            Optional<Integer> maxBatchSize,
            Optional<Duration> maxQueueDelay,
            Optional<Integer> maxQueueSize,
            Optional<QueueTimeout> queueTimeout,
            Padding padding,
            boolean trusted) {
        /** A model is warmed up with its largest batch, so a slip of the pen must not ask for millions of rows. */
        public static final int LARGEST_BATCH = 65_536;

        /** The same with other padding. */
        Batching with(Padding other) {
            return new Batching(maxBatchSize, maxQueueDelay, maxQueueSize, queueTimeout, other, trusted);
        }

        public static final Batching DEFAULTS = new Batching(
                Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Padding.NONE, false);

        public Batching {
            requireWithin("maxBatchSize", maxBatchSize, LARGEST_BATCH);
            requireWithin("maxQueueSize", maxQueueSize, Integer.MAX_VALUE);
            if (maxQueueDelay
                    .filter(delay -> delay.isNegative() || delay.compareTo(LONGEST) > 0)
                    .isPresent()) {
                throw new IllegalArgumentException("maxQueueDelay " + maxQueueDelay.get() + " is not 0 to " + LONGEST);
            }
            if (padding.mask() != null
                    && !Double.valueOf(0).equals(padding.values().get(padding.mask()))) {
                throw new IllegalArgumentException("the mask " + padding.mask() + " is not padded with 0");
            }
        }
    }

    /**
     * A question whose answer is known, asked at load and while the model serves.
     *
     * @param file      name of a file in the model's folder: inputs and outputs as in the protocol's JSON
     * @param tolerance a number may differ by this times (1 + its size)
     */
    public record Golden(String file, double tolerance) {
        public static final double DEFAULT_TOLERANCE = 0.01;

        public Golden {
            if (!(tolerance >= 0)) {
                throw new IllegalArgumentException("tolerance " + tolerance + " is negative");
            }
        }
    }

    /**
     * How a model shares its devices with others.
     *
     * @param priority level of requests that ask for none; 1 is served first, 10 last
     * @param weight   share of the device's time among models of equal urgency
     */
    public record Share(Optional<Integer> priority, double weight) {
        public static final Share DEFAULTS = new Share(Optional.empty(), 1);

        public Share {
            requireWithin("priority", priority, InferenceRequest.LOWEST_PRIORITY);
            if (!(weight > 0 && weight <= 1000)) {
                throw new IllegalArgumentException("weight " + weight + " is not above 0 and up to 1000");
            }
        }
    }

    private static void requireWithin(String name, Optional<Integer> value, int most) {
        if (value.filter(number -> number < 1 || number > most).isPresent()) {
            throw new IllegalArgumentException(name + " " + value.get() + " is not 1 to " + most);
        }
    }
}
