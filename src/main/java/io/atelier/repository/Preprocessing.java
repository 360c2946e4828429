package io.atelier.repository;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.atelier.engine.TaskConfig.ImageSize;
import java.util.Map;

/**
 * What the files beside {@code model.yaml} say about a model's images, as far as it does not say it itself. Immutable.
 *
 * @param keys     keys of {@code task.image} with their values
 * @param inferred the same with where they come from, for people
 * @param usual    what the model takes where its own input leaves it open
 */
record Preprocessing(ObjectNode keys, Map<String, String> inferred, ImageSize usual) {
    /**
     * Reads {@code preprocessor_config.json}, else timm's part of {@code config.json}.
     *
     * @param yaml      {@code task.image} of {@code model.yaml}
     * @param otherwise what such models usually take
     * @throws ModelConfigException if a file says what is not done here, and {@code yaml} does not say it otherwise
     */
    static Preprocessing read(YamlSection yaml, HubFolder files, ImageSize otherwise) throws ModelConfigException {
        if (!yaml.flag("preprocessor").orElse(true)) {
            return new Preprocessing(JsonNodeFactory.instance.objectNode(), Map.of(), otherwise);
        }
        JsonNode config = files.node(HubFolder.CONFIG);
        boolean isThere = files.has(PreprocessorConfig.FILE_NAME);
        ImageKeys keys = new ImageKeys(yaml, files, isThere ? PreprocessorConfig.FILE_NAME : HubFolder.CONFIG);
        if (isThere) {
            PreprocessorConfig.read(
                    files.node(PreprocessorConfig.FILE_NAME),
                    config.path("model_type").asText(""),
                    keys);
        } else if (TimmConfig.isIn(config)) {
            TimmConfig.read(config, keys);
        }
        return new Preprocessing(keys.values(), keys.inferred(), usual(config, otherwise));
    }

    private static ImageSize usual(JsonNode config, ImageSize otherwise) {
        JsonNode model = config.has("image_size") ? config : config.path("vision_config");
        JsonNode size = model.path("image_size");
        int height = (size.isArray() ? size.path(0) : size).asInt(0);
        int width = (size.isArray() ? size.path(1) : size).asInt(0);
        int channels = model.path("num_channels").asInt(0);
        boolean isSize = ImageKeys.isSide(height) && ImageKeys.isSide(width);
        return new ImageSize(
                channels == 1 || channels == 3 ? channels : otherwise.channels(),
                isSize ? height : otherwise.height(),
                isSize ? width : otherwise.width());
    }
}
