package io.atelier.repository;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.atelier.repository.TextProto.Field;
import io.atelier.repository.TextProto.Message;
import io.atelier.repository.TextProto.Scalar;
import io.atelier.repository.TextProto.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A configuration that comes with the order to load a model, and stands above the one in its folder: JSON with the keys
 * of {@code model.yaml}, or with the fields of Triton's model configuration. Immutable.
 */
final class ConfigOverride {
    private static final String PLACE = "parameters.config";
    private static final ObjectReader JSON = JsonMapper.builder(new JsonFactoryBuilder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build()
            .reader();

    /** The keys of {@code model.yaml}; none of them is a field of Triton's. */
    private static final Set<String> OURS =
            Set.of("batching", "timeout", "instances", "task", "versions", "golden", "share", "ensemble", "file", "warm-up");

    private final ObjectNode json;

    private ConfigOverride(ObjectNode json) {
        this.json = json;
    }

    static ConfigOverride parse(String text) throws ModelConfigException {
        JsonNode node;
        try {
            node = JSON.readTree(text);
        } catch (JacksonException e) {
            throw new ModelConfigException(PLACE, "is not JSON");
        }
        if (!(node instanceof ObjectNode object)) {
            throw new ModelConfigException(PLACE, "is not a JSON object");
        }
        return new ConfigOverride(object);
    }

    /** The folder's own configuration, {@code model.yaml} or none, with this one above it. */
    ModelConfig above(String modelYaml, String folder, HubFolder files) throws ModelConfigException {
        return isTritons()
                ? above(ModelYaml.parse(YamlSection.parse(ModelYaml.FILE_NAME, modelYaml), files), folder)
                : ModelYaml.parse(YamlSection.parse(ModelYaml.FILE_NAME + " with " + PLACE, modelYaml, json), files);
    }

    /** What {@code config.pbtxt} says, with this above it. */
    ModelConfig aboveTritons(ModelConfig config, String folder) throws ModelConfigException {
        if (!isTritons()) {
            throw new ModelConfigException(
                    PLACE, "has keys of " + ModelYaml.FILE_NAME + ", and the model has a " + TritonConfig.FILE_NAME);
        }
        return above(config, folder);
    }

    private ModelConfig above(ModelConfig config, String folder) throws ModelConfigException {
        ModelConfig tritons = TritonConfig.parse(ProtoSection.ofJson(PLACE, message(json)), folder);
        return config.under(tritons, json.hasNonNull("version_policy"));
    }

    private boolean isTritons() {
        return json.properties().stream().map(Map.Entry::getKey).noneMatch(OURS::contains);
    }

    private static Message message(JsonNode object) {
        Map<String, Field> fields = new LinkedHashMap<>();
        object.properties().forEach(field -> {
            if (field.getValue().isNull()) {
                return; // absent, in Protobuf's JSON
            }
            List<Value> values = new ArrayList<>();
            boolean list = field.getValue().isArray();
            if (list) {
                field.getValue().forEach(element -> values.add(value(element)));
            } else {
                values.add(value(field.getValue()));
            }
            fields.put(field.getKey(), new Field(values, list, 0));
        });
        return new Message(fields, 0);
    }

    private static Value value(JsonNode node) {
        return node.isObject() ? message(node) : new Scalar(node.asText(), node.isTextual(), 0);
    }
}
