package io.atelier.app;

import io.atelier.core.DeviceId;
import io.atelier.core.ModelId;
import io.atelier.core.ModelSignature;
import io.atelier.core.Sharing;
import io.atelier.core.Ticker;
import io.atelier.device.DeviceExecutor;
import io.atelier.metrics.MetricsListener;
import io.atelier.repository.LoadedModel;
import io.atelier.repository.ModelDefinition;
import io.atelier.scheduling.BatchRule;
import io.atelier.scheduling.ExecutionTimes;
import io.atelier.scheduling.ModelQueue;
import io.atelier.serving.ModelDirectory;
import io.atelier.serving.ModelStatistics;
import io.atelier.serving.ServedModel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/**
 * The life of a version that serves: a warm one gets its queue, its devices and its metrics; later it takes no more
 * requests; when it has answered what it had taken in, it is freed. Thread-safe for different models; the changes of one
 * follow one another.
 */
final class ServedVersions {
    private static final Logger LOG = Logger.getLogger(ServedVersions.class);

    private final ModelDefaults defaults;
    private final List<DeviceExecutor> devices;
    private final ModelDirectory directory;
    private final ModelConfigurations configurations;
    private final MetricsListener metrics;
    private final ModelStatistics statistics;
    private final Ticker ticker;

    ServedVersions(
            ModelDefaults defaults,
            List<DeviceExecutor> devices,
            ModelDirectory directory,
            ModelConfigurations configurations,
            MetricsListener metrics,
            ModelStatistics statistics,
            Ticker ticker) {
        this.defaults = defaults;
        this.devices = devices;
        this.directory = directory;
        this.configurations = configurations;
        this.metrics = metrics;
        this.statistics = statistics;
        this.ticker = ticker;
    }

    /** From now on requests for this version go to it. */
    void serve(WarmVersion warm) {
        ModelDefinition definition = warm.definition();
        ModelId id = warm.id();
        ModelSignature signature = warm.first().signature();
        Sharing sharing = warm.sharing();
        BatchRule rule =
                new BatchRule(signature, sharing, definition.config().batching().padding());
        ExecutionTimes times = new ExecutionTimes();
        ModelQueue queue = new ModelQueue(id, warm.policy(), sharing, times, ticker);
        warm.loaded().forEach(loaded -> loaded.warning().ifPresent(warning -> LOG.warnf("model %s: %s", id, warning)));
        Map<DeviceId, Integer> instances = new HashMap<>();
        for (int i = 0; i < devices.size(); i++) {
            DeviceExecutor device = devices.get(i);
            LoadedModel loaded = warm.loaded().get(i);
            loaded.fastestNanos().forEach((elements, nanos) -> times.foresee(device.id(), elements, nanos));
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
        configurations.put(warm, timeout, instances);
        metrics.showQueue(id, queue::depth, queue::predictedWaitNanos);
        directory.ready(new ServedModel(
                id, definition.platform(), signature, rule, queue, timeout, warm.task(), warm.labels()));
    }

    /** These take no more requests; gives those that served, which are to be retired. */
    List<ServedModel> withdraw(Stream<ModelId> versions) {
        List<ServedModel> served = new ArrayList<>();
        versions.forEach(id -> directory.unloading(id).ifPresentOrElse(served::add, () -> directory.unloaded(id)));
        return served;
    }

    /** Frees a model that takes no more requests, when it has answered what it has taken in. */
    CompletableFuture<Void> retire(ServedModel model) {
        ModelId id = model.id();
        return model.queue()
                .close()
                .thenCompose(drained -> Futures.all(devices.stream()
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
}
