package io.atelier.config;

import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import jakarta.validation.constraints.DecimalMax;
import jakarta.validation.constraints.DecimalMin;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;

/**
 * Everything that can be set, with its default. Each key may come from a system property, an environment variable
 * ({@code ATELIER_DEVICES}) or a properties file, as in any Quarkus application. A bad value or an unknown key stops the
 * start; only of misspelt environment variables nothing can be known.
 */
@ConfigMapping(prefix = "atelier")
public interface AtelierConfig {
    /**
     * Which devices to drive: {@code auto} (every GPU that can be used, else the CPU), or a list, separated by commas,
     * of {@code cpu}, {@code cpu*N} (N logical CPU devices), {@code gpu} (every GPU) and {@code gpu:I}. A GPU that is
     * asked for and cannot be used stops the start.
     */
    @WithDefault("auto")
    String devices();

    /**
     * Executions that may run at once on one device. Where it is not set: on a GPU 1, on CPU devices together one for
     * each core.
     */
    Optional<@Min(1) @Max(1024) Integer> slots();

    /**
     * Folder of models, {@code <model>/<version>/model.onnx}. Where it is not set, the embedded model
     * {@code minilm} is served.
     */
    Optional<Path> modelRepository();

    /** What the service calls itself at {@code /v2}; some clients of Triton ask for {@code triton}. */
    @WithDefault("atelier")
    String serverName();

    /**
     * Whether models can be loaded and unloaded while the service serves: {@code none} or {@code explicit}, through
     * {@code /v2/repository} (Triton's words). What the repository holds is loaded at the start in any case.
     */
    @WithDefault("none")
    ModelControl modelControl();

    /**
     * Folder of the native libraries. Where it is not set: {@code lib} beside the native executable; on a JVM they are
     * taken out of their jars at each start.
     */
    Optional<Path> nativeLibraries();

    /** Who may ask. */
    Auth auth();

    /** The model's engine on the CPU. */
    Cpu cpu();

    /** Batches, where a model's own {@code model.yaml} says nothing else. */
    Batching batching();

    /** Loading models, at the start and while the service serves. */
    Loading loading();

    /** Requests, where a model's own {@code model.yaml} says nothing else. */
    Requests requests();

    /** Requests that are answered later ({@code Prefer: respond-async}). */
    Jobs jobs();

    /** Streams of requests ({@code POST /v2/models/…/map}). */
    Map map();

    /** What guards a device's executions. */
    Guard guard();

    /** When a device is no longer trusted. */
    Watch watch();

    /** Leaving in order on SIGTERM. */
    Drain drain();

    /** Traces for OpenTelemetry: docs/operations.md has the spans. */
    Tracing tracing();

    /** Whether the service is ready only if every model and folder could be loaded (Triton's word). */
    @WithDefault("false")
    boolean strictReadiness();

    /** Whether models can be loaded and unloaded while the service serves. */
    enum ModelControl {
        NONE,
        EXPLICIT
    }

    /** Who may ask. */
    interface Auth {
        /**
         * Folder of API keys: a file for each caller, named after the caller, which holds the key, 16 to 256 characters.
         * Read again every five seconds. Where it is set, every request carries a key, {@code Authorization: Bearer
         * <key>}, but those for health, metrics and the description.
         */
        Optional<Path> apiKeys();

        /** Callers that may load and unload models, by the names of their keys; where keys are wanted, nobody else may. */
        Optional<Set<String>> admins();
    }

    /** The model's engine on the CPU. */
    interface Cpu {
        /** Threads that share one execution. More than one pays only with fewer slots than cores. */
        @WithDefault("1")
        @Min(1)
        @Max(1024)
        int intraOpThreads();

        /** Whether those threads burn their core while they wait for work. */
        @WithDefault("false")
        boolean allowSpinning();
    }

    /** Dynamic batching, in Triton's words. */
    interface Batching {
        /** Most rows in one batch; 1 runs requests one by one. */
        @WithDefault("16")
        @Min(1)
        @Max(65536)
        int maxBatchSize();

        /**
         * Longest wait of the oldest request for company, while a device is free. With zero a free device takes what is
         * there at once.
         */
        @WithDefault("0S")
        @DurationMin(nanos = 0)
        @DurationMax(minutes = 1)
        Duration maxQueueDelay();

        /** Most requests that wait for one model; the next one is answered 429. */
        @WithDefault("2048")
        @Min(1)
        @Max(1000000)
        int maxQueueSize();

        /** Wait that lifts a request by one of the ten levels of priority, so that none starves. */
        @WithDefault("500MS")
        @DurationMin(millis = 1)
        @DurationMax(hours = 1)
        Duration priorityStep();
    }

    /** Loading models. */
    interface Loading {
        /**
         * How long a model version may take on one device, its warm-up included. One that takes longer is given up: it
         * counts as one that cannot be loaded, and others are loaded.
         */
        @WithDefault("10M")
        @DurationMin(seconds = 1)
        @DurationMax(hours = 24)
        Duration timeout();

        /**
         * How long the executions of one load may take on one device: the warm-up, and the proof that requests may share
         * executions. What runs then is ended; the model serves without what was not shown.
         */
        @WithDefault("30S")
        @DurationMin(millis = 100)
        @DurationMax(hours = 24)
        Duration warmUpTimeout();
    }

    /** When a device is no longer trusted: it is quarantined, and comes back with a right golden answer. */
    interface Watch {
        /** An execution hangs when it has taken this many times the 99th percentile of its model and size. */
        @WithDefault("10")
        @DecimalMin("1")
        @DecimalMax("10000")
        double hangMultiple();

        /** No execution counts as hanging before. */
        @WithDefault("3S")
        @DurationMin(millis = 1)
        @DurationMax(hours = 1)
        Duration hangFloor();

        /** Every execution counts as hanging after. */
        @WithDefault("60S")
        @DurationMin(millis = 1)
        @DurationMax(hours = 24)
        Duration hangCeiling();

        /** Pause between golden checks of a device; zero for none. */
        @WithDefault("60S")
        @DurationMin(seconds = 0)
        @DurationMax(hours = 24)
        Duration goldenInterval();

        /** Pause before a quarantined device is tried again. */
        @WithDefault("10S")
        @DurationMin(millis = 1)
        @DurationMax(hours = 1)
        Duration probeInterval();

        /** How long the process stays live without any healthy device, before Kubernetes is to replace it. */
        @WithDefault("60S")
        @DurationMin(seconds = 0)
        @DurationMax(hours = 24)
        Duration livenessGrace();
    }

    /** Requests. */
    interface Requests {
        /** How long a request may take, from its arrival to its answer. A caller can ask for less, not for more. */
        @WithDefault("30S")
        @DurationMin(millis = 1)
        @DurationMax(hours = 24)
        Duration timeout();
    }

    /** Requests that are answered later. */
    interface Jobs {
        /** How long one may take, from its arrival to its result. A caller can ask for less, not for more. */
        @WithDefault("10M")
        @DurationMin(millis = 1)
        @DurationMax(hours = 24)
        Duration timeout();

        /** How long a result is kept. */
        @WithDefault("10M")
        @DurationMin(millis = 1)
        @DurationMax(hours = 24)
        Duration resultLife();

        /** Most jobs at once, finished ones that are kept included; the next one is answered 429. */
        @WithDefault("1000")
        @Min(1)
        @Max(1000000)
        int maxJobs();

        /** Most memory that their tensors and results hold together. */
        @WithDefault("256M")
        MemorySize maxSize();

        /** Level of those that ask for none; 1 is served first, 10 last. */
        @WithDefault("8")
        @Min(1)
        @Max(10)
        int priority();
    }

    /** Streams of requests, a line of JSON for each. */
    interface Map {
        /**
         * Most lines of one stream that are on their way, from being read until their answer is sent. Enough to fill the
         * batches of every device, and a second one behind it.
         */
        @WithDefault("128")
        @Min(1)
        @Max(65536)
        int window();

        /** No more of a stream is read while its lines on their way, or their answers, take so much. */
        @WithDefault("8M")
        MemorySize windowSize();

        /** Longest line. */
        @WithDefault("8M")
        MemorySize maxLine();

        /** Most streams at once; the next one is answered 429. */
        @WithDefault("64")
        @Min(1)
        @Max(65536)
        int maxStreams();

        /** How long a line may take, from its arrival to its answer. A caller can ask for less, not for more. */
        @WithDefault("60S")
        @DurationMin(millis = 1)
        @DurationMax(hours = 24)
        Duration timeout();

        /** Level of lines that ask for none; 1 is served first, 10 last. */
        @WithDefault("8")
        @Min(1)
        @Max(10)
        int priority();
    }

    /** SmallRye Fault Tolerance around the executions of each device. */
    interface Guard {
        /**
         * Longest execution before its callers are answered without it. The device stays taken until the execution has
         * truly returned.
         */
        @WithDefault("60S")
        @DurationMin(millis = 1)
        @DurationMax(hours = 24)
        Duration executionTimeout();

        /** Share of failed executions at which the circuit breaker keeps a device from work. */
        @WithDefault("0.5")
        @DecimalMin(value = "0", inclusive = false)
        @DecimalMax("1")
        double failureRatio();

        /** Executions that the circuit breaker looks at. */
        @WithDefault("20")
        @Min(1)
        @Max(10000)
        int volumeThreshold();

        /** How long an open circuit breaker keeps a device from work before one execution is tried. */
        @WithDefault("5S")
        @DurationMin(millis = 1)
        @DurationMax(hours = 1)
        Duration openDelay();
    }

    /** Traces for OpenTelemetry. */
    interface Tracing {
        /** Whether requests are traced. Without it nothing of OpenTelemetry runs. */
        @WithDefault("false")
        boolean enabled();

        /**
         * The collector: OTLP's base address over HTTP, to which {@code /v1/traces} is added. Where it is not set,
         * OpenTelemetry's own variable counts, as for the three below that name one.
         */
        @WithDefault("${OTEL_EXPORTER_OTLP_ENDPOINT:http://localhost:4318}")
        URI endpoint();

        /** What the service is called in traces. */
        @WithDefault("${OTEL_SERVICE_NAME:atelier}")
        String serviceName();

        /**
         * Headers of each request to the collector, {@code name=value} with commas between, such as a token's
         * {@code authorization=Bearer …}.
         */
        @WithDefault("${OTEL_EXPORTER_OTLP_HEADERS:}")
        Optional<String> headers();

        /** How long the collector may take to answer. */
        @WithDefault("10S")
        @DurationMin(millis = 1)
        @DurationMax(minutes = 5)
        Duration timeout();

        /**
         * Share of the requests that is traced, of those that come without a trace context. One that comes with a
         * context is traced if that says so.
         */
        @WithDefault("1")
        @DecimalMin("0")
        @DecimalMax("1")
        double sampleRatio();

        /**
         * Attributes of this process, {@code name=value} with commas between, such as {@code k8s.pod.name=…}.
         */
        @WithDefault("${OTEL_RESOURCE_ATTRIBUTES:}")
        Optional<String> resource();
    }

    /** Leaving in order. */
    interface Drain {
        /** Longest wait for what was accepted, once no more is. */
        @WithDefault("60S")
        @DurationMin(seconds = 0)
        @DurationMax(hours = 24)
        Duration timeout();
    }
}
