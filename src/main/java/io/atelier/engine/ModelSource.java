package io.atelier.engine;

import io.atelier.core.ModelId;
import io.atelier.core.Padding;
import java.nio.file.Path;

/**
 * A model version's file and what the engine must know beside it.
 *
 * @param concurrency executions that may run at once on one device; at least 1
 */
public record ModelSource(ModelId model, Path file, Padding padding, int concurrency) {}
