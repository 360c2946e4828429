package io.atelier.engine;

import io.atelier.core.DeviceId;
import io.atelier.core.TextTokenizer;
import java.nio.file.Path;

/** Loads models onto devices. Thread-safe: devices load side by side. */
public interface Engine {
    /** The engine's name and version, for people. */
    String description();

    /**
     * GPUs that the engine can use.
     *
     * @throws IllegalStateException if there are some, and the engine lacks what it takes to use them
     */
    int gpuCount();

    /**
     * Makes a model resident on a device. Reads local files alone.
     *
     * @throws ModelLoadException if the files are not a model that this engine runs, or the device cannot be used; an
     *     engine never falls back to another device
     */
    ModelInstance load(ModelSource source, DeviceId device) throws ModelLoadException;

    /**
     * A tokenizer from its {@code tokenizer.json}.
     *
     * @param maxTokens most tokens of one text; longer ones are cut
     */
    TextTokenizer loadTokenizer(Path file, int maxTokens) throws ModelLoadException;
}
