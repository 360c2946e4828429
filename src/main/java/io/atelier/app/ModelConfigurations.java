package io.atelier.app;

import io.atelier.core.DeviceId;
import io.atelier.core.ModelId;
import io.atelier.core.ServingException.ModelNotFound;
import io.atelier.core.ServingException.NotReady;
import io.atelier.core.Sharing;
import io.atelier.repository.Declaration;
import io.atelier.repository.DeclaredTensor;
import io.atelier.repository.EnsembleConfig;
import io.atelier.repository.ModelDefinition;
import io.atelier.repository.VersionPolicy;
import io.atelier.repository.WarmUpRequest;
import io.atelier.serving.Ensembles;
import io.atelier.serving.ModelConfiguration;
import io.atelier.serving.ModelConfiguration.Filling;
import io.atelier.serving.ModelConfiguration.Note;
import io.atelier.serving.ModelConfiguration.Step;
import io.atelier.serving.ModelConfiguration.Versions;
import io.atelier.serving.ModelConfiguration.WarmUp;
import io.atelier.serving.ModelConfiguration.WarmUpInput;
import io.atelier.serving.ModelDirectory;
import io.atelier.serving.ServedEnsemble;
import io.atelier.serving.ServedModel;
import io.atelier.serving.pipeline.PipelinePlan;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** How each version that serves is served, with every default filled in. Thread-safe. */
final class ModelConfigurations {
    private final ModelDirectory directory;
    private final Ensembles ensembles;
    private final Map<ModelId, ModelConfiguration> configurations = new ConcurrentHashMap<>();

    ModelConfigurations(ModelDirectory directory, Ensembles ensembles) {
        this.directory = directory;
        this.ensembles = ensembles;
    }

    /**
     * The version asked for, or the newest.
     *
     * @throws ModelNotFound if there is none of this name
     * @throws NotReady      if it is there and cannot serve
     */
    ModelConfiguration of(String name, @Nullable String version) {
        Optional<ServedEnsemble> ensemble = directory.ensemble(name, version);
        if (ensemble.isPresent()) {
            return of(ensemble.get());
        }
        ServedModel served = directory.find(name, version);
        ModelConfiguration configuration = configurations.get(served.id());
        if (configuration == null) {
            throw new ModelNotFound(name, version); // unloaded between the two looks
        }
        return configuration.sharing(served.queue().sharing());
    }

    /** An ensemble has neither file nor queue nor device of its own. */
    private ModelConfiguration of(ServedEnsemble ensemble) {
        int maxBatchSize = ensembles.maxBatchSize(ensemble);
        PipelinePlan plan = ensembles.plan(ensemble);
        return new ModelConfiguration(
                ensemble.id(),
                EnsembleConfig.PLATFORM,
                "",
                "",
                plan.signature(),
                new Versions.Latest(1),
                Sharing.none("an ensemble runs no execution of its own"),
                maxBatchSize,
                Duration.ZERO,
                0,
                ensemble.timeout(),
                0,
                Map.of(),
                Optional.empty(),
                notes(ensemble.declaration()),
                ensemble.declaration().parameters(),
                List.of(),
                steps(ensemble.config(), plan));
    }

    private static List<Step> steps(EnsembleConfig config, PipelinePlan plan) {
        List<Step> steps = new ArrayList<>();
        for (int i = 0; i < plan.steps().size(); i++) {
            PipelinePlan.Step planned = plan.steps().get(i);
            Map<String, String> inputs = new LinkedHashMap<>();
            for (int input = 0; input < planned.takes().size(); input++) {
                inputs.put(
                        planned.signature().inputs().get(input).name(),
                        planned.takes().get(input));
            }
            steps.add(new Step(
                    planned.model().name(), config.steps().get(i).version(), inputs, new TreeMap<>(planned.gives())));
        }
        return steps;
    }

    /**
     * @param timeout   how long a request may take when its caller does not say
     * @param instances executions at once, by device
     */
    void put(WarmVersion version, Duration timeout, Map<DeviceId, Integer> instances) {
        ModelDefinition definition = version.definition();
        configurations.put(
                version.id(),
                new ModelConfiguration(
                        version.id(),
                        definition.platform(),
                        definition.format().backend(),
                        definition.file().getFileName().toString(),
                        version.first().signature(),
                        versions(definition.config().versions()),
                        version.sharing(),
                        version.policy().maxBatchSize(),
                        version.policy().maxQueueDelay(),
                        version.policy().maxQueueSize(),
                        timeout,
                        version.policy().priority(),
                        Map.copyOf(instances),
                        version.policy().queueTimeout(),
                        notes(definition.config().declaration()),
                        parameters(definition),
                        definition.config().warmUps().stream()
                                .map(ModelConfigurations::warmUp)
                                .toList(),
                        List.of()));
    }

    private static Map<String, Note> notes(Declaration declaration) {
        Map<String, Note> notes = new HashMap<>();
        for (DeclaredTensor tensor : declaration.inputs()) {
            notes.put(tensor.name(), new Note(tensor.reshape(), tensor.format(), tensor.labels()));
        }
        for (DeclaredTensor tensor : declaration.outputs()) {
            notes.put(tensor.name(), new Note(tensor.reshape(), tensor.format(), tensor.labels()));
        }
        return Map.copyOf(notes);
    }

    private static WarmUp warmUp(WarmUpRequest request) {
        Map<String, WarmUpInput> inputs = new LinkedHashMap<>();
        request.inputs().forEach((name, input) -> {
            WarmUpRequest.Data data = input.data();
            Filling filling = data instanceof WarmUpRequest.Data.File
                    ? Filling.FILE
                    : data instanceof WarmUpRequest.Data.Random ? Filling.RANDOM : Filling.ZERO;
            Optional<String> file =
                    data instanceof WarmUpRequest.Data.File named ? Optional.of(named.name()) : Optional.empty();
            inputs.put(name, new WarmUpInput(input.dataType(), input.shape(), filling, file));
        });
        return new WarmUp(request.name(), request.rows(), request.count(), inputs);
    }

    /** What its owner wrote, and what was inferred where the owner wrote nothing. */
    private static Map<String, String> parameters(ModelDefinition definition) {
        Map<String, String> parameters = new TreeMap<>(definition.inferred());
        parameters.putAll(definition.config().declaration().parameters());
        return parameters;
    }

    void remove(ModelId id) {
        configurations.remove(id);
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
}
