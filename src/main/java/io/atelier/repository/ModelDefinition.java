package io.atelier.repository;

import io.atelier.core.ModelId;
import java.nio.file.Path;

/**
 * A model version as it lies in the repository, not yet loaded. Immutable.
 *
 * @param file   the model file, in the version's folder
 * @param folder the model's folder, where files stand that its versions share, such as a tokenizer
 * @param format the kind of model file
 */
public record ModelDefinition(ModelId id, Path file, Path folder, ModelConfig config, ModelFormat format) {
    /** Triton's name of the kind of model, such as {@code onnxruntime_onnx}. */
    public String platform() {
        return format.platform();
    }
}
