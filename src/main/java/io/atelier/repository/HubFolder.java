package io.atelier.repository;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.atelier.core.Padding;
import io.atelier.core.TaskKind;
import io.atelier.engine.TaskConfig.OfText;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The files that the Hugging Face Hub keeps beside a model, and what was taken from them where {@code model.yaml} is
 * silent. A file is read when it is first asked for. One thread.
 *
 * <p>Here stand the files themselves and what is asked of every model; {@link HubTexts} reads what models of texts have.
 */
final class HubFolder {
    static final String CONFIG = "config.json";
    static final String TOKENIZER_CONFIG = "tokenizer_config.json";
    static final String MODULES = "modules.json";

    /** Under this key stands what was taken. */
    static final String TASK = "task.name";

    private static final ObjectReader JSON = JsonMapper.builder()
            .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS) // Python writes Infinity and NaN
            .build()
            .reader();

    /** A configuration with the names of twenty thousand classes has two million bytes. */
    private static final int LARGEST_BYTES = 16 << 20;

    private final @Nullable Path folder;
    private final Map<String, Optional<JsonNode>> files = new LinkedHashMap<>();
    private final Map<String, String> taken = new LinkedHashMap<>();

    private HubFolder(@Nullable Path folder) {
        this.folder = folder;
    }

    static HubFolder of(Path folder) {
        return new HubFolder(folder);
    }

    /** A folder without any of the files. */
    static HubFolder none() {
        return new HubFolder(null);
    }

    /**
     * What a file says.
     *
     * @param source the file, and the key where that helps; for people
     */
    record Said<T>(T value, String source) {}

    /** A question to the files. */
    @FunctionalInterface
    interface Question<T> {
        Optional<Said<T>> ask() throws ModelConfigException;
    }

    /**
     * What {@code model.yaml} says under a key, else what the files say, which is remembered.
     *
     * @param words the value as it would stand in {@code model.yaml}
     */
    <T> Optional<T> orElse(Optional<T> own, String key, Question<T> files, Function<T, String> words)
            throws ModelConfigException {
        if (own.isPresent()) {
            return own;
        }
        Optional<Said<T>> said = files.ask();
        said.ifPresent(one -> note(key, words.apply(one.value()), one.source()));
        return said.map(Said::value);
    }

    void note(String key, String value, String source) {
        taken.put(key, value + " (" + source + ")");
    }

    /** What was taken so far: the keys of {@code model.yaml} under which it could stand, each with its value and source. */
    Map<String, String> taken() {
        return Collections.unmodifiableMap(new LinkedHashMap<>(taken));
    }

    boolean has(String file) {
        return folder != null && Files.isRegularFile(folder.resolve(file));
    }

    /** What the model is for; empty if the files do not say, or say something that is no task here. */
    Optional<Said<TaskKind>> task() throws ModelConfigException {
        boolean hasTokenizer = has(OfText.DEFAULT_TOKENIZER);
        List<String> architectures = architectures();
        String told = CONFIG + " architectures: " + String.join(", ", architectures);
        if (hasTokenizer && architectures.stream().anyMatch(name -> name.endsWith("ForSequenceClassification"))) {
            return Optional.of(new Said<>(TaskKind.TEXT_CLASSIFICATION, told));
        }
        if (hasTokenizer && has(MODULES)) {
            return Optional.of(new Said<>(TaskKind.TEXT_EMBEDDING, MODULES));
        }
        if (architectures.stream().anyMatch(name -> name.endsWith("ForImageClassification"))) {
            return Optional.of(new Said<>(TaskKind.IMAGE_CLASSIFICATION, told));
        }
        if (TimmConfig.isIn(node(CONFIG)) && node(CONFIG).path("num_classes").asInt() > 0) {
            return Optional.of(new Said<>(TaskKind.IMAGE_CLASSIFICATION, CONFIG + " pretrained_cfg"));
        }
        if (hasTokenizer && architectures.stream().anyMatch(name -> name.endsWith("Model"))) {
            return Optional.of(new Said<>(TaskKind.TEXT_EMBEDDING, told));
        }
        if (!architectures.isEmpty()) {
            note(TASK, "none", hasTokenizer ? told : told + "; no " + OfText.DEFAULT_TOKENIZER);
        } else if (hasTokenizer) {
            note(TASK, "none", "no " + MODULES + ", and no architectures in " + CONFIG);
        }
        return Optional.empty();
    }

    private List<String> architectures() throws ModelConfigException {
        YamlSection config = file(CONFIG);
        return config.isList("architectures") && !config.isEmptyList("architectures")
                ? config.listOfTexts("architectures")
                : List.of();
    }

    /**
     * How requests of different lengths could share a batch: a proposal, since the names of the inputs are the usual ones
     * and the model may have others.
     */
    Padding padding() throws ModelConfigException {
        if (!has(CONFIG) && !has(OfText.DEFAULT_TOKENIZER)) {
            return Padding.NONE;
        }
        double filling = paddingToken();
        return Padding.proposed(
                Map.of(OfText.INPUT_IDS, filling, OfText.ATTENTION_MASK, 0.0, OfText.TOKEN_TYPE_IDS, 0.0),
                OfText.ATTENTION_MASK);
    }

    /** The id of the token that fills up; 0 where nothing says it: the mask hides it. */
    private double paddingToken() throws ModelConfigException {
        Optional<Double> id = file(CONFIG).number("pad_token_id", -1e9, 1e9);
        if (id.isPresent()) {
            return Math.max(0, Math.rint(id.get()));
        }
        JsonNode tokenizer = node(TOKENIZER_CONFIG);
        JsonNode token = tokenizer.path("pad_token");
        String content = token.isObject() ? token.path("content").asText("") : token.asText("");
        return tokenizer.path("added_tokens_decoder").properties().stream()
                .filter(entry -> !content.isEmpty()
                        && content.equals(entry.getValue().path("content").asText()))
                .filter(entry -> entry.getKey().matches("\\d{1,9}"))
                .mapToDouble(entry -> Double.parseDouble(entry.getKey()))
                .findFirst()
                .orElse(0);
    }

    /** A file as a mapping, without its nulls; an empty one if there is no such file. */
    YamlSection file(String name) throws ModelConfigException {
        JsonNode node = node(name);
        if (!node.isObject()) {
            throw new ModelConfigException(name, "is not a JSON object");
        }
        return YamlSection.of(name, node);
    }

    /** A file's content, without its nulls; an empty mapping if there is no such file. */
    JsonNode node(String name) throws ModelConfigException {
        Optional<JsonNode> known = files.get(name);
        if (known == null) {
            known = has(name) ? Optional.of(read(name)) : Optional.empty();
            files.put(name, known);
        }
        return known.orElseGet(JsonNodeFactory.instance::objectNode);
    }

    private JsonNode read(String name) throws ModelConfigException {
        if (folder == null) {
            throw new IllegalStateException("there is no file " + name);
        }
        try (InputStream stream = Files.newInputStream(folder.resolve(name))) {
            byte[] bytes = stream.readNBytes(LARGEST_BYTES + 1);
            if (bytes.length > LARGEST_BYTES) {
                throw new ModelConfigException(name, "is larger than 16 MiB");
            }
            JsonNode node = JSON.readTree(withoutMark(bytes));
            dropNulls(node);
            return node;
        } catch (JacksonException e) {
            throw new ModelConfigException(name, "is not JSON");
        } catch (IOException e) {
            throw new ModelConfigException(name, "cannot be read: " + ModelRepositoryException.problem(e));
        }
    }

    /** Without the byte order mark that some editors write. */
    private static byte[] withoutMark(byte[] bytes) {
        boolean marked =
                bytes.length >= 3 && bytes[0] == (byte) 0xEF && bytes[1] == (byte) 0xBB && bytes[2] == (byte) 0xBF;
        return marked ? Arrays.copyOfRange(bytes, 3, bytes.length) : bytes;
    }

    /** Python writes null where nothing was said. */
    private static void dropNulls(JsonNode node) {
        if (node instanceof ObjectNode object) {
            object.properties().removeIf(entry -> entry.getValue().isNull());
        }
        node.forEach(HubFolder::dropNulls);
    }
}
