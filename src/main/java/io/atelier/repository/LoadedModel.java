package io.atelier.repository;

import io.atelier.core.Sharing;
import io.atelier.engine.GoldenSample;
import io.atelier.engine.ModelInstance;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A model version that is resident on a device and has answered there. Whoever asked for it owns the instance and
 * closes it.
 *
 * @param golden     what tells whether the device still computes it; null if no inputs are known that it takes
 * @param sharing    whether requests may share executions
 * @param warning    what an operator should know of it
 * @param fastestNanos the fastest execution so far, in nanoseconds, of each number of input elements
 * @param loadTime   how long the engine took to load it
 * @param warmUpTime how long the first executions took
 * @param proofTime  how long it took to show whether requests may share executions
 */
public record LoadedModel(
        ModelDefinition definition,
        ModelInstance instance,
        @Nullable GoldenSample golden,
        Sharing sharing,
        Optional<String> warning,
        Map<Long, Long> fastestNanos,
        Duration loadTime,
        Duration warmUpTime,
        Duration proofTime) {}
