package io.atelier.repository;

import io.atelier.core.ModelId;
import io.atelier.engine.TaskConfig.OfText;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A model version as it lies in the repository, not yet loaded. Immutable.
 *
 * @param file   the model file, in the version's folder
 * @param folder the model's folder, where files stand that its versions share, such as a tokenizer
 * @param format the kind of model file
 * @param inferred what the configuration has from the files beside the model and not from its owner: keys of
 *     {@code model.yaml}, each with its value and where that stands, for people
 */
public record ModelDefinition(
        ModelId id, Path file, Path folder, ModelConfig config, ModelFormat format, Map<String, String> inferred) {
    public ModelDefinition {
        inferred = Collections.unmodifiableMap(new LinkedHashMap<>(inferred));
    }

    public ModelDefinition(ModelId id, Path file, Path folder, ModelConfig config, ModelFormat format) {
        this(id, file, folder, config, format, Map.of());
    }

    /** The same as it turned out to be: another configuration, and one more line for people. */
    ModelDefinition with(ModelConfig other, String key, String line) {
        Map<String, String> more = new LinkedHashMap<>(inferred);
        more.put(key, line);
        return new ModelDefinition(id, file, folder, other, format, more);
    }

    /** The same without a word of what was inferred. */
    ModelDefinition withoutInferences() {
        return new ModelDefinition(id, file, folder, config, format);
    }

    /** The same with another configuration. */
    ModelDefinition with(ModelConfig other) {
        return new ModelDefinition(id, file, folder, other, format, inferred);
    }

    /** The same whose texts are cut at so many tokens, where they would be longer. */
    public ModelDefinition withMaxTokens(int most) {
        if (!(config.task().orElse(null) instanceof OfText text) || text.text().maxTokens() <= most) {
            return this;
        }
        return with(
                config.with(Optional.of(text.withMaxTokens(most)), config.batching()),
                "task.max-tokens",
                most + " (the model bears no more, asked for are " + text.text().maxTokens() + ")");
    }

    /** Triton's name of the kind of model, such as {@code onnxruntime_onnx}. */
    public String platform() {
        return format.platform();
    }
}
