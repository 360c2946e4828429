package io.atelier.app;

import io.atelier.core.ModelId;
import io.atelier.repository.EnsembleDefinition;
import io.atelier.repository.ModelDefinition;
import io.atelier.repository.ModelRepository;
import io.atelier.repository.ModelRepositoryException;
import io.atelier.serving.Ensembles;
import io.atelier.serving.ModelDirectory;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/** Loads at the start of the service whatever the repository holds; what cannot be loaded keeps nothing else from serving. */
final class InitialLoad {
    private static final Logger LOG = Logger.getLogger(InitialLoad.class);

    private final ModelFolders folders;
    private final VersionLoader loader;
    private final ServedVersions served;
    private final ModelDirectory directory;
    private final Ensembles ensembles;
    private final Duration timeout;

    /** @param timeout how long a request to an ensemble may take where neither its caller nor the ensemble says */
    InitialLoad(
            ModelFolders folders,
            VersionLoader loader,
            ServedVersions served,
            ModelDirectory directory,
            Ensembles ensembles,
            Duration timeout) {
        this.folders = folders;
        this.loader = loader;
        this.served = served;
        this.directory = directory;
        this.ensembles = ensembles;
        this.timeout = timeout;
    }

    /**
     * Loads each version for itself, devices side by side; then the ensembles.
     *
     * @return completes when loading is over, with a line about each version
     * @throws ModelRepositoryException if the repository itself cannot be read
     */
    CompletableFuture<List<String>> begin() throws ModelRepositoryException {
        ModelFolders.Opened opened = folders.open();
        ModelRepository.Scan scan = opened.repository().scan();
        scan.broken().forEach(broken -> {
            LOG.errorf("model %s cannot be served: %s", broken.name(), broken.reason());
            directory.broken(broken.name(), broken.reason());
        });
        scan.models().forEach(definition -> directory.loading(definition.id()));
        scan.ensembles().forEach(definition -> directory.loading(definition.id()));
        return Futures.all(scan.models().stream().map(this::load).toList())
                .thenApply(lines -> Stream.concat(lines.stream(), serve(scan.ensembles()).stream())
                        .toList())
                .whenComplete((lines, failure) -> opened.close().run());
    }

    /** Gives a line about it. */
    private CompletableFuture<String> load(ModelDefinition definition) {
        return loader.warm(definition)
                .thenApply(warm -> {
                    served.serve(warm);
                    return warm.describe();
                })
                .exceptionally(failure -> {
                    String reason = VersionLoader.reason(definition.id(), failure);
                    directory.failed(definition.id(), reason);
                    return "model " + definition.id() + " FAILED: " + reason;
                });
    }

    /** Once their models are there. Gives a line about each. */
    private List<String> serve(List<EnsembleDefinition> definitions) {
        Map<ModelId, String> refused = ensembles.serve(definitions, timeout);
        refused.forEach((id, reason) -> {
            LOG.errorf("ensemble %s cannot be served: %s", id, reason);
            directory.failed(id, reason);
        });
        return definitions.stream()
                .map(EnsembleDefinition::id)
                .map(id -> "ensemble " + id + (refused.containsKey(id) ? " FAILED: " + refused.get(id) : ""))
                .toList();
    }
}
