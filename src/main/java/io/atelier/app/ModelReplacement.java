package io.atelier.app;

import io.atelier.core.DeviceState;
import io.atelier.core.ModelId;
import io.atelier.core.ServingException.LoadFailed;
import io.atelier.core.ServingException.ModelNotFound;
import io.atelier.core.ServingException.NotReady;
import io.atelier.device.DeviceExecutor;
import io.atelier.repository.EnsembleDefinition;
import io.atelier.repository.ModelDefinition;
import io.atelier.repository.ModelRepository;
import io.atelier.repository.ModelRepository.BrokenFolder;
import io.atelier.repository.ModelRepositoryException;
import io.atelier.serving.Ensembles;
import io.atelier.serving.ModelDirectory;
import io.atelier.serving.ServedModel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Loads a model from its folder beside what serves, and puts it in its place: all of its versions, or none. Thread-safe
 * for different models; the replacements of one follow one another.
 */
final class ModelReplacement {
    private static final Logger LOG = Logger.getLogger(ModelReplacement.class);

    private final ModelFolders folders;
    private final List<DeviceExecutor> devices;
    private final VersionLoader loader;
    private final ServedVersions served;
    private final ModelDirectory directory;
    private final Ensembles ensembles;
    private final Duration timeout;

    /** @param timeout how long a request to an ensemble may take where neither its caller nor the ensemble says */
    ModelReplacement(
            ModelFolders folders,
            List<DeviceExecutor> devices,
            VersionLoader loader,
            ServedVersions served,
            ModelDirectory directory,
            Ensembles ensembles,
            Duration timeout) {
        this.folders = folders;
        this.devices = devices;
        this.loader = loader;
        this.served = served;
        this.directory = directory;
        this.ensembles = ensembles;
        this.timeout = timeout;
    }

    /**
     * Loads a model's versions; once all are warm they take over.
     *
     * @param config JSON that stands above the folder's configuration; null for none
     * @return completes when they serve, with those that they replace, which are to be retired
     */
    CompletableFuture<List<ServedModel>> replace(String name, @Nullable String config) {
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

    /** A model serves on every device or on none, so a device that is out of service keeps all from loading. */
    private void requireHealthyDevices() {
        for (DeviceExecutor device : devices) {
            if (device.state() == DeviceState.QUARANTINED) {
                throw new NotReady("the device " + device.id() + " is out of service", Duration.ofSeconds(5));
            }
        }
    }

    private ModelFolders.Opened open() {
        try {
            return folders.open();
        } catch (ModelRepositoryException unreadable) {
            throw new NotReady(unreadable.reason(), Duration.ofSeconds(5));
        }
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

    /** Warms up one version after the other; if one cannot be, none is left. */
    private CompletableFuture<List<WarmVersion>> warmAll(String name, List<ModelDefinition> definitions) {
        CompletableFuture<List<WarmVersion>> all = CompletableFuture.completedFuture(List.of());
        for (ModelDefinition definition : definitions) {
            all = all.thenCompose(before -> loader.warm(definition).handle((warm, failure) -> {
                if (failure == null) {
                    return Stream.concat(before.stream(), Stream.of(warm)).toList();
                }
                before.forEach(WarmVersion::free);
                String reason =
                        "version " + definition.id().version() + ": " + VersionLoader.reason(definition.id(), failure);
                definitions.forEach(one -> directory.notLoaded(one.id(), reason));
                throw new LoadFailed(name, reason);
            }));
        }
        return all;
    }

    /** These take over. Gives those that they replace, and those that nobody asks for any more. */
    private List<ServedModel> take(String name, List<WarmVersion> warm) {
        List<ServedModel> old = new ArrayList<>();
        Set<ModelId> now = new HashSet<>();
        for (WarmVersion one : warm) {
            directory.ready(one.id()).ifPresent(old::add);
            now.add(one.id());
            served.serve(one);
            LOG.info(one.describe());
        }
        directory.mended(name);
        old.addAll(served.withdraw(directory.known(name).stream().filter(id -> !now.contains(id))));
        return old;
    }

    /** The ensembles of a folder take over at once, or none of them does. */
    private List<ServedModel> take(String name, ModelRepository.Scan scan) {
        List<ModelId> now =
                scan.ensembles().stream().map(EnsembleDefinition::id).toList();
        List<ServedModel> old =
                now.stream().map(directory::ready).flatMap(Optional::stream).toList();
        now.forEach(directory::loading);
        Map<ModelId, String> refused = ensembles.serve(scan.ensembles(), timeout);
        if (!refused.isEmpty()) {
            refused.forEach(directory::notLoaded);
            throw new LoadFailed(name, String.join("; ", refused.values()));
        }
        directory.mended(name);
        LOG.infof("ensemble %s loaded", name);
        return Stream.concat(
                        old.stream(),
                        served.withdraw(directory.known(name).stream().filter(id -> !now.contains(id))).stream())
                .toList();
    }
}
