package io.atelier.app;

import io.atelier.core.DeviceId;
import io.atelier.core.DeviceState;
import io.atelier.core.ModelId;
import io.atelier.core.ModelSignature;
import io.atelier.core.ServingException.LoadFailed;
import io.atelier.core.ServingException.ModelNotFound;
import io.atelier.core.ServingException.NotReady;
import io.atelier.core.Task;
import io.atelier.core.Ticker;
import io.atelier.device.DeviceExecutor;
import io.atelier.engine.Engine;
import io.atelier.engine.ModelInstance;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.TaskConfig;
import io.atelier.metrics.MetricsListener;
import io.atelier.repository.EnsembleConfig;
import io.atelier.repository.EnsembleDefinition;
import io.atelier.repository.LoadedModel;
import io.atelier.repository.ModelConfig;
import io.atelier.repository.ModelDefinition;
import io.atelier.repository.ModelLoader;
import io.atelier.repository.ModelRepository;
import io.atelier.repository.ModelRepository.BrokenFolder;
import io.atelier.repository.ModelRepositoryException;
import io.atelier.repository.VersionPolicy;
import io.atelier.scheduling.BatchPolicy;
import io.atelier.scheduling.BatchRule;
import io.atelier.scheduling.ExecutionTimes;
import io.atelier.scheduling.ModelQueue;
import io.atelier.serving.Admission;
import io.atelier.serving.Ensembles;
import io.atelier.serving.ModelConfiguration;
import io.atelier.serving.ModelConfiguration.Versions;
import io.atelier.serving.ModelControl;
import io.atelier.serving.ModelDirectory;
import io.atelier.serving.ModelState;
import io.atelier.serving.ModelState.State;
import io.atelier.serving.ModelStatistics;
import io.atelier.serving.ServedEnsemble;
import io.atelier.serving.ServedModel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Every model version on every device: loads them, puts new ones in their place, gives them up.
 *
 * <p>While the service serves, the changes of one model follow one another, and so do all loads, version by version:
 * loading takes one of a device's threads for loading and, for its warm-up, one permit. A change is over when what it replaced is
 * freed, so there are at most two of a model at a time.
 *
 * <p>Thread-safe.
 */
final class Models implements ModelControl {
    private static final Logger LOG = Logger.getLogger(Models.class);

    /** Changes of one model that may wait, the running one included. */
    private static final int MOST_CHANGES = 8;

    private final Defaults defaults;
    private final Engine engine;
    private final MetricsListener metrics;
    private final ModelStatistics statistics;
    private final Ticker ticker;
    private final List<DeviceExecutor> devices;
    private final ModelDirectory directory;
    private final Ensembles ensembles;
    private final Admission admission;
    private final ModelFolders folders;
    private final Executor workers;
    private final Lane loads;
    private final Map<String, Lane> lanes = new ConcurrentHashMap<>();
    private final Map<ModelId, ModelConfiguration> configurations = new ConcurrentHashMap<>();

    /**
     * What holds where a model's folder says nothing else.
     *
     * @param priorityStep wait that lifts a request by one level
     */
    record Defaults(
            int maxBatchSize, Duration maxQueueDelay, int maxQueueSize, Duration priorityStep, Duration timeout) {}

    /** A version that is warm on every device, and does not serve yet. */
    private record Warm(
            ModelDefinition definition,
            BatchPolicy policy,
            List<LoadedModel> loaded,
            @Nullable Task task) {
        void free() {
            loaded.forEach(one -> one.instance().close());
        }
    }

    /** @param workers reads folders */
    Models(
            Defaults defaults,
            Engine engine,
            MetricsListener metrics,
            ModelStatistics statistics,
            Ticker ticker,
            List<DeviceExecutor> devices,
            ModelDirectory directory,
            Admission admission,
            ModelFolders folders,
            Executor workers) {
        this.defaults = defaults;
        this.engine = engine;
        this.metrics = metrics;
        this.statistics = statistics;
        this.ticker = ticker;
        this.devices = devices;
        this.directory = directory;
        this.ensembles = new Ensembles(directory);
        this.admission = admission;
        this.folders = folders;
        this.workers = workers;
        this.loads = new Lane("loads", Integer.MAX_VALUE, workers);
    }

    /**
     * Loads everything that the repository holds, each version for itself, devices side by side.
     *
     * @return completes when loading is over, with a line about each version
     * @throws ModelRepositoryException if the repository itself cannot be read
     */
    CompletableFuture<List<String>> loadAll() throws ModelRepositoryException {
        ModelFolders.Opened opened = folders.open();
        ModelRepository.Scan scan = opened.repository().scan();
        scan.broken().forEach(broken -> {
            LOG.errorf("model %s cannot be served: %s", broken.name(), broken.reason());
            directory.broken(broken.name(), broken.reason());
        });
        scan.models().forEach(definition -> directory.loading(definition.id()));
        scan.ensembles().forEach(definition -> directory.loading(definition.id()));
        List<CompletableFuture<String>> lines = scan.models().stream()
                .map(definition -> warm(definition)
                        .thenApply(warm -> {
                            serve(warm);
                            return describe(warm);
                        })
                        .exceptionally(failure -> {
                            String reason = reason(definition.id(), failure);
                            directory.failed(definition.id(), reason);
                            return "model " + definition.id() + " FAILED: " + reason;
                        }))
                .toList();
        return all(lines)
                .thenApply(done -> Stream.concat(done.stream(), serveAll(scan.ensembles()).stream())
                        .toList())
                .whenComplete((done, failure) -> opened.close().run());
    }

    /** Once their models are there. Gives a line about each. */
    private List<String> serveAll(List<EnsembleDefinition> definitions) {
        Map<ModelId, String> refused = ensembles.serve(definitions, defaults.timeout());
        refused.forEach((id, reason) -> {
            LOG.errorf("ensemble %s cannot be served: %s", id, reason);
            directory.failed(id, reason);
        });
        return definitions.stream()
                .map(EnsembleDefinition::id)
                .map(id -> "ensemble " + id + (refused.containsKey(id) ? " FAILED: " + refused.get(id) : ""))
                .toList();
    }

    @Override
    public CompletableFuture<List<ModelState>> index() {
        return CompletableFuture.supplyAsync(
                () -> {
                    List<ModelState> index = new ArrayList<>(directory.index());
                    Set<String> known = index.stream().map(ModelState::name).collect(Collectors.toSet());
                    for (String name : names()) {
                        if (!known.contains(name)) {
                            index.add(new ModelState(name, null, State.UNAVAILABLE, "not loaded"));
                        }
                    }
                    return index;
                },
                workers);
    }

    @Override
    public CompletableFuture<Void> load(String name, @Nullable String config) {
        return CompletableFuture.supplyAsync(() -> known(name, ModelNotFound.toLoad(name)), workers)
                .thenCompose(known -> change(name, () -> loads.enter(() -> replace(name, config))));
    }

    @Override
    public CompletableFuture<Void> unload(String name) {
        return CompletableFuture.supplyAsync(() -> known(name, new ModelNotFound(name, null)), workers)
                .thenCompose(known -> change(
                        name, () -> CompletableFuture.completedFuture(withdraw(directory.known(name).stream()))));
    }

    @Override
    public ModelConfiguration configuration(String name, @Nullable String version) {
        Optional<ServedEnsemble> ensemble = directory.ensemble(name, version);
        if (ensemble.isPresent()) {
            return configuration(ensemble.get());
        }
        ModelId id = directory.find(name, version).id();
        ModelConfiguration configuration = configurations.get(id);
        if (configuration == null) {
            throw new ModelNotFound(name, version); // unloaded between the two looks
        }
        return configuration;
    }

    /** An ensemble has neither file nor queue nor device of its own. */
    private ModelConfiguration configuration(ServedEnsemble ensemble) {
        return new ModelConfiguration(
                ensemble.id(),
                EnsembleConfig.PLATFORM,
                "",
                "",
                ensemble.signature(),
                new Versions.Latest(1),
                false,
                ensembles.maxBatchSize(ensemble),
                Duration.ZERO,
                0,
                ensemble.timeout(),
                0,
                Map.of());
    }

    /** @throws ModelNotFound the one given, if neither the directory nor the repository knows the name */
    private String known(String name, ModelNotFound unknown) {
        requireChangeable();
        if (directory.known(name).isEmpty() && !names().contains(name)) {
            throw unknown;
        }
        return name;
    }

    private void requireChangeable() {
        if (admission.phase() == Admission.Phase.STARTING) {
            throw new NotReady("the service is loading its models", Duration.ofSeconds(1));
        }
        if (admission.phase() != Admission.Phase.OPEN) {
            throw new NotReady("the service is shutting down", Duration.ofSeconds(1));
        }
    }

    private List<String> names() {
        try {
            return folders.names();
        } catch (ModelRepositoryException unreadable) {
            throw new NotReady(unreadable.reason(), Duration.ofSeconds(5));
        }
    }

    /**
     * Lets a change of a model follow those before it.
     *
     * @param step changes what serves, and gives what is to be freed
     * @return completes when the step has; what it left behind is freed before the next one begins
     */
    private CompletableFuture<Void> change(String name, Supplier<CompletableFuture<List<ServedModel>>> step) {
        CompletableFuture<Void> changed = new CompletableFuture<>();
        Lane lane =
                lanes.computeIfAbsent(name, key -> new Lane("changes of model '" + key + "'", MOST_CHANGES, workers));
        CompletableFuture<List<Void>> freed = lane.enter(() -> step.get().thenCompose(old -> {
            changed.complete(null);
            return all(old.stream().map(this::retire).toList());
        }));
        var unused = freed.exceptionally(failure -> {
            changed.completeExceptionally(failure);
            return List.of();
        });
        return changed;
    }

    /** Loads a model's versions; once all are warm they take over. Gives those that they replace. */
    private CompletableFuture<List<ServedModel>> replace(String name, @Nullable String config) {
        requireChangeable();
        requireHealthyDevices();
        ModelFolders.Opened opened = open();
        try {
            ModelRepository.Scan scan = read(opened.repository(), name, config);
            if (!scan.ensembles().isEmpty()) {
                opened.close().run();
                return CompletableFuture.completedFuture(take(name, scan));
            }
            List<ModelDefinition> definitions = scan.models();
            definitions.forEach(definition -> directory.loading(definition.id()));
            return warmAll(name, definitions)
                    .thenApply(warm -> take(name, warm))
                    .whenComplete((old, failure) -> opened.close().run());
        } catch (RuntimeException refused) {
            opened.close().run();
            throw refused;
        }
    }

    /** Warms up one version after the other; if one cannot be, none is left. */
    private CompletableFuture<List<Warm>> warmAll(String name, List<ModelDefinition> definitions) {
        CompletableFuture<List<Warm>> all = CompletableFuture.completedFuture(List.of());
        for (ModelDefinition definition : definitions) {
            all = all.thenCompose(before -> warm(definition).handle((warm, failure) -> {
                if (failure == null) {
                    return Stream.concat(before.stream(), Stream.of(warm)).toList();
                }
                before.forEach(Warm::free);
                String reason = "version " + definition.id().version() + ": " + reason(definition.id(), failure);
                definitions.forEach(one -> directory.notLoaded(one.id(), reason));
                throw new LoadFailed(name, reason);
            }));
        }
        return all;
    }

    /** These take over. Gives those that they replace, and those that nobody asks for any more. */
    private List<ServedModel> take(String name, List<Warm> warm) {
        List<ServedModel> old = new ArrayList<>();
        Set<ModelId> now = new HashSet<>();
        for (Warm one : warm) {
            directory.ready(one.definition().id()).ifPresent(old::add);
            now.add(one.definition().id());
            serve(one);
            LOG.info(describe(one));
        }
        directory.mended(name);
        old.addAll(withdraw(directory.known(name).stream().filter(id -> !now.contains(id))));
        return old;
    }

    /** The ensembles of a folder take over at once, or none of them does. */
    private List<ServedModel> take(String name, ModelRepository.Scan scan) {
        List<ModelId> now =
                scan.ensembles().stream().map(EnsembleDefinition::id).toList();
        List<ServedModel> old =
                now.stream().map(directory::ready).flatMap(Optional::stream).toList();
        now.forEach(directory::loading);
        Map<ModelId, String> refused = ensembles.serve(scan.ensembles(), defaults.timeout());
        if (!refused.isEmpty()) {
            refused.forEach(directory::notLoaded);
            throw new LoadFailed(name, String.join("; ", refused.values()));
        }
        directory.mended(name);
        LOG.infof("ensemble %s loaded", name);
        return Stream.concat(
                        old.stream(), withdraw(directory.known(name).stream().filter(id -> !now.contains(id))).stream())
                .toList();
    }

    /** These take no more requests; gives those that served. */
    private List<ServedModel> withdraw(Stream<ModelId> versions) {
        List<ServedModel> served = new ArrayList<>();
        versions.forEach(id -> directory.unloading(id).ifPresentOrElse(served::add, () -> directory.unloaded(id)));
        return served;
    }

    /** Frees a model that takes no more requests, when it has answered what it has taken in. */
    private CompletableFuture<Void> retire(ServedModel model) {
        ModelId id = model.id();
        return model.queue()
                .close()
                .thenCompose(drained -> all(devices.stream()
                        .map(device -> device.release(model.queue()))
                        .toList()))
                .thenRun(() -> {
                    if (directory.ready(id).isEmpty()) {
                        configurations.remove(id);
                        metrics.hideQueue(id);
                        statistics.forget(id);
                        directory.unloaded(id);
                        LOG.infof("model %s unloaded", id);
                    }
                });
    }

    private ModelRepository.Scan read(ModelRepository repository, String name, @Nullable String config) {
        ModelRepository.Scan scan;
        try {
            scan = repository.scan(name, Optional.ofNullable(config)).orElseThrow(() -> ModelNotFound.toLoad(name));
        } catch (ModelRepositoryException unreadable) {
            throw new NotReady(unreadable.reason(), Duration.ofSeconds(5));
        }
        if (!scan.broken().isEmpty()) {
            String reason = scan.broken().stream().map(BrokenFolder::reason).collect(Collectors.joining("; "));
            LOG.errorf("model %s cannot be loaded: %s", name, reason);
            throw new LoadFailed(name, reason);
        }
        return scan;
    }

    private ModelFolders.Opened open() {
        try {
            return folders.open();
        } catch (ModelRepositoryException unreadable) {
            throw new NotReady(unreadable.reason(), Duration.ofSeconds(5));
        }
    }

    /** A model serves on every device or on none, so a device that is out of service keeps all from loading. */
    private void requireHealthyDevices() {
        for (DeviceExecutor device : devices) {
            if (device.state() == DeviceState.QUARANTINED) {
                throw new NotReady("the device " + device.id() + " is out of service", Duration.ofSeconds(5));
            }
        }
    }

    /** Loads a version onto every device; if one cannot, it is freed on all. */
    private CompletableFuture<Warm> warm(ModelDefinition definition) {
        BatchPolicy policy = policy(definition.config());
        if (!definition.config().ignored().isEmpty()) {
            LOG.infof(
                    "model %s: ignored %s", definition.id(), definition.config().ignored());
        }
        ModelLoader loader = new ModelLoader(engine, ticker);
        List<CompletableFuture<LoadedModel>> onDevices = devices.stream()
                .map(device -> device.submit(() ->
                        loader.load(definition, device.id(), policy.maxBatchSize(), device.limit(), device::execute)))
                .toList();
        CompletableFuture<Warm> warm = all(onDevices)
                .thenApply(loaded -> new Warm(definition, policy, loaded, task(definition, loaded.get(0))));
        return warm.whenComplete((done, failure) -> {
            if (failure != null) {
                for (CompletableFuture<LoadedModel> one : onDevices) {
                    var unused = one.thenAccept(loaded -> loaded.instance().close());
                }
            }
        });
    }

    private BatchPolicy policy(ModelConfig config) {
        ModelConfig.Batching batching = config.batching();
        return new BatchPolicy(
                batching.maxBatchSize().orElse(defaults.maxBatchSize()),
                batching.maxQueueDelay().orElse(defaults.maxQueueDelay()),
                batching.maxQueueSize().orElse(defaults.maxQueueSize()),
                config.share().priority().orElse(BatchPolicy.DEFAULT_PRIORITY),
                defaults.priorityStep());
    }

    private @Nullable Task task(ModelDefinition definition, LoadedModel loaded) {
        if (definition.config().task().isEmpty()) {
            return null;
        }
        TaskConfig task = definition.config().task().get();
        try {
            return engine.loadTask(task, definition.folder(), loaded.instance().signature());
        } catch (ModelLoadException failure) {
            throw new CompletionException(
                    new ModelLoadException("task " + task.kind().word() + ": " + failure.reason(), failure));
        }
    }

    /** From now on requests for this version go to it. */
    private void serve(Warm warm) {
        ModelDefinition definition = warm.definition();
        ModelId id = definition.id();
        ModelInstance first = warm.loaded().get(0).instance();
        ModelSignature signature = first.signature();
        BatchRule rule = first.canBatch()
                ? BatchRule.together(signature, definition.config().batching().padding())
                : BatchRule.alone();
        ModelQueue queue = new ModelQueue(id, warm.policy(), first.canBatch(), new ExecutionTimes(), ticker);
        Map<DeviceId, Integer> instances = new HashMap<>();
        for (int i = 0; i < devices.size(); i++) {
            DeviceExecutor device = devices.get(i);
            LoadedModel loaded = warm.loaded().get(i);
            int atOnce = definition.config().instances().orElse(device.limit());
            instances.put(device.id(), atOnce);
            device.hold(
                    queue,
                    loaded.instance(),
                    loaded.golden(),
                    atOnce,
                    definition.config().share().weight());
        }
        Duration timeout = definition.config().timeout().orElse(defaults.timeout());
        configurations.put(
                id,
                new ModelConfiguration(
                        id,
                        definition.platform(),
                        definition.format().backend(),
                        definition.format().fileName(),
                        signature,
                        versions(definition.config().versions()),
                        first.canBatch(),
                        warm.policy().maxBatchSize(),
                        warm.policy().maxQueueDelay(),
                        warm.policy().maxQueueSize(),
                        timeout,
                        warm.policy().priority(),
                        Map.copyOf(instances)));
        metrics.showQueue(id, queue::depth, queue::predictedWaitNanos);
        directory.ready(new ServedModel(id, definition.platform(), signature, rule, queue, timeout, warm.task()));
    }

    private static Versions versions(VersionPolicy policy) {
        if (policy instanceof VersionPolicy.Latest latest) {
            return new Versions.Latest(latest.count());
        }
        if (policy instanceof VersionPolicy.Specific specific) {
            return new Versions.Specific(List.copyOf(specific.versions()));
        }
        return new Versions.All();
    }

    /** Why a version was not loaded, for people; what nobody foresaw goes to the log as a whole. */
    private static String reason(ModelId model, Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (!(cause instanceof ModelLoadException)) {
            LOG.errorf(cause, "loading model %s failed", model);
        }
        String reason = String.valueOf(cause.getMessage());
        LOG.errorf("model %s cannot be served: %s", model, reason);
        return reason;
    }

    private static String describe(Warm warm) {
        return "model %s loaded in %s, warm in %s"
                .formatted(
                        warm.definition().id(),
                        seconds(slowest(warm.loaded().stream().map(LoadedModel::loadTime))),
                        seconds(slowest(warm.loaded().stream().map(LoadedModel::warmUpTime))));
    }

    private static Duration slowest(Stream<Duration> durations) {
        return durations.max(Comparator.naturalOrder()).orElse(Duration.ZERO);
    }

    static String seconds(Duration duration) {
        return String.format(Locale.ROOT, "%.2f s", duration.toNanos() / 1e9);
    }

    /** What all of these give, when the last of them has. */
    private static <T> CompletableFuture<List<T>> all(List<CompletableFuture<T>> futures) {
        return CompletableFuture.allOf(futures.toArray(CompletableFuture<?>[]::new))
                .thenApply(done -> futures.stream().map(CompletableFuture::join).toList());
    }
}
