package io.atelier.app;

import io.atelier.config.AtelierConfig;
import io.atelier.core.DeviceId;
import io.atelier.core.ModelId;
import io.atelier.core.ModelSignature;
import io.atelier.core.TensorSpec;
import io.atelier.core.Ticker;
import io.atelier.device.DeviceExecutor;
import io.atelier.device.DevicePlan;
import io.atelier.device.DeviceThreads;
import io.atelier.device.FaultToleranceGuard;
import io.atelier.device.GuardPolicy;
import io.atelier.device.WatchPolicy;
import io.atelier.engine.Engine;
import io.atelier.engine.ModelInstance;
import io.atelier.engine.ModelLoadException;
import io.atelier.metrics.MetricsListener;
import io.atelier.repository.EmbeddedModel;
import io.atelier.repository.LoadedModel;
import io.atelier.repository.ModelConfig;
import io.atelier.repository.ModelDefinition;
import io.atelier.repository.ModelLoader;
import io.atelier.repository.ModelRepository;
import io.atelier.repository.ModelRepositoryException;
import io.atelier.repository.TaskConfig;
import io.atelier.scheduling.BatchPolicy;
import io.atelier.scheduling.BatchRule;
import io.atelier.scheduling.ExecutionTimes;
import io.atelier.scheduling.ModelQueue;
import io.atelier.serving.Admission;
import io.atelier.serving.InferenceService;
import io.atelier.serving.ModelDirectory;
import io.atelier.serving.QueuedInferenceService;
import io.atelier.serving.ServedModel;
import io.atelier.serving.TextEmbedder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.eclipse.microprofile.config.ConfigProvider;
import org.jboss.logging.Logger;

/**
 * The service as a whole: its devices, its models, its life. Made once; {@link #start} and {@link #stop} are called
 * once, in this order.
 */
final class Service {
    private static final Logger LOG = Logger.getLogger(Service.class);

    /** Longest wait for what should have ended by itself. */
    private static final Duration LAST_WAIT = Duration.ofSeconds(5);

    private final AtelierConfig config;
    private final Engine engine;
    private final MetricsListener metrics;
    private final Ticker ticker;
    private final TimerThread timer = new TimerThread();
    private final ExecutorService settler = Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(task, "atelier-settler");
        thread.setDaemon(true);
        return thread;
    });
    private final Admission admission = new Admission();
    private final ModelDirectory directory = new ModelDirectory();
    private final List<DeviceExecutor> devices;
    private final InferenceService inference;

    /** @throws IllegalArgumentException if a device that was asked for cannot be used */
    Service(AtelierConfig config, Engine engine, MetricsListener metrics, Executor workers, Ticker ticker) {
        this.config = config;
        this.engine = engine;
        this.metrics = metrics;
        this.ticker = ticker;
        List<DeviceId> ids = DevicePlan.of(config.devices(), engine.gpuCount());
        this.devices = ids.stream().map(id -> device(id, slots(id, ids))).toList();
        this.inference = new QueuedInferenceService(
                directory,
                devices,
                admission,
                config.strictReadiness(),
                config.watch().livenessGrace(),
                workers,
                timer,
                ticker,
                metrics);
    }

    InferenceService inference() {
        return inference;
    }

    /**
     * Begins to load the models, each device on its own threads, and returns.
     *
     * @return completes when loading is over, whatever came of it
     * @throws ModelRepositoryException if the repository itself cannot be read
     */
    CompletableFuture<Void> start() throws ModelRepositoryException {
        long started = ticker.nanoTime();
        boolean embedded = config.modelRepository().isEmpty();
        Path folder =
                embedded ? unpackEmbeddedModel() : config.modelRepository().get();
        ModelRepository.Scan scan = new ModelRepository(folder).scan();
        scan.broken().forEach(broken -> {
            LOG.errorf("model %s cannot be served: %s", broken.name(), broken.reason());
            directory.broken(broken.name(), broken.reason());
        });
        scan.models().forEach(definition -> directory.loading(definition.id()));
        List<CompletableFuture<String>> loads =
                scan.models().stream().map(this::load).toList();
        return CompletableFuture.allOf(loads.toArray(CompletableFuture<?>[]::new))
                .thenRun(() -> {
                    if (embedded) {
                        delete(folder);
                    }
                    devices.forEach(DeviceExecutor::open);
                    admission.open();
                    String models = loads.stream().map(CompletableFuture::join).collect(Collectors.joining("; "));
                    LOG.infof(
                            "Atelier %s with %s on %s; %s; started in %s",
                            version(),
                            engine.description(),
                            devices.stream()
                                    .map(device -> device.id() + " (" + device.limit() + " slots)")
                                    .collect(Collectors.joining(", ")),
                            models.isEmpty() ? "no models" : models,
                            seconds(Duration.ofNanos(ticker.nanoTime() - started)));
                });
    }

    /**
     * Loads a model version anew, from its folder as it is now, and switches to it when it is warm on every device. The
     * old one answers what it has taken in, and is freed. If loading fails the old one goes on.
     *
     * @return completes when the old one is freed
     */
    CompletableFuture<Void> reload(ModelId id) throws ModelRepositoryException {
        boolean embedded = config.modelRepository().isEmpty();
        Path folder =
                embedded ? unpackEmbeddedModel() : config.modelRepository().get();
        ModelDefinition definition = new ModelRepository(folder)
                .scan().models().stream()
                        .filter(found -> found.id().equals(id))
                        .findFirst()
                        .orElseThrow(() -> new ModelRepositoryException("there is no model " + id, null));
        Optional<ServedModel> old = directory.ready(id);
        return load(definition).thenAccept(LOG::info).thenCompose(loaded -> {
            if (embedded) {
                delete(folder);
            }
            boolean replaced = old.isPresent()
                    && directory.ready(id).orElseThrow().queue() != old.get().queue();
            return replaced ? retire(old.get()) : CompletableFuture.completedFuture(null);
        });
    }

    private CompletableFuture<Void> retire(ServedModel model) {
        return model.queue()
                .close()
                .thenCompose(drained -> CompletableFuture.allOf(devices.stream()
                        .map(device -> device.release(model.queue()))
                        .toArray(CompletableFuture<?>[]::new)));
    }

    /** Readiness goes off at once; requests are refused after {@code delay}, when routers have heard. */
    void leave(Duration delay) {
        admission.beginLeaving();
        timer.schedule(delay.toNanos(), () -> {
            var unused = admission.close();
        });
    }

    /**
     * Answers everything that was accepted, then ends the devices and frees the models. Quarkus has waited for the HTTP
     * exchanges before, as long as {@code atelier.drain.timeout} says: what is unanswered now has lost its caller.
     */
    void stop() {
        devices.forEach(DeviceExecutor::drain);
        try {
            admission.close().get(LAST_WAIT.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException late) {
            LOG.errorf(
                    "the drain ended after %s with requests unanswered",
                    config.drain().timeout());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException impossible) {
            throw new IllegalStateException(impossible);
        }
        for (DeviceExecutor device : devices) {
            try {
                if (!device.close(LAST_WAIT)) {
                    LOG.warnf("an execution on %s has not returned; its models are not freed", device.id());
                }
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        settler.shutdown();
        timer.close();
    }

    private DeviceExecutor device(DeviceId id, int slots) {
        GuardPolicy policy = new GuardPolicy(
                config.guard().executionTimeout(),
                config.guard().failureRatio(),
                config.guard().volumeThreshold(),
                config.guard().openDelay());
        WatchPolicy watch = new WatchPolicy(
                config.watch().hangMultiple(),
                config.watch().hangFloor(),
                config.watch().hangCeiling(),
                config.watch().goldenInterval(),
                config.watch().probeInterval());
        return new DeviceExecutor(
                id,
                slots,
                DeviceThreads.executor(id, slots),
                new FaultToleranceGuard(id, slots, policy, ticker),
                watch,
                settler,
                timer,
                ticker,
                metrics);
    }

    private int slots(DeviceId id, List<DeviceId> all) {
        return config.slots().orElseGet(() -> {
            if (id.kind() == DeviceId.Kind.GPU) {
                return 1;
            }
            long cpus = all.stream()
                    .filter(other -> other.kind() == DeviceId.Kind.CPU)
                    .count();
            int cores = Runtime.getRuntime().availableProcessors();
            return Math.max(1, (int) (cores / cpus / config.cpu().intraOpThreads()));
        });
    }

    /** Loads a model onto every device; it serves when it is warm on all of them. Completes with a line about it. */
    private CompletableFuture<String> load(ModelDefinition definition) {
        ModelConfig.Batching batching = definition.config().batching();
        BatchPolicy policy = new BatchPolicy(
                batching.maxBatchSize().orElse(config.batching().maxBatchSize()),
                batching.maxQueueDelay().orElse(config.batching().maxQueueDelay()),
                batching.maxQueueSize().orElse(config.batching().maxQueueSize()),
                definition.config().share().priority().orElse(BatchPolicy.DEFAULT_PRIORITY),
                config.batching().priorityStep());
        ModelLoader loader = new ModelLoader(engine, ticker);
        List<CompletableFuture<LoadedModel>> loads = devices.stream()
                .map(device -> device.submit(
                        () -> loader.load(definition, device.id(), policy.maxBatchSize(), device.limit())))
                .toList();
        if (!definition.config().ignored().isEmpty()) {
            LOG.infof(
                    "model %s: ignored %s", definition.id(), definition.config().ignored());
        }
        return CompletableFuture.allOf(loads.toArray(CompletableFuture<?>[]::new))
                .thenApply(all -> loads.stream().map(CompletableFuture::join).toList())
                .thenApply(loaded -> serve(definition, policy, loaded))
                .exceptionally(failure -> {
                    for (CompletableFuture<LoadedModel> load : loads) {
                        var unused = load.thenAccept(loaded -> loaded.instance().close());
                    }
                    return refuse(definition.id(), failure);
                });
    }

    private String serve(ModelDefinition definition, BatchPolicy policy, List<LoadedModel> loaded) {
        ModelInstance instance = loaded.get(0).instance();
        ModelSignature signature = instance.signature();
        TextEmbedder embedder = definition
                .config()
                .task()
                .map(task -> embedder(definition, (TaskConfig.TextEmbedding) task, signature))
                .orElse(null);
        BatchRule rule = instance.canBatch()
                ? BatchRule.together(signature, definition.config().batching().padding())
                : BatchRule.alone();
        ModelQueue queue = new ModelQueue(definition.id(), policy, new ExecutionTimes(), ticker);
        for (int i = 0; i < devices.size(); i++) {
            devices.get(i)
                    .hold(
                            queue,
                            loaded.get(i).instance(),
                            loaded.get(i).golden(),
                            definition
                                    .config()
                                    .instances()
                                    .orElse(devices.get(i).limit()),
                            definition.config().share().weight());
        }
        metrics.showQueue(definition.id(), queue::depth, queue::predictedWaitNanos);
        directory.ready(new ServedModel(
                definition.id(),
                definition.platform(),
                signature,
                rule,
                queue,
                definition.config().timeout().orElse(config.requests().timeout()),
                embedder));
        return "model %s loaded in %s, warm in %s"
                .formatted(
                        definition.id(),
                        seconds(slowest(loaded.stream().map(LoadedModel::loadTime))),
                        seconds(slowest(loaded.stream().map(LoadedModel::warmUpTime))));
    }

    private TextEmbedder embedder(ModelDefinition definition, TaskConfig.TextEmbedding task, ModelSignature signature) {
        try {
            return new TextEmbedder(
                    engine.loadTokenizer(definition.folder().resolve(task.tokenizer()), task.maxTokens()),
                    task,
                    task.outputOf(signature).map(TensorSpec::name).orElseThrow());
        } catch (ModelLoadException failure) {
            throw new CompletionException(failure);
        }
    }

    private String refuse(ModelId model, Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (!(cause instanceof ModelLoadException)) {
            LOG.errorf(cause, "loading model %s failed", model);
        }
        String reason = String.valueOf(cause.getMessage());
        LOG.errorf("model %s cannot be served: %s", model, reason);
        directory.failed(model, reason);
        return "model " + model + " FAILED: " + reason;
    }

    private static Path unpackEmbeddedModel() throws ModelRepositoryException {
        try {
            Path folder = Files.createTempDirectory("atelier-");
            EmbeddedModel.unpackInto(folder);
            return folder;
        } catch (IOException failure) {
            throw new UncheckedIOException("the embedded model cannot be unpacked", failure);
        }
    }

    private static void delete(Path folder) {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path :
                    new ArrayList<>(all.sorted(Comparator.reverseOrder()).toList())) {
                Files.delete(path);
            }
        } catch (IOException failure) {
            LOG.warnf("the unpacked model was not deleted: %s", failure.getMessage());
        }
    }

    private static Duration slowest(Stream<Duration> durations) {
        return durations.max(Comparator.naturalOrder()).orElse(Duration.ZERO);
    }

    private static String seconds(Duration duration) {
        return String.format(Locale.ROOT, "%.2f s", duration.toNanos() / 1e9);
    }

    private static String version() {
        return ConfigProvider.getConfig()
                .getOptionalValue("quarkus.application.version", String.class)
                .orElse("development");
    }
}
