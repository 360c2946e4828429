package io.atelier.serving;

import io.atelier.core.ModelId;
import io.atelier.core.ServingException;
import io.atelier.core.ServingException.NotReady;
import io.atelier.repository.EnsembleConfig;
import io.atelier.repository.EnsembleDefinition;
import io.atelier.serving.ModelState.State;
import io.atelier.serving.pipeline.PipelineException;
import io.atelier.serving.pipeline.PipelinePlan;
import io.atelier.serving.pipeline.PipelinePlan.StepModel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
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
        directory.ready(
                new ServedEnsemble(definition, definition.timeout().orElse(timeout), models(definition.config())));
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
    public PipelinePlan plan(ServedEnsemble ensemble) {
        try {
            return planNow(ensemble);
        } catch (PipelineException misfit) {
            throw new NotReady("ensemble '" + ensemble.id().name() + "' is not ready: " + misfit.reason(), SOON);
        }
    }

    /** Whether each of its models is ready, and still fits. */
    boolean isReady(ServedEnsemble ensemble) {
        return obstacle(ensemble).isEmpty();
    }

    /** Why it cannot serve now; empty if it can. */
    Optional<String> obstacle(ServedEnsemble ensemble) {
        try {
            planNow(ensemble);
            return Optional.empty();
        } catch (PipelineException misfit) {
            return Optional.of(misfit.reason());
        }
    }

    private PipelinePlan planNow(ServedEnsemble ensemble) throws PipelineException {
        return ensemble.plan(models(ensemble.config()));
    }

    /** How a version stands: an ensemble that is served is unavailable while it lacks one of its models. */
    public ModelState asItStands(ModelState known) {
        return directory
                .ensemble(known.name(), known.version())
                .filter(ensemble -> known.state() == State.READY)
                .flatMap(this::obstacle)
                .map(reason -> new ModelState(known.name(), known.version(), State.UNAVAILABLE, reason))
                .orElse(known);
    }

    /** The models that serve this ensemble's steps, or those of the ensembles in it, and no other ensemble's. */
    public Set<String> servingOnly(String name) {
        Set<String> needless = new LinkedHashSet<>(Set.of(name));
        while (needless.addAll(stepsOf(needless))) {
            // the steps of an inner ensemble come in the next round
        }
        needless.remove(name);
        return needless;
    }

    /** Steps of these ensembles that no other one names. */
    private Set<String> stepsOf(Set<String> names) {
        Set<String> theirs = new LinkedHashSet<>();
        Set<String> others = new HashSet<>();
        directory
                .ensembles()
                .forEach(ensemble -> ensemble.config().steps().stream()
                        .map(EnsembleConfig.Step::model)
                        .forEach((names.contains(ensemble.id().name()) ? theirs : others)::add));
        theirs.removeAll(others);
        return theirs;
    }

    /**
     * Most rows that all of its models take in one execution; 0 if none of them counts rows.
     *
     * @throws NotReady if one of them is not ready
     */
    public int maxBatchSize(ServedEnsemble ensemble) {
        plan(ensemble); // else a step that is gone would look as if the ensemble were
        return ensemble.config().steps().stream()
                .mapToInt(step -> directory
                        .ensemble(step.model(), step.version().orElse(null))
                        .map(this::maxBatchSize)
                        .orElseGet(() -> directory
                                .find(step.model(), step.version().orElse(null))
                                .maxBatchSize()))
                .filter(rows -> rows > 0)
                .min()
                .orElse(0);
    }

    /** The model of each step, as it is now. */
    private List<StepModel> models(EnsembleConfig config) throws PipelineException {
        List<StepModel> models = new ArrayList<>();
        for (int i = 0; i < config.steps().size(); i++) {
            EnsembleConfig.Step step = config.steps().get(i);
            try {
                models.add(model(step));
            } catch (ServingException missing) {
                throw new PipelineException("step %d (%s): %s".formatted(i + 1, step.model(), missing.detail()));
            }
        }
        return models;
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
}
