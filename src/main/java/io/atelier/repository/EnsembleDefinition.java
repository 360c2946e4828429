package io.atelier.repository;

import io.atelier.core.ModelId;
import java.time.Duration;
import java.util.Optional;

/**
 * A version of an ensemble as it lies in the repository. Immutable.
 *
 * @param timeout how long a request may take when its caller does not say; the service's default where it is empty
 */
public record EnsembleDefinition(ModelId id, EnsembleConfig config, Optional<Duration> timeout) {}
