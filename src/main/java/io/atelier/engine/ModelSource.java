package io.atelier.engine;

import io.atelier.core.ModelId;
import io.atelier.core.ModelSignature;
import io.atelier.core.Padding;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A model version's file and what the engine must know beside it.
 *
 * @param concurrency executions that may run at once on one device; at least 1
 * @param declared    the inputs and outputs of a file that does not tell them
 */
public record ModelSource(
        ModelId model, Path file, Padding padding, int concurrency, Optional<ModelSignature> declared) {
    public ModelSource(ModelId model, Path file, Padding padding, int concurrency) {
        this(model, file, padding, concurrency, Optional.empty());
    }
}
