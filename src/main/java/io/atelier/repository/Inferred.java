package io.atelier.repository;

import io.atelier.core.ModelSignature;
import io.atelier.core.Padding;
import io.atelier.engine.BatchLayout;
import io.atelier.engine.ModelLoadException;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What was inferred from the files beside a model, held against the model itself: what does not fit it is left away, since
 * its owner did not ask for it. What the owner asked for stays, and is refused elsewhere if it does not fit.
 */
final class Inferred {
    private Inferred() {}

    static ModelDefinition fitted(ModelDefinition definition, ModelSignature signature) {
        return withPadding(withTask(definition, signature), signature);
    }

    private static ModelDefinition withTask(ModelDefinition definition, ModelSignature signature) {
        ModelConfig config = definition.config();
        if (config.task().isEmpty() || !definition.inferred().containsKey(HubFolder.TASK)) {
            return definition;
        }
        try {
            TaskCheck.require(config.task().get(), signature);
            return definition;
        } catch (ModelLoadException unfit) {
            return definition
                    .withoutInferences()
                    .with(
                            config.with(Optional.empty(), config.batching()),
                            HubFolder.TASK,
                            "none (" + unfit.reason() + ")");
        }
    }

    private static ModelDefinition withPadding(ModelDefinition definition, ModelSignature signature) {
        ModelConfig config = definition.config();
        Padding proposed = config.batching().padding();
        if (!proposed.isProposal()) {
            return definition;
        }
        Padding usable = BatchLayout.usable(signature, proposed);
        ModelConfig fitting = config.with(config.task(), config.batching().with(usable));
        return usable.values().isEmpty()
                ? definition.with(fitting)
                : definition.with(
                        fitting,
                        "batching.padding",
                        new TreeMap<>(usable.values()) + ", mask " + usable.mask() + " (the files of its tokenizer)");
    }
}
