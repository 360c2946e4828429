package io.atelier.app;

import io.atelier.core.ModelId;
import io.atelier.core.Task;
import io.atelier.core.Ticker;
import io.atelier.device.DeviceExecutor;
import io.atelier.engine.Engine;
import io.atelier.engine.EngineMessage;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.TaskConfig;
import io.atelier.repository.LoadedModel;
import io.atelier.repository.ModelDefinition;
import io.atelier.repository.ModelLoader;
import io.atelier.repository.OutputLabels;
import io.atelier.scheduling.BatchPolicy;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/** Loads one model version onto every device, devices side by side. Knows nothing of what serves. Thread-safe. */
final class VersionLoader {
    private static final Logger LOG = Logger.getLogger(VersionLoader.class);

    private final ModelDefaults defaults;
    private final Engine engine;
    private final List<DeviceExecutor> devices;
    private final Duration limit;
    private final ModelLoader loader;

    /**
     * @param limit       how long a version may take on a device before it is given up
     * @param warmUpLimit how long the executions of its warm-up may take
     */
    VersionLoader(
            ModelDefaults defaults,
            Engine engine,
            List<DeviceExecutor> devices,
            Duration limit,
            Duration warmUpLimit,
            Ticker ticker) {
        this.defaults = defaults;
        this.engine = engine;
        this.devices = devices;
        this.limit = limit;
        this.loader = new ModelLoader(engine, warmUpLimit, ticker);
    }

    /**
     * Loads a version and warms it up; if one device cannot, it is freed on all.
     *
     * @return completes when it is warm on every device; {@link #reason} tells of a failure
     */
    CompletableFuture<WarmVersion> warm(ModelDefinition definition) {
        BatchPolicy policy = defaults.policy(definition.config());
        if (!definition.config().ignored().isEmpty()) {
            LOG.warnf(
                    "model %s: ignored %s", definition.id(), definition.config().ignored());
        }
        List<CompletableFuture<LoadedModel>> onDevices =
                devices.stream().map(device -> load(definition, policy, device)).toList();
        CompletableFuture<WarmVersion> warm = Futures.all(onDevices).thenApply(loaded -> warm(policy, loaded));
        return warm.whenComplete((done, failure) -> {
            if (failure != null) {
                for (CompletableFuture<LoadedModel> one : onDevices) {
                    var unused = one.thenAccept(loaded -> loaded.instance().close());
                }
            }
        });
    }

    /** What the version turned out to be on its devices: texts are as long as all of them bear. */
    private WarmVersion warm(BatchPolicy policy, List<LoadedModel> loaded) {
        ModelDefinition definition = loaded.get(0).definition();
        for (LoadedModel one : loaded) {
            if (one.definition().config().task().orElse(null) instanceof TaskConfig.OfText text) {
                definition = definition.withMaxTokens(text.text().maxTokens());
            }
        }
        if (!definition.inferred().isEmpty()) {
            LOG.infof("model %s: inferred %s", definition.id(), definition.inferred());
        }
        @Nullable Task task = task(definition, loaded.get(0));
        return new WarmVersion(definition, policy, loaded, task, labels(definition, task));
    }

    private CompletableFuture<LoadedModel> load(ModelDefinition definition, BatchPolicy policy, DeviceExecutor device) {
        return device.load(
                () -> loader.load(definition, device.id(), policy.maxBatchSize(), device.limit(), device::execute),
                limit,
                late -> {
                    LOG.warnf("model %s: loaded on %s after it was given up; freed", definition.id(), device.id());
                    late.instance().close();
                });
    }

    /** The task's, and those of the folder, which go before. */
    private static Map<String, List<String>> labels(ModelDefinition definition, @Nullable Task task) {
        Map<String, List<String>> labels = new HashMap<>(task == null ? Map.of() : task.labels());
        try {
            labels.putAll(OutputLabels.read(definition));
            return Map.copyOf(labels);
        } catch (ModelLoadException failure) {
            throw new CompletionException(failure);
        }
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

    /** Why a version was not loaded, for people; what nobody foresaw goes to the log as a whole. */
    static String reason(ModelId model, Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        String reason;
        if (cause instanceof ModelLoadException foreseen) {
            reason = foreseen.reason();
        } else {
            LOG.errorf(cause, "loading model %s failed", model);
            reason = EngineMessage.of(cause);
        }
        LOG.errorf("model %s cannot be served: %s", model, reason);
        return reason;
    }
}
