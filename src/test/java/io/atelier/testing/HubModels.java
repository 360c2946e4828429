package io.atelier.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A repository with small models as the Hub has them. A word is worth two numbers: good is (-1, 2), bad is (2, -1), film
 * is (0.5, 0.5), others are nothing.
 */
public final class HubModels {
    /** Words, by their ids; cuts at three and fills up to five unless it is told otherwise. */
    private static final String TOKENIZER = """
            {"version": "1.0",
             "truncation": {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0},
             "padding": {"strategy": {"Fixed": 5}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0,
                         "pad_type_id": 0, "pad_token": "[UNK]"},
             "added_tokens": [], "normalizer": null, "pre_tokenizer": {"type": "Whitespace"},
             "post_processor": null, "decoder": null,
             "model": {"type": "WordLevel", "unk_token": "[UNK]",
                       "vocab": {"[UNK]": 0, "good": 1, "bad": 2, "film": 3}}}""";

    private static final String CLASSIFIER = "\"architectures\": [\"BertForSequenceClassification\"]";
    private static final String EMBEDDER = "{\"architectures\": [\"BertModel\"], \"pad_token_id\": 3}";

    /** Models with a reference by another stack: {@code src/test/reference}. */
    private static final List<String> REFERENCE = List.of(
            "sentences/config.json",
            "sentences/tokenizer.json",
            "sentences/tokenizer_config.json",
            "sentences/special_tokens_map.json",
            "sentences/sentence_bert_config.json",
            "sentences/config_sentence_transformers.json",
            "sentences/modules.json",
            "sentences/1_Pooling/config.json",
            "sentences/onnx/model.onnx",
            "feelings/config.json",
            "feelings/tokenizer.json",
            "feelings/tokenizer_config.json",
            "feelings/onnx/model.onnx",
            "relevance/config.json",
            "relevance/tokenizer.json",
            "relevance/tokenizer_config.json",
            "relevance/onnx/model.onnx");

    private HubModels() {}

    /** Writes it into this folder. */
    public static Path write(Path root) throws IOException {
        Files.write(root.resolve("adder.onnx"), OnnxModelWriter.add("batch", 2));
        model(root, "bert", "onnx/model.onnx", words(true), Map.of("config.json", EMBEDDER));
        model(
                root,
                "long",
                "1/model.onnx",
                words(false),
                Map.of("model.yaml", "task: {name: text-embedding, max-tokens: 8192}"));
        model(
                root,
                "long-raw",
                "model.onnx",
                words(false),
                Map.of("model.yaml", "task: {name: text-embedding, normalize: false}"));
        model(root, "short", "1/model.onnx", placed(100), Map.of("model.yaml", "task: text-embedding"));
        model(
                root,
                "shorter-than-told",
                "onnx/model_quantized.onnx",
                placed(100),
                Map.of(
                        "config.json", "{\"architectures\": [\"BertModel\"], \"max_position_embeddings\": 300}",
                        "tokenizer_config.json", "{\"model_max_length\": 512}"));
        pipeline(
                root,
                "first-token",
                "cls_token",
                Map.of("sentence_bert_config.json", "{\"max_seq_length\": 16, \"do_lower_case\": true}"));
        pipeline(root, "largest", "max_tokens", Map.of());
        pipeline(
                root,
                "joined",
                "lasttoken\": true, \"pooling_mode_mean_tokens\": true, \"pooling_mode_cls_token",
                Map.of());
        pipeline(root, "weighted", "weightedmean_tokens", Map.of());
        pipeline(root, "root", "mean_sqrt_len_tokens", Map.of());
        pipeline(
                root,
                "asks",
                "mean_tokens",
                Map.of(
                        "config_sentence_transformers.json",
                        "{\"prompts\": {\"question\": \"good \", \"answer\": \"bad \"}, \"default_prompt_name\": \"question\"}"));
        model(
                root,
                "rerank",
                "onnx/model.onnx",
                scores(1),
                Map.of("config.json", "{" + CLASSIFIER + ", \"id2label\": {\"0\": \"LABEL_0\"}}"));
        model(
                root,
                "rerank-raw",
                "onnx/model.onnx",
                scores(1),
                Map.of(
                        "config.json",
                        "{" + CLASSIFIER + ", \"id2label\": {\"0\": \"LABEL_0\"},"
                                + " \"sentence_transformers\": {\"activation_fn\": \"torch.nn.modules.linear.Identity\"}}"));
        model(
                root,
                "several",
                "onnx/model.onnx",
                scores(2),
                Map.of(
                        "config.json",
                        "{" + CLASSIFIER + ", \"problem_type\": \"multi_label_classification\","
                                + " \"id2label\": {\"0\": \"toxic\", \"1\": \"rude\"}}"));
        model(
                root,
                "mood",
                "onnx/model.onnx",
                scores(2),
                Map.of(
                        "config.json",
                        "{" + CLASSIFIER + ", \"id2label\": {\"0\": \"negative\", \"1\": \"positive\"}}"));
        model(root, "unnamed", "onnx/model.onnx", scores(2), Map.of("config.json", "{" + CLASSIFIER + "}"));
        for (String file : REFERENCE) {
            Path copy = root.resolve(file);
            Files.createDirectories(copy.getParent());
            Files.write(copy, TaskModels.resource("/hub/" + file));
        }
        return root;
    }

    private static void pipeline(Path root, String name, String pooling, Map<String, String> files) throws IOException {
        model(root, name, "onnx/model.onnx", words(false), files);
        write(root.resolve(name).resolve("1_Pooling/config.json"), "{\"pooling_mode_" + pooling + "\": true}");
        write(root.resolve(name).resolve("modules.json"), """
                [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
                 {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]""");
    }

    private static void model(Path root, String name, String file, byte[] onnx, Map<String, String> files)
            throws IOException {
        Path folder = root.resolve(name);
        Files.createDirectories(folder.resolve(file).getParent());
        Files.write(folder.resolve(file), onnx);
        write(folder.resolve("tokenizer.json"), TOKENIZER);
        for (Map.Entry<String, String> entry : files.entrySet()) {
            write(folder.resolve(entry.getKey()), entry.getValue());
        }
    }

    private static void write(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private static OnnxModelWriter each() {
        return new OnnxModelWriter()
                .input("input_ids", "INT64", "batch", "sequence")
                .floats("worth", List.of(4, 2), 0, 0, -1, 2, 2, -1, 0.5f, 0.5f)
                .node("Gather", List.of("worth", "input_ids"), List.of("each"));
    }

    /**
     * What each word is worth.
     *
     * @param hasMask whether it takes a mask, which it does not look at
     */
    private static byte[] words(boolean hasMask) {
        OnnxModelWriter writer = each().output("last_hidden_state", "FLOAT", "batch", "sequence", 2);
        if (hasMask) {
            return writer.input("attention_mask", "INT64", "batch", "sequence")
                    .node("Identity", List.of("each"), List.of("last_hidden_state"))
                    .node("Identity", List.of("attention_mask"), List.of("unused"))
                    .toBytes();
        }
        return writer.node("Identity", List.of("each"), List.of("last_hidden_state"))
                .toBytes();
    }

    /** What each word is worth, beside a number for its place, of which the table has so many. */
    private static byte[] placed(int places) {
        float[] table = new float[places * 2];
        for (int i = 0; i < table.length; i++) {
            table[i] = i / 1000f;
        }
        return each().floats("places", List.of(places, 2), table)
                .int64s("first", List.of(1), 0)
                .int64s("one", List.of(1), 1)
                .int64s("two", List.of(1), 2)
                .node("Shape", List.of("input_ids"), List.of("shape"))
                .node("Slice", List.of("shape", "one", "two", "first"), List.of("length"))
                .node("Slice", List.of("places", "first", "length", "first"), List.of("here"))
                .node("Add", List.of("each", "here"), List.of("last_hidden_state"))
                .output("last_hidden_state", "FLOAT", "batch", "sequence", 2)
                .toBytes();
    }

    /** The sum of what the words are worth, or of its first number. */
    private static byte[] scores(int classes) {
        return each().int64s("axis", List.of(1), 1)
                .int64s("first", List.of(1), 0)
                .int64s("classes", List.of(1), classes)
                .node("ReduceSum", List.of("each", "axis"), List.of("sum"), Map.of("keepdims", 0L))
                .node("Slice", List.of("sum", "first", "classes", "axis"), List.of("logits"))
                .output("logits", "FLOAT", "batch", classes)
                .toBytes();
    }
}
