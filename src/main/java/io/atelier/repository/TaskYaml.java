package io.atelier.repository;

import io.atelier.core.TaskKind;
import io.atelier.engine.TaskConfig;
import io.atelier.engine.TaskConfig.Activation;
import io.atelier.engine.TaskConfig.Align;
import io.atelier.engine.TaskConfig.BoxFormat;
import io.atelier.engine.TaskConfig.Channels;
import io.atelier.engine.TaskConfig.Fit;
import io.atelier.engine.TaskConfig.ImageClassification;
import io.atelier.engine.TaskConfig.ImageInput;
import io.atelier.engine.TaskConfig.ImageSize;
import io.atelier.engine.TaskConfig.Interpolation;
import io.atelier.engine.TaskConfig.Labels;
import io.atelier.engine.TaskConfig.Layout;
import io.atelier.engine.TaskConfig.ObjectDetection;
import io.atelier.engine.TaskConfig.Scoring;
import io.atelier.repository.HubFolder.Said;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** Reads the key {@code task} of {@code model.yaml}. */
final class TaskYaml {
    private static final List<String> KINDS =
            Stream.of(TaskKind.values()).map(TaskKind::word).toList();
    /** In the place of a task: only tensors, whatever the files say. */
    private static final String NONE = "none";

    private static final List<String> NAMES =
            Stream.concat(KINDS.stream(), Stream.of(NONE)).toList();
    private static final int LONGEST_SIDE = ImageKeys.LONGEST_SIDE;
    private static final int MOST_ANSWERS = 100_000;

    private TaskYaml() {}

    /**
     * The task that {@code model.yaml} or the Hub's files name.
     *
     * @param given the key's mapping; empty if it is not there
     * @return empty if neither names one, or {@code model.yaml} says {@code none}
     */
    static Optional<TaskConfig> read(YamlSection root, Optional<YamlSection> given, HubFolder files)
            throws ModelConfigException {
        YamlSection task = given.isPresent() ? given.get() : root.none("task");
        Optional<String> name = files.orElse(
                task.word("name", NAMES),
                HubFolder.TASK,
                () -> files.task().map(said -> new Said<>(said.value().word(), said.source())),
                word -> word);
        if (name.isEmpty() && given.isPresent()) {
            throw task.problem("task.name is missing, allowed is " + String.join(" or ", NAMES));
        }
        return name.filter(word -> !word.equals(NONE)).isPresent()
                ? Optional.of(read(kind(name.get()), task, files))
                : Optional.empty();
    }

    private static TaskConfig read(TaskKind kind, YamlSection task, HubFolder files) throws ModelConfigException {
        return switch (kind) {
            case TEXT_EMBEDDING -> new TextTaskYaml(task, files).embedding();
            case TEXT_CLASSIFICATION -> new TextTaskYaml(task, files).classification();
            case IMAGE_CLASSIFICATION ->
                new ImageClassification(
                        image(task, files, Fit.CROP, ImageSize.CLASSIFIED), labels(task), scoring(task), output(task));
            case OBJECT_DETECTION -> detection(task, files);
        };
    }

    private static TaskKind kind(String word) {
        return Stream.of(TaskKind.values())
                .filter(kind -> kind.word().equals(word))
                .findFirst()
                .orElseThrow();
    }

    private static ObjectDetection detection(YamlSection task, HubFolder files) throws ModelConfigException {
        BoxFormat format = option(task, "format", BoxFormat.class)
                .orElseThrow(() -> task.problem(
                        "task.format is missing, allowed is " + String.join(" or ", words(BoxFormat.class))));
        return new ObjectDetection(
                image(task, files, format == BoxFormat.SSD ? Fit.STRETCH : Fit.PAD, ImageSize.DETECTED),
                labels(task),
                format,
                task.number("threshold", 0, 1).orElse(0.25),
                task.number("overlap", 0, 1).orElse(0.45),
                task.integer("max-objects", MOST_ANSWERS).orElse(100));
    }

    static Optional<String> output(YamlSection task) throws ModelConfigException {
        return task.text("output", "the name of an output", name -> !name.isBlank());
    }

    static Labels labels(YamlSection task) throws ModelConfigException {
        return task.isList("labels")
                ? new Labels(task.listOfTexts("labels"), Optional.empty())
                : new Labels(
                        List.of(),
                        task.text("labels", "a list of names or the name of a file beside it", TaskConfig::isFileName));
    }

    static Scoring scoring(YamlSection task) throws ModelConfigException {
        return new Scoring(
                option(task, "activation", Activation.class),
                task.integer("top-k", MOST_ANSWERS).orElse(5),
                task.number("threshold", -1e6, 1e6).orElse(Double.NEGATIVE_INFINITY));
    }

    private static ImageInput image(YamlSection task, HubFolder files, Fit defaultFit, ImageSize defaultSize)
            throws ModelConfigException {
        YamlSection given = task.section("image").orElse(task.none("image"));
        Preprocessing told = Preprocessing.read(given, files, defaultSize);
        YamlSection image = given.above(told.keys());
        List<Double> std = image.listOfNumbers("std");
        if (std.contains(0.0)) {
            throw task.problem("task.image.std has a 0, by which nothing can be divided");
        }
        return new ImageInput(
                image.integer("width", LONGEST_SIDE),
                image.integer("height", LONGEST_SIDE),
                option(image, "layout", Layout.class),
                option(image, "channels", Channels.class).orElse(Channels.RGB),
                option(image, "fit", Fit.class).orElse(defaultFit),
                image.integer("shorter-side", LONGEST_SIDE),
                image.integer("scaled-width", LONGEST_SIDE),
                image.integer("scaled-height", LONGEST_SIDE),
                image.number("fill", 0, 255).orElse(114.0),
                option(image, "align", Align.class).orElse(Align.CENTER),
                option(image, "interpolation", Interpolation.class).orElse(Interpolation.BILINEAR),
                image.flag("antialias").orElse(true),
                image.number("scale", -1e6, 1e6).orElse(1 / 255.0),
                image.listOfNumbers("mean"),
                std,
                image.integer("max-pixels", ImageInput.MOST_PIXELS).orElse(ImageInput.DEFAULT_MAX_PIXELS),
                told.usual(),
                told.inferred());
    }

    static <E extends Enum<E>> Optional<E> option(YamlSection section, String key, Class<E> type)
            throws ModelConfigException {
        return section.word(key, words(type)).map(word -> Enum.valueOf(type, word.toUpperCase(Locale.ROOT)));
    }

    static <E extends Enum<E>> List<String> words(Class<E> type) {
        return Stream.of(type.getEnumConstants())
                .map(value -> value.name().toLowerCase(Locale.ROOT))
                .toList();
    }
}
