package io.atelier.repository;

import io.atelier.engine.GoldenSample;
import io.atelier.engine.ModelInstance;
import java.time.Duration;

/**
 * A model version that is resident on a device and has answered there. Whoever asked for it owns the instance and
 * closes it.
 *
 * @param golden     what tells whether the device still computes it
 * @param loadTime   how long the engine took to load it
 * @param warmUpTime how long the first executions took
 */
public record LoadedModel(
        ModelDefinition definition,
        ModelInstance instance,
        GoldenSample golden,
        Duration loadTime,
        Duration warmUpTime) {}
