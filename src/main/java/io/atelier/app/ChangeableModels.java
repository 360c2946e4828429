package io.atelier.app;

import io.atelier.core.ServingException.ModelNotFound;
import io.atelier.core.ServingException.NotReady;
import io.atelier.repository.ModelRepositoryException;
import io.atelier.serving.Admission;
import io.atelier.serving.Ensembles;
import io.atelier.serving.ModelConfiguration;
import io.atelier.serving.ModelControl;
import io.atelier.serving.ModelDirectory;
import io.atelier.serving.ModelState;
import io.atelier.serving.ModelState.State;
import io.atelier.serving.ServedModel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Model control where it is configured: says when a change may happen.
 *
 * <p>The changes of one model follow one another, and so do all loads. A change is over when what it replaced is freed,
 * so there are at most two of a model at a time.
 *
 * <p>Thread-safe.
 */
final class ChangeableModels implements ModelControl {
    /** Changes of one model that may wait, the running one included. */
    private static final int MOST_CHANGES = 8;

    private final ModelFolders folders;
    private final ModelDirectory directory;
    private final Ensembles ensembles;
    private final ModelConfigurations configurations;
    private final ModelReplacement replacement;
    private final ServedVersions served;
    private final Admission admission;
    private final Executor workers;
    private final Lane loads;
    private final Map<String, Lane> lanes = new ConcurrentHashMap<>();

    /** @param workers reads folders */
    ChangeableModels(
            ModelFolders folders,
            ModelDirectory directory,
            Ensembles ensembles,
            ModelConfigurations configurations,
            ModelReplacement replacement,
            ServedVersions served,
            Admission admission,
            Executor workers) {
        this.folders = folders;
        this.directory = directory;
        this.ensembles = ensembles;
        this.configurations = configurations;
        this.replacement = replacement;
        this.served = served;
        this.admission = admission;
        this.workers = workers;
        this.loads = new Lane("loads", Integer.MAX_VALUE, workers);
    }

    @Override
    public CompletableFuture<List<ModelState>> index() {
        return CompletableFuture.supplyAsync(
                () -> {
                    List<ModelState> index = new ArrayList<>();
                    directory.index().forEach(state -> index.add(ensembles.asItStands(state)));
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
                .thenCompose(known -> change(
                        name,
                        () -> loads.enter(() -> {
                            requireChangeable();
                            return replacement.replace(name, config);
                        })));
    }

    @Override
    public CompletableFuture<Void> unload(String name) {
        return CompletableFuture.supplyAsync(() -> known(name, new ModelNotFound(name, null)), workers)
                .thenCompose(known -> change(
                        name,
                        () -> CompletableFuture.completedFuture(served.withdraw(directory.known(name).stream()))));
    }

    @Override
    public CompletableFuture<Void> unloadWithSteps(String name) {
        return CompletableFuture.supplyAsync(() -> ensembles.servingOnly(name), workers)
                .thenCompose(steps -> unload(name).thenCompose(unloaded -> {
                    Stream<CompletableFuture<Void>> all = steps.stream().map(this::unload);
                    return CompletableFuture.allOf(all.toArray(CompletableFuture<?>[]::new));
                }));
    }

    @Override
    public ModelConfiguration configuration(String name, @Nullable String version) {
        return configurations.of(name, version);
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
            return Futures.all(old.stream().map(served::retire).toList());
        }));
        var unused = freed.exceptionally(failure -> {
            changed.completeExceptionally(failure);
            return List.of();
        });
        return changed;
    }
}
