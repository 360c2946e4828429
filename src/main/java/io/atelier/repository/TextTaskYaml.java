package io.atelier.repository;

import io.atelier.engine.TaskConfig;
import io.atelier.engine.TaskConfig.Activation;
import io.atelier.engine.TaskConfig.OfText;
import io.atelier.engine.TaskConfig.Pooling;
import io.atelier.engine.TaskConfig.Prompts;
import io.atelier.engine.TaskConfig.Scoring;
import io.atelier.engine.TaskConfig.TextClassification;
import io.atelier.engine.TaskConfig.TextEmbedding;
import io.atelier.engine.TaskConfig.TextInput;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Reads the key {@code task} of {@code model.yaml} for models of texts. What it leaves out comes from the Hub's files,
 * and what they leave out is the default. One thread.
 */
final class TextTaskYaml {
    private static final int DEFAULT_MAX_TOKENS = 512;
    private static final int MOST_TOKENS = 1 << 20;

    private final YamlSection task;
    private final HubFolder files;
    private final HubTexts texts;

    TextTaskYaml(YamlSection task, HubFolder files) {
        this.task = task;
        this.files = files;
        this.texts = new HubTexts(files);
    }

    TextEmbedding embedding() throws ModelConfigException {
        return new TextEmbedding(
                input(),
                files.orElse(pooling(), "task.pooling", texts::pooling, TextTaskYaml::words)
                        .orElse(EnumSet.of(Pooling.MEAN)),
                files.orElse(task.flag("normalize"), "task.normalize", texts::normalize, Object::toString)
                        .orElse(true),
                prompts(),
                TaskYaml.output(task));
    }

    TextClassification classification() throws ModelConfigException {
        Scoring own = TaskYaml.scoring(task);
        Optional<Activation> activation =
                files.orElse(own.activation(), "task.activation", texts::activation, TextTaskYaml::word);
        return new TextClassification(
                input(),
                TaskYaml.labels(task),
                new Scoring(activation, own.topK(), own.threshold()),
                TaskYaml.output(task));
    }

    private TextInput input() throws ModelConfigException {
        texts.requireCutAtTheEnd();
        return new TextInput(
                task.text("tokenizer", "the name of a file beside it", TaskConfig::isFileName)
                        .orElse(OfText.DEFAULT_TOKENIZER),
                texts.within(files.orElse(
                                task.integer("max-tokens", MOST_TOKENS),
                                "task.max-tokens",
                                texts::maxTokens,
                                Object::toString)
                        .orElse(DEFAULT_MAX_TOKENS)),
                files.orElse(task.flag("lower-case"), "task.lower-case", texts::lowerCase, Object::toString)
                        .orElse(false));
    }

    private Optional<Set<Pooling>> pooling() throws ModelConfigException {
        if (!task.isList("pooling")) {
            return TaskYaml.option(task, "pooling", Pooling.class).map(EnumSet::of);
        }
        Set<Pooling> several = EnumSet.noneOf(Pooling.class);
        for (String word : task.listOfWords("pooling", TaskYaml.words(Pooling.class))) {
            several.add(Pooling.valueOf(word.toUpperCase(Locale.ROOT)));
        }
        return Optional.of(several);
    }

    private Prompts prompts() throws ModelConfigException {
        Prompts known = texts.prompts().map(HubFolder.Said::value).orElse(Prompts.NONE);
        Optional<String> own = task.text("prompt", "a text", text -> true);
        if (own.isPresent()) {
            return new Prompts(known.byName(), own.get());
        }
        return files.orElse(Optional.empty(), "task.prompt", texts::prompts, TextTaskYaml::words)
                .orElse(Prompts.NONE);
    }

    private static String words(Prompts prompts) {
        return "\"" + prompts.usual() + "\"; by prompt_name "
                + prompts.byName().keySet().stream().sorted().collect(Collectors.joining(", "));
    }

    private static String words(Set<Pooling> pooling) {
        return pooling.stream().map(TextTaskYaml::word).collect(Collectors.joining(" and "));
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
