package io.atelier.serving;

import io.atelier.core.ModelId;
import io.atelier.core.ModelSignature;
import io.atelier.repository.Declaration;
import io.atelier.repository.EnsembleConfig;
import io.atelier.repository.EnsembleDefinition;
import io.atelier.serving.pipeline.PipelineException;
import io.atelier.serving.pipeline.PipelinePlan;
import io.atelier.serving.pipeline.PipelinePlan.StepModel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A version of an ensemble that is served. It fits its models as they are: when one of them is replaced it is checked
 * anew. Thread-safe.
 */
public final class ServedEnsemble {
    private final EnsembleDefinition definition;
    private final Duration timeout;
    private volatile PipelinePlan plan;

    /**
     * @param timeout how long a request may take when its caller does not say
     * @param models  the model of each step, as it is now
     * @throws PipelineException if they do not fit together
     */
    public ServedEnsemble(EnsembleDefinition definition, Duration timeout, List<StepModel> models)
            throws PipelineException {
        this.definition = definition;
        this.timeout = timeout;
        this.plan = PipelinePlan.of(definition.config(), models);
    }

    public ModelId id() {
        return definition.id();
    }

    public EnsembleConfig config() {
        return definition.config();
    }

    /** What its folder says to its callers beside. */
    public Declaration declaration() {
        return definition.declaration();
    }

    /** The names of classes by their index, for each output that has some. */
    public Map<String, List<String>> labels() {
        return definition.labels();
    }

    public Duration timeout() {
        return timeout;
    }

    /** What it takes and gives, as far as is known. */
    public ModelSignature signature() {
        return plan.signature();
    }

    /**
     * How a request goes through these models, which may not be those of the last time.
     *
     * @throws PipelineException if they do not fit together any more
     */
    PipelinePlan plan(List<StepModel> models) throws PipelineException {
        PipelinePlan known = plan;
        if (!isOf(known, models)) {
            known = PipelinePlan.of(definition.config(), models);
            plan = known;
        }
        return known;
    }

    private static boolean isOf(PipelinePlan plan, List<StepModel> models) {
        List<StepModel> planned = new ArrayList<>();
        plan.steps().forEach(step -> planned.add(new StepModel(step.model(), step.signature())));
        return planned.equals(models);
    }
}
