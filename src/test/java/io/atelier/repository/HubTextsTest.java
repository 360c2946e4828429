package io.atelier.repository;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.core.Padding;
import io.atelier.engine.TaskConfig.Activation;
import io.atelier.engine.TaskConfig.Pooling;
import io.atelier.engine.TaskConfig.TextClassification;
import io.atelier.engine.TaskConfig.TextEmbedding;
import io.atelier.repository.ModelRepository.BrokenFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Folders of models of texts, as Transformers and Sentence Transformers write them. */
class HubTextsTest {
    private static final String TRANSFORMER =
            "{\"idx\": 0, \"path\": \"\", \"type\": \"sentence_transformers.models.Transformer\"}";
    private static final String POOLING =
            "{\"idx\": 1, \"path\": \"1_Pooling\", \"type\": \"sentence_transformers.models.Pooling\"}";
    private static final String NORMALIZE =
            "{\"idx\": 2, \"path\": \"2_Normalize\", \"type\": \"sentence_transformers.models.Normalize\"}";
    private static final String DENSE =
            "{\"idx\": 2, \"path\": \"2_Dense\", \"type\": \"sentence_transformers.models.Dense\"}";

    @TempDir
    Path root;

    @BeforeEach
    void writeModel() throws IOException {
        write("1/model.onnx", "");
        write("tokenizer.json", "{}");
    }

    @Test
    void readsAPipelineOfSentenceTransformers() throws Exception {
        write("modules.json", "[" + TRANSFORMER + "," + POOLING + "," + NORMALIZE + "]");
        write(
                "1_Pooling/config.json",
                "{\"word_embedding_dimension\": 4, \"pooling_mode_cls_token\": true,"
                        + " \"pooling_mode_mean_tokens\": false, \"pooling_mode_max_tokens\": false}");
        write("sentence_bert_config.json", "{\"max_seq_length\": 16, \"do_lower_case\": true}");
        write(
                "config.json",
                "{\"architectures\": [\"BertModel\"], \"max_position_embeddings\": 512, \"pad_token_id\": 7}");
        write(
                "config_sentence_transformers.json",
                "{\"prompts\": {\"query\": \"query: \", \"document\": \"\"},"
                        + " \"default_prompt_name\": \"query\", \"similarity_fn_name\": \"cosine\"}");

        ModelDefinition model = model();

        TextEmbedding task = (TextEmbedding) model.config().task().orElseThrow();
        assertThat(task.pooling()).containsExactly(Pooling.CLS);
        assertThat(task.normalize()).isTrue();
        assertThat(task.text().maxTokens()).isEqualTo(16);
        assertThat(task.text().lowerCase()).isTrue();
        assertThat(task.prompts().usual()).isEqualTo("query: ");
        assertThat(task.prompts().byName()).isEqualTo(Map.of("query", "query: ", "document", ""));
        assertThat(model.config().batching().padding())
                .isEqualTo(Padding.proposed(
                        Map.of("input_ids", 7.0, "attention_mask", 0.0, "token_type_ids", 0.0), "attention_mask"));
        assertThat(model.inferred())
                .containsEntry("task.name", "text-embedding (modules.json)")
                .containsEntry("task.max-tokens", "16 (sentence_bert_config.json max_seq_length)")
                .containsEntry("task.lower-case", "true (sentence_bert_config.json)")
                .containsEntry("task.pooling", "cls (1_Pooling/config.json)")
                .containsEntry("task.normalize", "true (modules.json)")
                .containsEntry(
                        "task.prompt",
                        "\"query: \"; by prompt_name document, query (config_sentence_transformers.json)");
    }

    @Test
    void scalesNothingWhereThePipelineDoesNot() throws Exception {
        write("modules.json", "[" + TRANSFORMER + "," + POOLING + "]");
        write("1_Pooling/config.json", "{\"pooling_mode_mean_tokens\": true}");

        assertThat(embedding().normalize()).isFalse();
    }

    @Test
    void model_yamlStandsAboveEachFile() throws Exception {
        readsAPipelineOfSentenceTransformers();
        write(
                "model.yaml",
                "task: {name: text-embedding, pooling: [max, mean], normalize: false, max-tokens: 99,"
                        + " lower-case: false, prompt: 'x '}\nbatching: {padding: {}}");

        ModelDefinition model = model();

        TextEmbedding task = (TextEmbedding) model.config().task().orElseThrow();
        assertThat(task.pooling()).containsExactly(Pooling.MAX, Pooling.MEAN);
        assertThat(task.normalize()).isFalse();
        assertThat(task.text().maxTokens()).isEqualTo(99);
        assertThat(task.text().lowerCase()).isFalse();
        assertThat(task.prompts().usual()).isEqualTo("x ");
        assertThat(model.config().batching().padding()).isEqualTo(Padding.NONE);
        assertThat(model.inferred()).isEmpty();
    }

    @Test
    void itsOwnerMayWantTensorsAlone() throws Exception {
        readsAPipelineOfSentenceTransformers();
        write("model.yaml", "task: none");

        assertThat(model().config().task()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "cls_token, CLS",
        "max_tokens, MAX",
        "mean_tokens, MEAN",
        "mean_sqrt_len_tokens, MEAN_SQRT_LEN",
        "weightedmean_tokens, WEIGHTEDMEAN",
        "lasttoken, LASTTOKEN"
    })
    void knowsEveryPooling(String mode, Pooling pooling) throws Exception {
        write("modules.json", "[" + TRANSFORMER + "," + POOLING + "]");
        write("1_Pooling/config.json", "{\"pooling_mode_" + mode + "\": true}");

        assertThat(embedding().pooling()).containsExactly(pooling);
    }

    @Test
    void joinsSeveralPoolingsInTheirOwnOrder() throws Exception {
        write("1_Pooling/config.json", "{\"pooling_mode_mean_tokens\": true, \"pooling_mode_cls_token\": true}");
        write("model.yaml", "task: text-embedding");

        assertThat(embedding().pooling()).containsExactly(Pooling.CLS, Pooling.MEAN);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "512 | {'max_position_embeddings': 2048} | 512 | 2048",
                "1000000000000000019884624838656 | {'max_position_embeddings': 128} | 128 | 128",
                "8192 | {'max_position_embeddings': 128} | 128 | 128",
                "512 | {'model_type': 'roberta', 'max_position_embeddings': 514, 'pad_token_id': 1} | 512 | 512",
                "8192 | {'model_type': 'xlm-roberta', 'max_position_embeddings': 514, 'pad_token_id': 1} | 512 | 512",
                "8192 | {'model_type': 'mpnet', 'max_position_embeddings': 514} | 512 | 512",
                "null | {'max_position_embeddings': 300} | 300 | 300",
                "null | {'max_position_embeddings': 4096, 'position_embedding_type': 'rotary'} | 4096 | none",
                "64 | {'max_position_embeddings': 32, 'position_embedding_type': 'alibi'} | 32 | none",
                "null | {'max_position_embeddings': 8192, 'global_rope_theta': 160000.0} | 8192 | none",
                "null | {'max_position_embeddings': 32, 'position_embedding_type': 'relative_key'} | 32 | 32",
                "null | {'max_position_embeddings': -1} | 512 | none",
                "null | {'n_positions': 77} | 77 | 77",
                "131072 | {'max_position_embeddings': 32768, 'rope_theta': 1000000} | 8192 | none",
                "null | {} | 512 | none",
            })
    void textsAreAsLongAsTokenizerAndModelWereMadeFor(String tokenizer, String config, int tokens, String table)
            throws Exception {
        write("tokenizer_config.json", "{\"model_max_length\": " + tokenizer + "}");
        write("config.json", config.replace('\'', '"'));
        write("model.yaml", "task: text-embedding");

        assertThat(embedding().text().maxTokens()).isEqualTo(tokens);

        write("model.yaml", "task: {name: text-embedding, max-tokens: 100000}");
        assertThat(embedding().text().maxTokens()).isEqualTo(table.equals("none") ? 100_000 : Integer.parseInt(table));
    }

    @Test
    void tellsOfATableOfPositionsThatIsTooSmall() throws Exception {
        write("config.json", "{\"max_position_embeddings\": 128}");
        write("model.yaml", "task: {name: text-embedding, max-tokens: 200}");

        assertThat(model().inferred())
                .containsEntry(
                        "task.max-tokens", "128 (config.json max_position_embeddings, which has no room for 200)");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "none",
            value = {
                "{} | none",
                "{'problem_type': 'single_label_classification'} | none",
                "{'problem_type': 'multi_label_classification'} | SIGMOID",
                "{'problem_type': 'regression'} | NONE",
                "{'problem_type': null} | none",
                "{'sbert_ce_default_activation_function': 'torch.nn.modules.linear.Identity'} | NONE",
                "{'sentence_transformers': {'activation_fn': 'torch.nn.modules.activation.Sigmoid'}} | SIGMOID",
                "{'sentence_transformers': {'activation_fn': 'torch.nn.modules.linear.Identity'}, 'problem_type': 'multi_label_classification'} | NONE",
                "{'sentence_transformers': {'version': '4.1.0'}} | none",
            })
    void scoresAsTheModelWasTrained(String config, Activation activation) throws Exception {
        write("config.json", config.replace('\'', '"'));
        write("model.yaml", "task: text-classification");

        assertThat(((TextClassification) model().config().task().orElseThrow())
                        .scoring()
                        .activation())
                .isEqualTo(Optional.ofNullable(activation));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "none",
            value = {
                "{'architectures': ['BertForSequenceClassification']} | text-classification",
                "{'architectures': ['XLMRobertaModel']} | text-embedding",
                "{'architectures': ['BertForTokenClassification']} | none",
                "{'architectures': ['LlamaForCausalLM']} | none",
                "{'architectures': []} | none",
                "{'architectures': null} | none",
                "{} | none",
            })
    void theArchitectureSaysTheTask(String config, String task) throws Exception {
        write("config.json", config.replace('\'', '"'));

        assertThat(model().config().task().map(one -> one.kind().word())).isEqualTo(Optional.ofNullable(task));
    }

    @Test
    void saysThatItKnowsNoTask() throws Exception {
        write("config.json", "{\"architectures\": [\"BertForTokenClassification\"]}");

        assertThat(model().inferred())
                .containsEntry("task.name", "none (config.json architectures: BertForTokenClassification)");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'pad_token_id': 3} | {} | 3",
                "{} | {'pad_token': '<pad>', 'added_tokens_decoder': {'5': {'content': '<pad>'}}} | 5",
                "{'pad_token_id': null} | {'pad_token': {'content': '<p>'}, 'added_tokens_decoder': {'0': {'content': '<s>'}, '9': {'content': '<p>'}}} | 9",
                "{'pad_token_id': -1} | {} | 0",
                "{} | {} | 0",
            })
    void proposesToFillUpWithThePaddingToken(String config, String tokenizer, double filling) throws Exception {
        write("config.json", config.replace('\'', '"'));
        write("tokenizer_config.json", tokenizer.replace('\'', '"'));

        assertThat(model().config().batching().padding().values()).containsEntry("input_ids", filling);
    }

    @Test
    void refusesWhatItCannotDoByTheNamesOfFileAndKey() throws Exception {
        write("modules.json", "[" + TRANSFORMER + "," + POOLING + "," + DENSE + "," + NORMALIZE + "]");
        assertRefused("modules.json: has the modules Transformer, Pooling, Dense, Normalize,"
                + " allowed are Transformer, then Pooling, then Normalize");

        write("modules.json", "[" + POOLING + "]");
        assertRefused("modules.json: has the modules Pooling, allowed are Transformer, then Pooling, then Normalize");

        write("modules.json", "{}");
        assertRefused("modules.json: is not a list of modules");

        write("modules.json", "[" + TRANSFORMER + "," + POOLING + "]");
        assertRefused("modules.json: names a pooling, and there is no 1_Pooling/config.json");

        write("1_Pooling/config.json", "{\"pooling_mode_cls_token\": false}");
        assertRefused("1_Pooling/config.json: says of no pooling_mode that it is true");

        write("1_Pooling/config.json", "{\"pooling_mode_median\": true}");
        assertRefused("1_Pooling/config.json: pooling_mode_median is not supported");

        write("1_Pooling/config.json", "{\"pooling_mode_cls_token\": \"yes\"}");
        assertRefused("1_Pooling/config.json: pooling_mode_cls_token is the text \"yes\", allowed is true or false");

        write("1_Pooling/config.json", "{\"pooling_mode_cls_token\": true, \"include_prompt\": false}");
        write("config_sentence_transformers.json", "{\"prompts\": {\"query\": \"q\"}}");
        assertRefused("1_Pooling/config.json: include_prompt is false, allowed is true where there are prompts");

        write("1_Pooling/config.json", "{\"pooling_mode_cls_token\": true}");
        write("config_sentence_transformers.json", "{\"prompts\": {\"query\": \"q\"}, \"default_prompt_name\": \"x\"}");
        assertRefused("config_sentence_transformers.json: default_prompt_name is none of prompts");

        write("config_sentence_transformers.json", "{}");
        write("tokenizer_config.json", "{\"truncation_side\": \"left\"}");
        assertRefused("tokenizer_config.json: truncation_side is the text \"left\", allowed is right");

        write("tokenizer_config.json", "{");
        assertRefused("tokenizer_config.json: is not JSON");
    }

    @Test
    void refusesAnActivationThatItDoesNotKnow() throws Exception {
        write("model.yaml", "task: text-classification");
        write("config.json", "{\"sbert_ce_default_activation_function\": \"torch.nn.Tanh\"}");
        assertRefused("config.json: sbert_ce_default_activation_function is torch.nn.Tanh,"
                + " allowed is Identity, Sigmoid or Softmax");

        write("config.json", "{\"problem_type\": \"ordinal\"}");
        assertRefused("config.json: problem_type is the text \"ordinal\", allowed is"
                + " single_label_classification or multi_label_classification or regression");
    }

    @Test
    void whatItsOwnerSaysIsNotLookedUp() throws Exception {
        write("modules.json", "[" + TRANSFORMER + "," + POOLING + "," + DENSE + "]");
        write("model.yaml", "task: {name: text-embedding, pooling: cls, normalize: true}");

        assertThat(embedding().pooling()).containsExactly(Pooling.CLS);
    }

    private TextEmbedding embedding() throws Exception {
        return (TextEmbedding) model().config().task().orElseThrow();
    }

    private ModelDefinition model() throws Exception {
        ModelRepository.Scan scan = new ModelRepository(root).scan();
        assertThat(scan.broken()).isEmpty();
        return scan.models().get(0);
    }

    private void assertRefused(String reason) throws Exception {
        assertThat(new ModelRepository(root).scan().broken()).containsExactly(new BrokenFolder("m", reason));
    }

    private void write(String file, String text) throws IOException {
        Path path = root.resolve("m").resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
    }
}
