package io.atelier.serving;

import io.atelier.core.ModelId;
import io.atelier.core.ServingException;
import io.atelier.core.ServingException.NotReady;
import io.atelier.repository.EnsembleConfig;
import io.atelier.repository.EnsembleDefinition;
import io.atelier.serving.pipeline.PipelineException;
import io.atelier.serving.pipeline.PipelinePlan;
import io.atelier.serving.pipeline.PipelinePlan.StepModel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The ensembles among the models, checked against the models that they name. Keeps nothing; thread-safe. */
public final class Ensembles {
    private static final Duration SOON = Duration.ofSeconds(1);

    private final ModelDirectory directory;

    public Ensembles(ModelDirectory directory) {
        this.directory = directory;
    }

    /**
     * Serves these, whose models are loaded, in an order in which the steps of each come before it.
     *
     * @param timeout how long a request may take where neither its caller nor the ensemble says
     * @return why the others cannot be served
     */
    public Map<ModelId, String> serve(Collection<EnsembleDefinition> definitions, Duration timeout) {
        Map<ModelId, String> refused = new HashMap<>();
        List<EnsembleDefinition> left = new ArrayList<>(definitions);
        Optional<EnsembleDefinition> next = next(left);
        while (next.isPresent()) {
            left.remove(next.get());
            try {
                serve(next.get(), timeout);
            } catch (PipelineException misfit) {
                refused.put(next.get().id(), misfit.reason());
            }
            next = next(left);
        }
        left.forEach(definition -> refused.put(definition.id(), cycle(left, definition)));
        return refused;
    }

    private void serve(EnsembleDefinition definition, Duration timeout) throws PipelineException {
        Set<String> way = new LinkedHashSet<>(Set.of(definition.id().name()));
        refuseRing(definition.id().name(), definition.config(), way);
        List<StepModel> models = new ArrayList<>();
        for (int i = 0; i < definition.config().steps().size(); i++) {
            EnsembleConfig.Step step = definition.config().steps().get(i);
            try {
                models.add(model(step));
            } catch (ServingException missing) {
                throw new PipelineException("step %d (%s): %s".formatted(i + 1, step.model(), missing.detail()));
            }
        }
        directory.ready(new ServedEnsemble(
                definition.id(), definition.config(), definition.timeout().orElse(timeout), models));
    }

    /** One that is served already may name this one, of which it knew another. */
    private void refuseRing(String name, EnsembleConfig config, Set<String> way) throws PipelineException {
        for (EnsembleConfig.Step step : config.steps()) {
            if (step.model().equals(name)) {
                throw new PipelineException("a cycle of ensembles: " + String.join(", ", way));
            }
            Optional<ServedEnsemble> inner =
                    directory.ensemble(step.model(), step.version().orElse(null));
            if (inner.isPresent() && way.add(step.model())) {
                refuseRing(name, inner.get().config(), way);
            }
        }
    }

    /** One that waits for none of the others. */
    private static Optional<EnsembleDefinition> next(List<EnsembleDefinition> left) {
        return left.stream()
                .filter(definition -> after(left, definition).isEmpty())
                .findFirst();
    }

    /** One of the others that is a step of it. */
    private static Optional<EnsembleDefinition> after(List<EnsembleDefinition> left, EnsembleDefinition definition) {
        return definition.config().steps().stream()
                .flatMap(step -> left.stream()
                        .filter(other -> other.id().name().equals(step.model()))
                        .filter(other ->
                                step.version().map(other.id().version()::equals).orElse(true)))
                .findFirst();
    }

    private static String cycle(List<EnsembleDefinition> left, EnsembleDefinition from) {
        Set<String> way = new LinkedHashSet<>();
        Optional<EnsembleDefinition> at = Optional.of(from);
        while (at.isPresent() && way.add(at.get().id().toString())) {
            at = after(left, at.get());
        }
        return "a cycle of ensembles: " + String.join(", ", way);
    }

    /**
     * How a request goes through an ensemble now.
     *
     * @throws NotReady if one of its models is not ready, or no longer fits
     */
    PipelinePlan plan(ServedEnsemble ensemble) {
        try {
            List<StepModel> models = new ArrayList<>();
            for (EnsembleConfig.Step step : ensemble.config().steps()) {
                models.add(model(step));
            }
            return ensemble.plan(models);
        } catch (ServingException missing) {
            throw notReady(ensemble, missing.detail());
        } catch (PipelineException misfit) {
            throw notReady(ensemble, misfit.reason());
        }
    }

    /** Whether each of its models is ready, and still fits. */
    boolean isReady(ServedEnsemble ensemble) {
        try {
            plan(ensemble);
            return true;
        } catch (NotReady notNow) {
            return false;
        }
    }

    /** Most rows that all of its models take. */
    public int maxBatchSize(ServedEnsemble ensemble) {
        return ensemble.config().steps().stream()
                .mapToInt(step -> directory
                        .ensemble(step.model(), step.version().orElse(null))
                        .map(this::maxBatchSize)
                        .orElseGet(() -> directory
                                .find(step.model(), step.version().orElse(null))
                                .queue()
                                .policy()
                                .maxBatchSize()))
                .min()
                .orElseThrow();
    }

    /** @throws ServingException if it is unknown or not ready */
    private StepModel model(EnsembleConfig.Step step) {
        String version = step.version().orElse(null);
        Optional<ServedEnsemble> inner = directory.ensemble(step.model(), version);
        if (inner.isPresent()) {
            return new StepModel(inner.get().id(), plan(inner.get()).signature());
        }
        ServedModel model = directory.find(step.model(), version);
        return new StepModel(model.id(), model.signature());
    }

    private static NotReady notReady(ServedEnsemble ensemble, String reason) {
        return new NotReady("ensemble '" + ensemble.id().name() + "' is not ready: " + reason, SOON);
    }
}
