package io.atelier.repository;

import com.fasterxml.jackson.databind.JsonNode;
import io.atelier.engine.TaskConfig.Activation;
import io.atelier.engine.TaskConfig.Pooling;
import io.atelier.engine.TaskConfig.Prompts;
import io.atelier.repository.HubFolder.Said;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What the Hub's files say of a model of texts: those of Transformers and those of Sentence Transformers. What they say
 * and nobody here can do is refused with the name of the file and of the key. One thread.
 *
 * @see <a href="https://sbert.net/docs/package_reference/sentence_transformer/models.html">Sentence Transformers:
 *     modules</a>
 */
final class HubTexts {
    private static final String PROMPTS = "config_sentence_transformers.json";
    private static final String POOLING = "1_Pooling";

    /** The names that Sentence Transformers tries for the settings of its first module. */
    private static final List<String> SETTINGS = Stream.of(
                    "bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
            .map(name -> "sentence_" + name + "_config.json")
            .toList();

    /** Models whose first position is the one behind that of the padding token. */
    private static final Set<String> POSITIONS_BEHIND_PADDING = Set.of(
            "roberta",
            "xlm-roberta",
            "xlm-roberta-xl",
            "roberta-prelayernorm",
            "camembert",
            "mpnet",
            "longformer",
            "data2vec-text",
            "xmod",
            "luke",
            "mluke",
            "ibert",
            "esm");

    /** Transformers writes 1e30 where a tokenizer has no limit. */
    private static final double UNLIMITED = 1e9;

    /** Attention takes memory by the square of the length, so more than this is for a model's owner to ask. */
    private static final int LONGEST_UNASKED = 8192;

    private final HubFolder files;

    HubTexts(HubFolder files) {
        this.files = files;
    }

    /** One step of Sentence Transformers' pipeline. */
    private record Module(String kind, String path) {
        String file(String name) {
            return path.isEmpty() ? name : path + "/" + name;
        }
    }

    /**
     * How many tokens a text may have: what Sentence Transformers was told, else the smaller of what tokenizer and model
     * were made for; at most {@value #LONGEST_UNASKED}.
     */
    Optional<Said<Integer>> maxTokens() throws ModelConfigException {
        Optional<Said<Double>> length = number(settings(), "max_seq_length");
        if (length.isEmpty()) {
            length = Stream.of(
                            number(HubFolder.TOKENIZER_CONFIG, "model_max_length"),
                            positions().map(one -> new Said<>(one.value() * 1.0, one.source())))
                    .flatMap(Optional::stream)
                    .min((a, b) -> Double.compare(a.value(), b.value()));
        }
        return length.map(one -> new Said<>((int) Math.min(one.value(), LONGEST_UNASKED), one.source()));
    }

    /**
     * How many tokens the table of positions has room for; empty where there is no such table, or the files do not say.
     * The length that a model without one was made for counts as a length, and not as a limit.
     */
    Optional<Said<Integer>> table() throws ModelConfigException {
        JsonNode config = files.node(HubFolder.CONFIG);
        String type = config.path("position_embedding_type").asText("absolute").toLowerCase(Locale.ROOT);
        boolean computed = config.properties().stream()
                .map(Map.Entry::getKey)
                .anyMatch(key -> key.contains("rope") || key.contains("rotary") || key.equals("alibi"));
        boolean relative = config.path("relative_attention").asBoolean()
                && !config.path("position_biased_input").asBoolean(true);
        return computed || relative || !(type.equals("absolute") || type.startsWith("relative_key"))
                ? Optional.empty()
                : positions();
    }

    private Optional<Said<Integer>> positions() throws ModelConfigException {
        Optional<Said<Double>> said = number(HubFolder.CONFIG, "max_position_embeddings");
        if (said.isEmpty()) {
            said = number(HubFolder.CONFIG, "n_positions");
        }
        JsonNode config = files.node(HubFolder.CONFIG);
        int before = POSITIONS_BEHIND_PADDING.contains(config.path("model_type").asText())
                ? config.path("pad_token_id").asInt(1) + 1
                : 0;
        return said.map(one -> new Said<>(Math.max(1, one.value().intValue() - before), one.source()));
    }

    /** A number that is a limit. */
    private Optional<Said<Double>> number(String file, String key) throws ModelConfigException {
        return files.file(file)
                .number(key, -Double.MAX_VALUE, Double.MAX_VALUE)
                .filter(number -> number >= 1 && number < UNLIMITED)
                .map(number -> new Said<>(number, file + " " + key));
    }

    /** Whether texts are put into small letters first. */
    Optional<Said<Boolean>> lowerCase() throws ModelConfigException {
        String file = settings();
        return files.file(file).flag("do_lower_case").filter(flag -> flag).map(flag -> new Said<>(true, file));
    }

    private String settings() throws ModelConfigException {
        Optional<Module> transformer = modules().stream().findFirst();
        for (String name : SETTINGS) {
            String file = transformer.map(module -> module.file(name)).orElse(name);
            if (files.has(file)) {
                return file;
            }
        }
        return SETTINGS.get(0);
    }

    Optional<Said<Set<Pooling>>> pooling() throws ModelConfigException {
        Optional<String> path = pipeline().stream()
                .filter(module -> module.kind().equals("Pooling"))
                .map(module -> module.file(HubFolder.CONFIG))
                .findFirst();
        String file = path.orElse(POOLING + "/" + HubFolder.CONFIG);
        if (!files.has(file)) {
            if (path.isPresent()) {
                throw new ModelConfigException(HubFolder.MODULES, "names a pooling, and there is no " + file);
            }
            return Optional.empty();
        }
        YamlSection config = files.file(file);
        EnumSet<Pooling> found = EnumSet.noneOf(Pooling.class);
        if (config.has("pooling_mode")) {
            found.addAll(
                    config.isList("pooling_mode")
                            ? poolings(config.listOfTexts("pooling_mode"), file)
                            : poolings(
                                    config.text("pooling_mode", "a word", word -> true).stream()
                                            .toList(),
                                    file));
        }
        for (String key : config.keys()) {
            if (key.startsWith("pooling_mode_") && config.flag(key).orElse(false)) {
                found.add(poolingOf(file, key));
            }
        }
        if (found.isEmpty()) {
            throw new ModelConfigException(file, "says of no pooling_mode that it is true");
        }
        if (!config.flag("include_prompt").orElse(true) && !allPrompts().isEmpty()) {
            throw new ModelConfigException(file, "include_prompt is false, allowed is true where there are prompts");
        }
        return Optional.of(new Said<>(found, file));
    }

    private static List<Pooling> poolings(List<String> words, String file) throws ModelConfigException {
        List<Pooling> found = new ArrayList<>();
        for (String word : words) {
            found.add(poolingOf(file, "pooling_mode " + word));
        }
        return found;
    }

    private static Pooling poolingOf(String file, String key) throws ModelConfigException {
        return switch (key.substring("pooling_mode_".length())) {
            case "cls_token", "cls" -> Pooling.CLS;
            case "max_tokens", "max" -> Pooling.MAX;
            case "mean_tokens", "mean" -> Pooling.MEAN;
            case "mean_sqrt_len_tokens", "mean_sqrt_len" -> Pooling.MEAN_SQRT_LEN;
            case "weightedmean_tokens", "weightedmean" -> Pooling.WEIGHTEDMEAN;
            case "lasttoken" -> Pooling.LASTTOKEN;
            default -> throw new ModelConfigException(file, key + " is not supported");
        };
    }

    /** Whether vectors are scaled to length 1; empty where no pipeline says it. */
    Optional<Said<Boolean>> normalize() throws ModelConfigException {
        List<Module> pipeline = pipeline();
        return pipeline.isEmpty()
                ? Optional.empty()
                : Optional.of(new Said<>(
                        pipeline.stream().anyMatch(module -> module.kind().equals("Normalize")), HubFolder.MODULES));
    }

    /** The modules, none of which is one that nobody here can do. */
    private List<Module> pipeline() throws ModelConfigException {
        List<Module> modules = modules();
        String order = modules.stream()
                .map(Module::kind)
                .filter(kind -> !kind.equals("Dropout")) // changes nothing but while a model learns
                .collect(Collectors.joining(", "));
        if (!modules.isEmpty() && !order.matches("Transformer(, Pooling)?(, Normalize)*")) {
            throw new ModelConfigException(
                    HubFolder.MODULES,
                    "has the modules " + order + ", allowed are Transformer, then Pooling, then Normalize");
        }
        return modules;
    }

    private List<Module> modules() throws ModelConfigException {
        JsonNode list = files.node(HubFolder.MODULES);
        List<Module> modules = new ArrayList<>();
        if (files.has(HubFolder.MODULES) && !list.isArray()) {
            throw new ModelConfigException(HubFolder.MODULES, "is not a list of modules");
        }
        for (JsonNode module : list) {
            String type = module.path("type").asText("");
            String path = module.path("path").asText("");
            String place = "module " + modules.size();
            if (type.isBlank()) {
                throw new ModelConfigException(HubFolder.MODULES, place + " has no type");
            }
            if (!path.isEmpty() && !path.matches("[A-Za-z0-9_-][A-Za-z0-9._-]*")) {
                throw new ModelConfigException(
                        HubFolder.MODULES, place + ": path is not the name of a folder beside it");
            }
            modules.add(new Module(type.substring(type.lastIndexOf('.') + 1), path));
        }
        return modules;
    }

    Optional<Said<Prompts>> prompts() throws ModelConfigException {
        Map<String, String> prompts = allPrompts();
        Optional<String> usual = files.file(PROMPTS).text("default_prompt_name", "a name of prompts", name -> true);
        if (usual.isPresent() && !prompts.containsKey(usual.get())) {
            throw new ModelConfigException(PROMPTS, "default_prompt_name is none of prompts");
        }
        return prompts.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        new Said<>(new Prompts(prompts, usual.map(prompts::get).orElse("")), PROMPTS));
    }

    private Map<String, String> allPrompts() throws ModelConfigException {
        return files.file(PROMPTS).plainTexts("prompts");
    }

    /** How numbers become scores; empty where their count decides, as Transformers has it. */
    Optional<Said<Activation>> activation() throws ModelConfigException {
        YamlSection config = files.file(HubFolder.CONFIG);
        Optional<YamlSection> sentences = config.section("sentence_transformers");
        Optional<String> function = sentences.isPresent() ? name(sentences.get(), "activation_fn") : Optional.empty();
        String key = "sentence_transformers.activation_fn";
        if (function.isEmpty()) {
            key = "sbert_ce_default_activation_function";
            function = name(config, key);
        }
        if (function.isPresent()) {
            return Optional.of(new Said<>(activation(key, function.get()), HubFolder.CONFIG + " " + key));
        }
        Optional<String> problem = config.word(
                "problem_type", List.of("single_label_classification", "multi_label_classification", "regression"));
        return problem.filter(type -> !type.equals("single_label_classification"))
                .map(type -> new Said<>(
                        type.equals("regression") ? Activation.NONE : Activation.SIGMOID,
                        HubFolder.CONFIG + " problem_type"));
    }

    private static Optional<String> name(YamlSection section, String key) throws ModelConfigException {
        return section.text(key, "the name of a function", name -> !name.isBlank());
    }

    private static Activation activation(String key, String function) throws ModelConfigException {
        return switch (function.substring(function.lastIndexOf('.') + 1)) {
            case "Identity" -> Activation.NONE;
            case "Sigmoid" -> Activation.SIGMOID;
            case "Softmax" -> Activation.SOFTMAX;
            default ->
                throw new ModelConfigException(
                        HubFolder.CONFIG, key + " is " + function + ", allowed is Identity, Sigmoid or Softmax");
        };
    }

    /** @throws ModelConfigException if the tokenizer is to cut texts at their beginning */
    void requireCutAtTheEnd() throws ModelConfigException {
        files.file(HubFolder.TOKENIZER_CONFIG).word("truncation_side", List.of("right"));
    }

    /** The smaller of a length and the room in the table of positions. */
    int within(int maxTokens) throws ModelConfigException {
        Optional<Said<Integer>> table = table();
        OptionalInt room = table.stream().mapToInt(Said::value).findFirst();
        if (room.isPresent() && room.getAsInt() < maxTokens) {
            files.note(
                    "task.max-tokens",
                    Integer.toString(room.getAsInt()),
                    table.get().source() + ", which has no room for " + maxTokens);
            return room.getAsInt();
        }
        return maxTokens;
    }
}
