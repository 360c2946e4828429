package io.atelier.engine.djl.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.atelier.core.DataType;
import io.atelier.core.ModelSignature;
import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.Shape;
import io.atelier.core.Task;
import io.atelier.core.TaskInput;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.TaskConfig.Pooling;
import io.atelier.engine.TaskConfig.Prompts;
import io.atelier.engine.TaskConfig.TextEmbedding;
import io.atelier.engine.TaskConfig.TextInput;
import io.atelier.testing.TaskModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokenizers of every kind, compared with Hugging Face's own in JavaScript: {@code src/test/reference}. */
class TokenizersTest {
    private static final int MANY = 10_000;
    private static final ModelSignature SIGNATURE = new ModelSignature(
            List.of(
                    new TensorSpec("input_ids", DataType.INT64, Shape.of(-1, -1)),
                    new TensorSpec("attention_mask", DataType.INT64, Shape.of(-1, -1)),
                    new TensorSpec("token_type_ids", DataType.INT64, Shape.of(-1, -1))),
            List.of(new TensorSpec("last_hidden_state", DataType.FP32, Shape.of(-1, -1, 2))));

    @TempDir
    Path folder;

    private JsonNode reference;

    @BeforeEach
    void readReference() throws IOException {
        reference = new ObjectMapper().readTree(TaskModels.resource("/reference/texts.json"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"wordpiece", "wordpiece-cased", "bpe", "unigram", "words", "minilm"})
    void cutsEveryTextIntoTheTokensOfTheReference(String tokenizer) throws Exception {
        SoftAssertions soft = new SoftAssertions();
        Task task = task(tokenizer, MANY, false);
        for (Map.Entry<String, JsonNode> text : reference.get("texts").properties()) {
            List<Long> expected = ids(tokenizer, text.getKey());
            if (!expected.isEmpty()) {
                List<Tensor> inputs = inputs(task, text.getValue().asText());
                soft.assertThat(numbers(inputs.get(0))).as(text.getKey()).isEqualTo(expected);
                soft.assertThat(numbers(inputs.get(1)))
                        .as("mask")
                        .containsOnly(1L)
                        .hasSameSizeAs(expected);
                soft.assertThat(numbers(inputs.get(2)))
                        .as("types")
                        .containsOnly(0L)
                        .hasSameSizeAs(expected);
            }
        }
        soft.assertAll();
    }

    @ParameterizedTest
    @ValueSource(strings = {"wordpiece", "bpe", "unigram", "minilm"})
    void cutsALongTextAndKeepsTheTokenThatEndsIt(String tokenizer) throws Exception {
        List<Long> whole = ids(tokenizer, "long");
        for (int most : List.of(2, 3, 64, 511, 513, 1000)) {
            List<Long> expected = new ArrayList<>(whole.subList(0, most - 1));
            expected.add(whole.get(whole.size() - 1));

            assertThat(numbers(
                            inputs(task(tokenizer, most, false), text("long")).get(0)))
                    .as("at most " + most)
                    .isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7})
    void neverGivesMoreTokensThanItMay(int most) throws Exception {
        for (String tokenizer : List.of("wordpiece", "bpe", "unigram", "words")) {
            Task task = task(tokenizer, most, false);
            for (String kind : List.of("long", "emoji", "cjk")) {
                assertThat(inputs(task, text(kind)).get(0).shape().dimension(1))
                        .as(tokenizer)
                        .isBetween(1L, (long) most);
            }
        }
    }

    @Test
    void putsTextsIntoSmallLettersWhereItIsToldTo() throws Exception {
        Task task = task("wordpiece-cased", MANY, true);

        assertThat(numbers(inputs(task, "HELLO World").get(0)))
                .isEqualTo(numbers(inputs(task("wordpiece-cased", MANY, false), "hello world")
                        .get(0)));
    }

    @Test
    void refusesHalfOfACharacterRatherThanReadAnotherText() throws Exception {
        Task task = task("bpe", MANY, false);

        for (String text : List.of("a \ud83d", "\ude00 b", "a\ude00\ud83db")) {
            assertThatThrownBy(() -> inputs(task, text))
                    .isInstanceOf(InvalidInput.class)
                    .hasMessage("the text holds half of a surrogate pair, which is no character");
        }
    }

    private List<Long> ids(String tokenizer, String kind) {
        return StreamSupport.stream(reference.at("/ids/" + tokenizer).get(kind).spliterator(), false)
                .map(JsonNode::asLong)
                .toList();
    }

    private String text(String kind) {
        return reference.get("texts").get(kind).asText();
    }

    private Task task(String tokenizer, int maxTokens, boolean lowerCase) throws IOException, ModelLoadException {
        String resource = tokenizer.equals("minilm")
                ? "/all-minilm-l6-v2-q-tokenizer.json"
                : "/tokenizers/" + tokenizer + ".json";
        Files.write(folder.resolve("tokenizer.json"), TaskModels.resource(resource));
        return Tasks.load(
                new TextEmbedding(
                        new TextInput("tokenizer.json", maxTokens, lowerCase),
                        Set.of(Pooling.MEAN),
                        true,
                        Prompts.NONE,
                        Optional.empty()),
                folder,
                SIGNATURE);
    }

    private static List<Tensor> inputs(Task task, String text) {
        return task.prepare(List.of(new TaskInput.Text(text)), 1).get(0).inputs();
    }

    private static List<Long> numbers(Tensor tensor) {
        List<Long> numbers = new ArrayList<>();
        for (int i = 0; i < tensor.sizeBytes() / Long.BYTES; i++) {
            numbers.add(tensor.data().getLong(i * Long.BYTES));
        }
        return numbers;
    }
}
