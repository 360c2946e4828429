package io.atelier.engine;

import io.atelier.core.DeviceId;
import io.atelier.core.ModelSignature;
import io.atelier.core.Task;
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
     * What makes a model answer to plain values.
     *
     * @param folder    where the files lie that the task names, such as a tokenizer
     * @param signature of the model, which the task fits
     * @throws ModelLoadException if a file cannot be used
     */
    Task loadTask(TaskConfig task, Path folder, ModelSignature signature) throws ModelLoadException;
}
