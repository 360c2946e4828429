package io.atelier.repository;

import io.atelier.core.ModelId;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A version of an ensemble as it lies in the repository. Immutable.
 *
 * @param timeout how long a request may take when its caller does not say; the service's default where it is empty
 * @param declaration what its folder says to its callers beside
 * @param labels      the names of classes by their index, for each output to which the folder gives some
 */
public record EnsembleDefinition(
        ModelId id,
        EnsembleConfig config,
        Optional<Duration> timeout,
        Declaration declaration,
        Map<String, List<String>> labels) {
    /** One of which its folder says no more. */
    public EnsembleDefinition(ModelId id, EnsembleConfig config, Optional<Duration> timeout) {
        this(id, config, timeout, Declaration.NONE, Map.of());
    }
}
