package io.atelier.repository;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A mapping in a YAML file, read key by key. Each question names a key and says what its value may be; a key that
 * nobody asked for is unknown, and {@link #refuseUnknownKeys} lists those that were asked for. Nodes are walked rather
 * than bound to classes, so nothing needs reflection. One thread.
 */
final class YamlSection {
    private static final ObjectReader YAML = YAMLMapper.builder(YAMLFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .enable(YAMLParser.Feature.EMPTY_STRING_AS_NULL) // a default that the builder forgets
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build()
            .reader();

    private static final String DURATION_FORM = "a duration with its unit, such as 5ms, 2s, 1m or PT0.5S";
    private static final Pattern SHORT_DURATION = Pattern.compile("(\\d{1,9})(us|ms|s|m|h)");

    private final String file;
    private final String path;
    private final @Nullable JsonNode node;
    private final Set<String> asked;
    private final List<YamlSection> sections = new ArrayList<>();

    private YamlSection(String file, String path, @Nullable JsonNode node) {
        this(file, path, node, new LinkedHashSet<>());
    }

    private YamlSection(String file, String path, @Nullable JsonNode node, Set<String> asked) {
        this.file = file;
        this.path = path;
        this.node = node;
        this.asked = asked;
    }

    /** The mapping that a whole file holds; a file without content is an empty one. */
    static YamlSection parse(String file, String text) throws ModelConfigException {
        return parse(file, text, JsonNodeFactory.instance.objectNode());
    }

    /**
     * The same with other values above it.
     *
     * @param above a merge patch: a value replaces the file's, a mapping is merged into the file's, null takes a key away
     * @see <a href="https://www.rfc-editor.org/rfc/rfc7396">RFC 7396</a>
     */
    static YamlSection parse(String file, String text, JsonNode above) throws ModelConfigException {
        JsonNode node;
        try {
            node = YAML.readTree(text);
        } catch (JacksonException e) {
            String line =
                    e.getLocation() == null ? "" : "line " + e.getLocation().getLineNr() + " ";
            throw new ModelConfigException(file, line + "is not YAML: " + withoutSnippets(e.getOriginalMessage()));
        }
        if (!isNothing(node) && !node.isObject()) {
            throw new ModelConfigException(file, "is " + describe(node) + ", allowed is a mapping of keys");
        }
        ObjectNode root = isNothing(node) ? JsonNodeFactory.instance.objectNode() : (ObjectNode) node;
        merge(root, above);
        return new YamlSection(file, "", root);
    }

    /**
     * A mapping that was read already.
     *
     * @param node without nulls
     */
    static YamlSection of(String file, JsonNode node) {
        return new YamlSection(file, "", node);
    }

    private static void merge(ObjectNode into, JsonNode above) {
        above.properties().forEach(entry -> {
            if (entry.getValue().isNull()) {
                into.remove(entry.getKey());
            } else if (entry.getValue().isObject() && into.get(entry.getKey()) instanceof ObjectNode inner) {
                merge(inner, entry.getValue());
            } else {
                into.set(entry.getKey(), entry.getValue());
            }
        });
    }

    /** Whether the key is there, whatever it holds. */
    boolean has(String key) {
        return value(key) != null;
    }

    /** The mapping under a key; a key without a value holds an empty one. */
    Optional<YamlSection> section(String key) throws ModelConfigException {
        JsonNode value = value(key);
        if (value == null) {
            return Optional.empty();
        }
        if (!isNothing(value) && !value.isObject()) {
            throw refused(key, value, "a mapping of keys");
        }
        YamlSection section = new YamlSection(file, path + key + ".", isNothing(value) ? null : value);
        sections.add(section);
        return Optional.of(section);
    }

    /** The mappings in a list; empty if the key is not there. */
    List<YamlSection> sections(String key) throws ModelConfigException {
        List<YamlSection> list = new ArrayList<>();
        for (JsonNode item : list(key, "a list of mappings")) {
            if (!item.isObject()) {
                throw refused(key, item, "a list of mappings");
            }
            list.add(new YamlSection(file, path + key + "[" + list.size() + "].", item));
        }
        sections.addAll(list);
        return list;
    }

    /** Integers in a list, none below {@code least}; empty if the key is not there. */
    List<Long> integers(String key, long least) throws ModelConfigException {
        String allowed = "a list of integers of at least " + least;
        List<Long> integers = new ArrayList<>();
        for (JsonNode item : list(key, allowed)) {
            if (!item.isIntegralNumber() || !item.canConvertToLong() || item.longValue() < least) {
                throw refused(key, item, allowed);
            }
            integers.add(item.longValue());
        }
        return integers;
    }

    private Iterable<JsonNode> list(String key, String allowed) throws ModelConfigException {
        JsonNode value = value(key);
        if (value != null && !value.isArray()) {
            throw refused(key, value, allowed);
        }
        return value == null ? List.of() : value;
    }

    /** The same mapping above one that says what it leaves open. */
    YamlSection above(ObjectNode below) {
        ObjectNode both = below.deepCopy();
        if (node != null) {
            node.properties().forEach(entry -> both.set(entry.getKey(), entry.getValue()));
        }
        return new YamlSection(file, path, both, asked);
    }

    /** An empty mapping in the place of one that is not there. */
    YamlSection none(String key) {
        return new YamlSection(file, path + key + ".", null);
    }

    /** The mapping under a key, or one word that stands for a mapping with nothing but this {@code name}. */
    Optional<YamlSection> sectionOrName(String key, String name) throws ModelConfigException {
        JsonNode value = value(key);
        if (value == null || !value.isTextual()) {
            return section(key);
        }
        JsonNode shorthand = JsonNodeFactory.instance.objectNode().set(name, value);
        YamlSection section = new YamlSection(file, path + key + ".", shorthand);
        sections.add(section);
        return Optional.of(section);
    }

    Optional<Integer> integer(String key, int most) throws ModelConfigException {
        JsonNode value = value(key);
        if (value == null) {
            return Optional.empty();
        }
        if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < 1 || value.intValue() > most) {
            throw refused(
                    key,
                    value,
                    most == Integer.MAX_VALUE ? "an integer of at least 1" : "an integer from 1 to " + most);
        }
        return Optional.of(value.intValue());
    }

    Optional<Double> number(String key, double least, double most) throws ModelConfigException {
        JsonNode value = value(key);
        if (value != null && !(value.isNumber() && value.doubleValue() >= least && value.doubleValue() <= most)) {
            throw refused(key, value, "a number from " + least + " to " + most);
        }
        return Optional.ofNullable(value).map(JsonNode::doubleValue);
    }

    Optional<Boolean> flag(String key) throws ModelConfigException {
        JsonNode value = value(key);
        if (value != null && !value.isBoolean()) {
            throw refused(key, value, "true or false");
        }
        return Optional.ofNullable(value).map(JsonNode::booleanValue);
    }

    Optional<String> text(String key, String allowed, Predicate<String> accepts) throws ModelConfigException {
        JsonNode value = value(key);
        if (value != null && !(value.isTextual() && accepts.test(value.textValue()))) {
            throw refused(key, value, allowed);
        }
        return Optional.ofNullable(value).map(JsonNode::textValue);
    }

    /** One of a few words. */
    Optional<String> word(String key, List<String> words) throws ModelConfigException {
        return text(key, String.join(" or ", words), words::contains);
    }

    /** A duration that is longer than nothing. */
    Optional<Duration> positiveDuration(String key, Duration longest) throws ModelConfigException {
        Optional<Duration> duration = duration(key, longest);
        if (duration.filter(Duration::isZero).isPresent()) {
            throw refused(key, value(key), "a duration above 0");
        }
        return duration;
    }

    Optional<Duration> duration(String key, Duration longest) throws ModelConfigException {
        JsonNode value = value(key);
        if (value == null) {
            return Optional.empty();
        }
        Duration duration = value.isTextual() ? parseDuration(value.textValue()) : null;
        if (duration == null) {
            throw refused(key, value, DURATION_FORM);
        }
        if (duration.isNegative() || duration.compareTo(longest) > 0) {
            throw refused(key, value, "a duration from 0s to " + longest.toHours() + "h");
        }
        return Optional.of(duration);
    }

    /** Numbers by name; empty if the key is not there. */
    Map<String, Double> numbers(String key) throws ModelConfigException {
        JsonNode value = value(key);
        if (value == null) {
            return Map.of();
        }
        if (!value.isObject()) {
            throw refused(key, value, "a mapping of names to numbers");
        }
        Map<String, Double> numbers = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : value.properties()) {
            if (!entry.getValue().isNumber()
                    || !Double.isFinite(entry.getValue().doubleValue())) {
                throw refused(key + "." + entry.getKey(), entry.getValue(), "a number");
            }
            numbers.put(entry.getKey(), entry.getValue().doubleValue());
        }
        return Collections.unmodifiableMap(numbers);
    }

    /** Texts by name; empty if the key is not there. */
    Map<String, String> texts(String key) throws ModelConfigException {
        JsonNode value = value(key);
        if (value != null && !value.isObject()) {
            throw refused(key, value, "a mapping of names to names");
        }
        Map<String, String> texts = new LinkedHashMap<>();
        if (value != null) {
            for (Map.Entry<String, JsonNode> entry : value.properties()) {
                if (!entry.getValue().isTextual()
                        || entry.getValue().textValue().isBlank()) {
                    throw refused(key + "." + entry.getKey(), entry.getValue(), "a name");
                }
                texts.put(entry.getKey(), entry.getValue().textValue());
            }
        }
        return Collections.unmodifiableMap(texts);
    }

    /** Texts by name, which may be empty or blank; none if the key is not there. */
    Map<String, String> plainTexts(String key) throws ModelConfigException {
        JsonNode value = value(key);
        if (value == null) {
            return Map.of();
        }
        Map<String, String> texts = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : value.properties()) {
            texts.put(entry.getKey(), entry.getValue().textValue());
        }
        if (!value.isObject() || texts.containsValue(null)) {
            throw refused(key, value, "a mapping of names to texts");
        }
        return Collections.unmodifiableMap(texts);
    }

    /** A list of numbers; empty if the key is not there. */
    List<Double> listOfNumbers(String key) throws ModelConfigException {
        JsonNode value = value(key);
        if (value == null) {
            return List.of();
        }
        List<Double> numbers = new ArrayList<>();
        for (JsonNode item : value) {
            numbers.add(item.isNumber() ? item.doubleValue() : Double.NaN);
        }
        if (!value.isArray() || value.isEmpty() || !numbers.stream().allMatch(Double::isFinite)) {
            throw refused(key, value, "a list of numbers");
        }
        return List.copyOf(numbers);
    }

    /** Whether a list stands under this key. */
    boolean isList(String key) {
        JsonNode value = value(key);
        return value != null && value.isArray();
    }

    boolean isEmptyList(String key) {
        JsonNode value = value(key);
        return value != null && value.isArray() && value.isEmpty();
    }

    /** The names of the keys that are there. */
    List<String> keys() {
        return node == null
                ? List.of()
                : node.properties().stream().map(Map.Entry::getKey).toList();
    }

    /** A list of some of a few words. */
    List<String> listOfWords(String key, List<String> words) throws ModelConfigException {
        List<String> texts = listOfTexts(key);
        if (!words.containsAll(texts)) {
            throw refused(key, value(key), "a list of " + String.join(", ", words));
        }
        return texts;
    }

    /** A list of texts. */
    List<String> listOfTexts(String key) throws ModelConfigException {
        JsonNode value = value(key);
        List<String> texts = new ArrayList<>();
        if (value != null) {
            for (JsonNode item : value) {
                if (!item.isTextual() || item.textValue().isBlank()) {
                    throw refused(key, item, "a list of texts");
                }
                texts.add(item.textValue());
            }
        }
        if (texts.isEmpty()) {
            throw refused(key, value, "a list of texts");
        }
        return List.copyOf(texts);
    }

    /** A list of positive integers, or one of a few words. */
    Optional<WordOrNumbers> wordOrNumbers(String key, List<String> words) throws ModelConfigException {
        JsonNode value = value(key);
        if (value == null) {
            return Optional.empty();
        }
        String allowed = String.join(", ", words) + " or a list of positive integers such as [1, 3]";
        if (value.isTextual() && words.contains(value.textValue())) {
            return Optional.of(new WordOrNumbers(value.textValue(), List.of()));
        }
        if (!value.isArray() || value.isEmpty()) {
            throw refused(key, value, allowed);
        }
        List<Long> numbers = new ArrayList<>();
        for (JsonNode item : value) {
            if (!item.isIntegralNumber() || !item.canConvertToLong() || item.longValue() < 1) {
                throw refused(key, item, allowed);
            }
            numbers.add(item.longValue());
        }
        return Optional.of(new WordOrNumbers(null, List.copyOf(numbers)));
    }

    /** A word, or numbers where there is none. */
    record WordOrNumbers(@Nullable String word, List<Long> numbers) {}

    /** The last question: refuses the keys, here and in every section below, that no question named. */
    void refuseUnknownKeys() throws ModelConfigException {
        if (node != null) {
            for (Iterator<String> names = node.fieldNames(); names.hasNext(); ) {
                String name = names.next();
                if (!asked.contains(name)) {
                    throw problem(path + shortened(name) + " is unknown, allowed are " + String.join(", ", asked));
                }
            }
        }
        for (YamlSection section : sections) {
            section.refuseUnknownKeys();
        }
    }

    /** What a key is called in an error. */
    String path(String key) {
        return path + key;
    }

    /** An error about this file. */
    ModelConfigException problem(String problem) {
        return new ModelConfigException(file, problem);
    }

    private @Nullable JsonNode value(String key) {
        asked.add(key);
        return node == null ? null : node.get(key);
    }

    private ModelConfigException refused(String key, @Nullable JsonNode value, String allowed) {
        return problem(path + key + " is " + describe(value) + ", allowed is " + allowed);
    }

    private static boolean isNothing(JsonNode node) {
        return node.isNull() || node.isMissingNode();
    }

    private static @Nullable Duration parseDuration(String text) {
        Matcher matcher = SHORT_DURATION.matcher(text);
        if (matcher.matches()) {
            long amount = Long.parseLong(matcher.group(1));
            return switch (matcher.group(2)) {
                case "us" -> Duration.ofNanos(amount * 1000);
                case "ms" -> Duration.ofMillis(amount);
                case "s" -> Duration.ofSeconds(amount);
                case "m" -> Duration.ofMinutes(amount);
                default -> Duration.ofHours(amount);
            };
        }
        try {
            return Duration.parse(text);
        } catch (DateTimeParseException e) {
            return null;
        }
    }

    private static String describe(@Nullable JsonNode value) {
        if (value == null || isNothing(value)) {
            return "empty";
        }
        return switch (value.getNodeType()) {
            case STRING -> "the text \"" + shortened(value.textValue()) + "\"";
            case ARRAY -> value.isEmpty() ? "an empty list" : "a list";
            case OBJECT -> "a mapping";
            case NUMBER -> "the number " + shortened(value.asText());
            default -> shortened(value.asText());
        };
    }

    private static String shortened(String text) {
        String line = text.replaceAll("\\s+", " ");
        return line.length() <= 64 ? line : line.substring(0, 64) + "…";
    }

    /** The parser's message without the indented lines that quote the file. */
    private static String withoutSnippets(String message) {
        return message.lines()
                .filter(line -> !line.isBlank() && !Character.isWhitespace(line.charAt(0)))
                .map(String::strip)
                .collect(Collectors.joining(", "));
    }
}
