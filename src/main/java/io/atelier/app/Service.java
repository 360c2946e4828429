package io.atelier.app;

import io.atelier.config.AtelierConfig;
import io.atelier.core.Deadline;
import io.atelier.core.DeviceId;
import io.atelier.core.ServingListener;
import io.atelier.core.Ticker;
import io.atelier.core.Tracing;
import io.atelier.device.DeviceExecutor;
import io.atelier.device.DevicePlan;
import io.atelier.device.DeviceThreads;
import io.atelier.device.FaultToleranceGuard;
import io.atelier.device.GuardPolicy;
import io.atelier.device.WatchPolicy;
import io.atelier.engine.Engine;
import io.atelier.metrics.GpuMetrics;
import io.atelier.metrics.MetricsListener;
import io.atelier.nvidia.GpuTelemetry;
import io.atelier.repository.ModelRepositoryException;
import io.atelier.serving.Admission;
import io.atelier.serving.Ensembles;
import io.atelier.serving.InferenceService;
import io.atelier.serving.ModelControl;
import io.atelier.serving.ModelDirectory;
import io.atelier.serving.ModelStatistics;
import io.atelier.serving.QueuedInferenceService;
import io.atelier.serving.jobs.InMemoryJobStore;
import io.atelier.serving.jobs.JobPolicy;
import io.atelier.serving.jobs.Jobs;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.eclipse.microprofile.config.ConfigProvider;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

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
    private final Ticker ticker;
    private final ModelStatistics statistics;
    private final ServingListener listener;
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
    private final InitialLoad initialLoad;
    private final ModelControl models;
    private final Jobs jobs;
    private final GpuMetrics gpus;
    private volatile @Nullable GpuTelemetry telemetry;
    private volatile @Nullable Deadline drained;

    /** @throws IllegalArgumentException if a device that was asked for cannot be used */
    Service(
            AtelierConfig config,
            Engine engine,
            MetricsListener metrics,
            Tracing tracing,
            Executor workers,
            Executor decoders,
            Ticker ticker) {
        this.config = config;
        this.engine = engine;
        this.ticker = ticker;
        this.statistics = new ModelStatistics(ticker, InstantSource.system());
        this.listener = tracing.observing(ServingListener.all(metrics, statistics, new OperatorLog()));
        List<DeviceId> ids = DevicePlan.of(config.devices(), engine::gpuCount);
        this.devices = ids.stream().map(id -> device(id, slots(id, ids))).toList();
        this.inference = new QueuedInferenceService(
                directory,
                devices,
                admission,
                config.strictReadiness(),
                config.watch().livenessGrace(),
                decoders,
                timer,
                ticker,
                listener);
        ModelDefaults defaults = new ModelDefaults(
                config.batching().maxBatchSize(),
                config.batching().maxQueueDelay(),
                config.batching().maxQueueSize(),
                config.batching().priorityStep(),
                config.requests().timeout());
        ModelFolders folders = new ModelFolders(config.modelRepository());
        Ensembles ensembles = new Ensembles(directory);
        ModelConfigurations configurations = new ModelConfigurations(directory, ensembles);
        VersionLoader loader =
                new VersionLoader(defaults, engine, devices, config.loading().timeout(), warmUpLimit(), ticker);
        ServedVersions served =
                new ServedVersions(defaults, devices, directory, configurations, metrics, statistics, ticker);
        this.initialLoad = new InitialLoad(folders, loader, served, directory, ensembles, defaults.timeout());
        this.models = new ChangeableModels(
                folders,
                directory,
                ensembles,
                configurations,
                new ModelReplacement(folders, devices, loader, served, directory, ensembles, defaults.timeout()),
                served,
                admission,
                workers);
        JobPolicy policy = new JobPolicy(
                config.jobs().timeout(),
                config.jobs().resultLife(),
                config.jobs().maxJobs(),
                config.jobs().maxSize().asLongValue(),
                config.jobs().priority());
        InMemoryJobStore store = new InMemoryJobStore(policy.maxJobs(), policy.maxBytes(), timer, ticker);
        this.jobs = new Jobs(store, policy, workers, InstantSource.system());
        metrics.showJobs(store::size, store::sizeBytes);
        this.gpus = metrics.gpus();
        metrics.showReadiness(() -> inference.status().ready());
        devices.forEach(device -> metrics.showDevice(device.id(), device.limit()));
    }

    /** What a warm-up runs is ended before it would count as hanging and cost its device. */
    private Duration warmUpLimit() {
        Duration beforeItHangs = config.watch().hangCeiling().multipliedBy(4).dividedBy(5);
        Duration asked = config.loading().warmUpTimeout();
        return asked.compareTo(beforeItHangs) < 0 ? asked : beforeItHangs;
    }

    InferenceService inference() {
        return inference;
    }

    /** The models, whatever {@code atelier.model-control} says. */
    ModelControl models() {
        return models;
    }

    /** What callers may do with the models. */
    ModelControl control() {
        return config.modelControl() == AtelierConfig.ModelControl.EXPLICIT ? models : new FixedModels(models);
    }

    ModelStatistics statistics() {
        return statistics;
    }

    Jobs jobs() {
        return jobs;
    }

    /**
     * Begins to load the models, each device on its own threads, and returns.
     *
     * @return completes when loading is over, whatever came of it
     * @throws ModelRepositoryException if the repository itself cannot be read
     */
    CompletableFuture<Void> start() throws ModelRepositoryException {
        long started = ticker.nanoTime();
        watchGpus();
        return initialLoad.begin().thenAccept(lines -> {
            devices.forEach(DeviceExecutor::open);
            admission.open();
            LOG.infof(
                    "Atelier %s with %s on %s; %s; started in %s s",
                    version(),
                    engine.description(),
                    devices.stream()
                            .map(device -> device.id() + " (" + device.limit() + " slots)")
                            .collect(Collectors.joining(", ")),
                    lines.isEmpty() ? "no models" : String.join("; ", lines),
                    String.format(Locale.ROOT, "%.2f", (ticker.nanoTime() - started) / 1e9));
        });
    }

    /** Readiness goes off at once; requests are refused after {@code delay}, when routers have heard. */
    void leave(Duration delay) {
        drained = Deadline.after(delay.plus(config.drain().timeout()), ticker);
        admission.beginLeaving();
        timer.schedule(delay.toNanos(), () -> {
            var unused = admission.close();
        });
    }

    /**
     * Answers everything that was accepted, then ends the devices and frees the models. Quarkus has waited for the HTTP
     * exchanges before, as long as {@code atelier.drain.timeout} says: what is unanswered now has lost its caller, or is
     * a job, which has what is left of that time.
     */
    void stop() {
        GpuTelemetry watching = telemetry;
        if (watching != null) {
            watching.close();
        }
        devices.forEach(DeviceExecutor::drain);
        try {
            admission.close().get(drainNanos(), TimeUnit.NANOSECONDS);
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

    private long drainNanos() {
        Deadline limit = drained;
        return Math.max(
                LAST_WAIT.toNanos(), limit == null ? config.drain().timeout().toNanos() : limit.remainingNanos());
    }

    private void watchGpus() {
        GpuTelemetry.start(devices.stream().map(DeviceExecutor::id).toList(), new GpuFaults(devices, gpus), ticker)
                .ifPresent(found -> {
                    telemetry = found;
                    found.measures()
                            .forEach((device, measures) -> measures.forEach(
                                    measure -> gpus.show(device, measure, () -> found.value(device, measure))));
                });
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
                DeviceThreads.loader(id),
                new FaultToleranceGuard(id, slots, policy, ticker),
                watch,
                settler,
                timer,
                ticker,
                listener);
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

    static String version() {
        return ConfigProvider.getConfig()
                .getOptionalValue("quarkus.application.version", String.class)
                .orElse("development");
    }
}
