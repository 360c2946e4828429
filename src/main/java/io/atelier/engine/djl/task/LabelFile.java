package io.atelier.engine.djl.task;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.atelier.engine.LabelText;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.TaskConfig.Labels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * Reads the names of classes: a text with a name on each line, or Hugging Face's {@code config.json} with its
 * {@code id2label}, or timm's with its {@code label_names}.
 */
final class LabelFile {
    private static final String TRANSFORMERS = "config.json";
    private static final List<String> USUAL = List.of("labels.txt", "synset.txt", TRANSFORMERS);

    private LabelFile() {}

    /**
     * The names that were configured, or those of the first usual file that has some; else none.
     *
     * @param classes how many the model has; negative where it does not say
     * @throws ModelLoadException if a file cannot be read, or names another number of classes
     */
    static List<String> names(Labels labels, Path folder, long classes) throws ModelLoadException {
        List<String> names = labels.names();
        String source = "task.labels";
        if (names.isEmpty()) {
            Optional<String> file = labels.file()
                    .or(() -> USUAL.stream()
                            .filter(name -> Files.isRegularFile(folder.resolve(name)))
                            .findFirst());
            if (file.isEmpty()) {
                return List.of();
            }
            source = file.get();
            names = read(folder.resolve(source), source);
            if (names.isEmpty() && labels.file().isPresent()) {
                throw new ModelLoadException(source + " names no classes");
            }
            if (names.isEmpty() && source.equals(TRANSFORMERS)) {
                return unnamed(folder.resolve(source), classes);
            }
        }
        if (classes >= 0 && !names.isEmpty() && names.size() != classes) {
            throw new ModelLoadException(
                    "%s names %d classes, the model has %d".formatted(source, names.size(), classes));
        }
        return names;
    }

    /** What Transformers calls classes whose names it leaves out of the file, since they are the usual ones. */
    private static List<String> unnamed(Path file, long classes) throws ModelLoadException {
        try {
            boolean isTransformers = JsonMapper.builder()
                    .build()
                    .readTree(Files.readString(file))
                    .path("architectures")
                    .isArray();
            return isTransformers
                    ? IntStream.range(0, (int) Math.max(0, classes))
                            .mapToObj(i -> "LABEL_" + i)
                            .toList()
                    : List.of();
        } catch (IOException failure) {
            throw new ModelLoadException(TRANSFORMERS + " cannot be read", failure);
        }
    }

    /** A name for each class: the one that is known, else its number. */
    static List<String> forClasses(List<String> names, int classes) {
        return names.size() == classes
                ? names
                : IntStream.range(0, classes)
                        .mapToObj(i -> i < names.size() ? names.get(i) : Integer.toString(i))
                        .toList();
    }

    private static List<String> read(Path file, String name) throws ModelLoadException {
        try {
            String text = LabelText.read(file, name);
            return name.endsWith(".json") ? id2label(name, text) : LabelText.lines(text);
        } catch (IOException failure) {
            throw new ModelLoadException(name + " cannot be read", failure);
        }
    }

    private static List<String> id2label(String name, String text) throws IOException, ModelLoadException {
        JsonNode config = JsonMapper.builder().build().readTree(text);
        if (!config.has("id2label") && config.path("label_names").isArray()) { // timm's own
            return StreamSupport.stream(config.path("label_names").spliterator(), false)
                    .map(JsonNode::asText)
                    .toList();
        }
        JsonNode labels = config.path("id2label");
        List<String> names = Stream.iterate(0, i -> i + 1)
                .limit(labels.size())
                .map(i -> labels.path(Integer.toString(i)).asText(""))
                .toList();
        if (names.contains("")) {
            throw new ModelLoadException(name + ": id2label does not name the classes 0 to " + (labels.size() - 1));
        }
        return names;
    }
}
