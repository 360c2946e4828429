package io.atelier.repository;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Keys of {@code task.image} as another file of the folder says them, collected one by one. What {@code model.yaml} says
 * itself stands above. One thread.
 */
final class ImageKeys {
    static final int LONGEST_SIDE = 8192;

    private static final int LONGEST_SHOWN = 64;

    private final YamlSection yaml;
    private final HubFolder files;
    private final String file;
    private final ObjectNode values = JsonNodeFactory.instance.objectNode();
    private final Map<String, String> inferred = new LinkedHashMap<>();

    /**
     * @param yaml  {@code task.image} of {@code model.yaml}
     * @param files where it is noted what was taken
     * @param file  the other file's name
     */
    ImageKeys(YamlSection yaml, HubFolder files, String file) {
        this.yaml = yaml;
        this.files = files;
        this.file = file;
    }

    /** The keys that {@code model.yaml} does not have, with their values. */
    ObjectNode values() {
        return values;
    }

    /** The same keys, with their values and where those come from, for people. */
    Map<String, String> inferred() {
        return inferred;
    }

    /** Whether {@code model.yaml} says this key. */
    boolean areSaid(String key) {
        return yaml.has(key);
    }

    /** @param source the file's own key */
    void put(String key, String value, String source) {
        put(key, JsonNodeFactory.instance.textNode(value), source);
    }

    void put(String key, int value, String source) {
        put(key, JsonNodeFactory.instance.numberNode(value), source);
    }

    void put(String key, double value, String source) {
        put(key, JsonNodeFactory.instance.numberNode(value), source);
    }

    void put(String key, List<Double> numbers, String source) {
        var list = JsonNodeFactory.instance.arrayNode();
        numbers.forEach(list::add);
        put(key, list, source);
    }

    private void put(String key, JsonNode value, String source) {
        if (!yaml.has(key)) {
            String shown = value.isTextual() ? value.textValue() : value.toString();
            values.set(key, value);
            inferred.put(key, shown + " (" + file + " " + source + ")");
            files.note("task.image." + key, shown, file + " " + source);
        }
    }

    /** Refuses what the file says under its own key, unless {@code model.yaml} has the key that says the same. */
    void refuse(String own, String problem, String key) throws ModelConfigException {
        if (!yaml.has(key)) {
            throw problem(
                    own + " " + problem + "; task.image." + key + " in " + ModelYaml.FILE_NAME + " stands above it");
        }
    }

    /** That a value is none that the key may have. */
    ModelConfigException refused(String own, JsonNode value, String allowed) {
        return problem(
                value.isMissingNode()
                        ? own + " is missing, allowed is " + allowed
                        : own + " is " + shortened(value.toString()) + ", allowed is " + allowed);
    }

    ModelConfigException problem(String problem) {
        return new ModelConfigException(file, problem);
    }

    /** A side in pixels. */
    int side(String own, JsonNode value) throws ModelConfigException {
        if (!value.isIntegralNumber() || !value.canConvertToInt() || !isSide(value.intValue())) {
            throw refused(own, value, "an integer from 1 to " + LONGEST_SIDE);
        }
        return value.intValue();
    }

    /** A side that was computed from what the file says. */
    int side(String own, double computed) throws ModelConfigException {
        if (!isSide(computed)) {
            throw problem(own + " makes a side of " + computed + " pixels, allowed are 1 to " + LONGEST_SIDE);
        }
        return (int) computed;
    }

    static boolean isSide(double pixels) {
        return pixels >= 1 && pixels < LONGEST_SIDE + 1;
    }

    private static String shortened(String text) {
        return text.length() <= LONGEST_SHOWN ? text : text.substring(0, LONGEST_SHOWN) + "…";
    }
}
