package io.atelier.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.core.DataType;
import io.atelier.core.ModelSignature;
import io.atelier.core.Padding;
import io.atelier.core.QueueTimeout;
import io.atelier.core.Shape;
import io.atelier.core.TensorSpec;
import io.atelier.engine.TaskConfig;
import io.atelier.engine.TaskConfig.Pooling;
import io.atelier.engine.TaskConfig.Prompts;
import io.atelier.engine.TaskConfig.TextEmbedding;
import io.atelier.engine.TaskConfig.TextInput;
import io.atelier.repository.ModelConfig.Batching;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelYamlTest {
    private static final String FULL = """
            batching:
              max-batch-size: 16
              max-queue-delay: 5ms
              max-queue-size: 200
              queue-timeout: 300ms
              padding:
                values: {input_ids: 0, attention_mask: 0, token_type_ids: 1.5}
                mask: attention_mask
            timeout: 2s
            instances: 2
            versions: [3, 1]
            warm-up:
              - name: usual
                rows: 4
                count: 2
                inputs:
                  - {name: x, datatype: FP32, shape: [3, 8], values: random}
                  - {name: y, datatype: BYTES, shape: [1], file: y.bin}
            task:
              name: text-embedding
              tokenizer: words.json
              max-tokens: 128
              pooling: cls
              normalize: false
              output: last_hidden_state
            """;

    @Test
    void readsEveryKey() throws Exception {
        assertThat(ModelYaml.parse(FULL))
                .isEqualTo(new ModelConfig(
                        new Batching(
                                Optional.of(16),
                                Optional.of(Duration.ofMillis(5)),
                                Optional.of(200),
                                Optional.of(
                                        new QueueTimeout(Duration.ofMillis(300), QueueTimeout.Action.REJECT, false)),
                                new Padding(
                                        Map.of("input_ids", 0.0, "attention_mask", 0.0, "token_type_ids", 1.5),
                                        "attention_mask"),
                                false),
                        Optional.of(Duration.ofSeconds(2)),
                        Optional.of(2),
                        Optional.of(new TextEmbedding(
                                new TextInput("words.json", 128, false),
                                Set.of(Pooling.CLS),
                                false,
                                Prompts.NONE,
                                Optional.of("last_hidden_state"))),
                        new VersionPolicy.Specific(new TreeSet<>(List.of(1L, 3L))),
                        Optional.empty(),
                        ModelConfig.Share.DEFAULTS,
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Declaration.NONE,
                        List.of(new WarmUpRequest(
                                "usual",
                                4,
                                2,
                                Map.of(
                                        "x",
                                        new WarmUpRequest.Input(
                                                DataType.FP32, List.of(3L, 8L), new WarmUpRequest.Data.Random()),
                                        "y",
                                        new WarmUpRequest.Input(
                                                DataType.BYTES, List.of(1L), new WarmUpRequest.Data.File("y.bin"))))),
                        List.of()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "# nothing\n", "---\n", "{}", "batching:\n", "versions: latest"})
    void saysNothingWhereTheFileSaysNothing(String text) throws Exception {
        assertThat(ModelYaml.parse(text)).isEqualTo(ModelConfig.DEFAULTS);
    }

    @Test
    void fillsInTheDefaultsOfATask() throws Exception {
        assertThat(ModelYaml.parse("task: {name: text-embedding}").task())
                .contains(new TextEmbedding(
                        new TextInput("tokenizer.json", 512, false),
                        Set.of(Pooling.MEAN),
                        true,
                        Prompts.NONE,
                        Optional.empty()));
    }

    @Test
    void servesAllVersionsWhenAsked() throws Exception {
        assertThat(ModelYaml.parse("versions: all").versions()).isEqualTo(new VersionPolicy.All());
    }

    @Test
    void readsWhatAModelFileDoesNotTell() throws Exception {
        assertThat(ModelYaml.parse("""
                                inputs: [{name: x, datatype: FP32, shape: [-1, 3]}]
                                outputs: [{name: y, datatype: INT64, shape: [-1]}]""").signature())
                .contains(new ModelSignature(
                        List.of(new TensorSpec("x", DataType.FP32, Shape.of(-1, 3))),
                        List.of(new TensorSpec("y", DataType.INT64, Shape.of(-1)))));
    }

    @Test
    void takesATaskAsAWord() throws Exception {
        assertThat(ModelYaml.parse("task: text-embedding")).isEqualTo(ModelYaml.parse("task: {name: text-embedding}"));
    }

    @Test
    void readsATaskOfImages() throws Exception {
        assertThat(ModelYaml.parse("task: {name: image-classification, labels: [a, b], top-k: 2, image: {width: 9}}")
                        .task())
                .contains(new TaskConfig.ImageClassification(
                        new TaskConfig.ImageInput(
                                Optional.of(9),
                                Optional.empty(),
                                Optional.empty(),
                                TaskConfig.Channels.RGB,
                                TaskConfig.Fit.CROP,
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                114,
                                TaskConfig.Align.CENTER,
                                TaskConfig.Interpolation.BILINEAR,
                                true,
                                1 / 255.0,
                                List.of(),
                                List.of(),
                                1 << 24,
                                TaskConfig.ImageSize.CLASSIFIED,
                                Map.of()),
                        new TaskConfig.Labels(List.of("a", "b"), Optional.empty()),
                        new TaskConfig.Scoring(Optional.empty(), 2, Double.NEGATIVE_INFINITY),
                        Optional.empty()));
    }

    @ParameterizedTest
    @CsvSource({"250us, PT0.00025S", "5ms, PT0.005S", "2s, PT2S", "1m, PT1M", "24h, PT24H", "0s, PT0S", "PT0.5S, PT0.5S"
    })
    void readsDurations(String text, Duration expected) throws Exception {
        assertThat(ModelYaml.parse("batching: {max-queue-delay: " + text + "}")
                        .batching()
                        .maxQueueDelay())
                .contains(expected);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "3 | is the number 3, allowed is a mapping of keys",
                "[a] | is a list, allowed is a mapping of keys",
                "batch: 3 | batch is unknown, allowed are batching, task, golden, share, ensemble, timeout, instances, versions, inputs, outputs, file, warm-up",
                "batching: 3 | batching is the number 3, allowed is a mapping of keys",
                "batching: {max-batch: 3} | batching.max-batch is unknown, allowed are padding, max-batch-size, max-queue-delay, max-queue-size, queue-timeout, proof",
                "batching: {max-batch-size: 0} | batching.max-batch-size is the number 0, allowed is an integer from 1 to 65536",
                "batching: {max-batch-size: 65537} | batching.max-batch-size is the number 65537, allowed is an integer from 1 to 65536",
                "batching: {max-batch-size: 1.5} | batching.max-batch-size is the number 1.5, allowed is an integer from 1 to 65536",
                "batching: {max-batch-size: `8`} | batching.max-batch-size is the text \"8\", allowed is an integer from 1 to 65536",
                "batching: {max-batch-size: } | batching.max-batch-size is empty, allowed is an integer from 1 to 65536",
                "batching: {max-queue-size: 3000000000} | batching.max-queue-size is the number 3000000000, allowed is an integer of at least 1",
                "batching: {max-queue-delay: 5} | batching.max-queue-delay is the number 5, allowed is a duration with its unit, such as 5ms, 2s, 1m or PT0.5S",
                "batching: {max-queue-delay: 5 ms} | batching.max-queue-delay is the text \"5 ms\", allowed is a duration with its unit, such as 5ms, 2s, 1m or PT0.5S",
                "batching: {max-queue-delay: PT-1S} | batching.max-queue-delay is the text \"PT-1S\", allowed is a duration from 0s to 24h",
                "timeout: 0s | timeout is the text \"0s\", allowed is a duration above 0",
                "timeout: 25h | timeout is the text \"25h\", allowed is a duration from 0s to 24h",
                "timeout: | timeout is empty, allowed is a duration with its unit, such as 5ms, 2s, 1m or PT0.5S",
                "instances: many | instances is the text \"many\", allowed is an integer from 1 to 1024",
                "versions: newest | versions is the text \"newest\", allowed is latest, all or a list of positive integers such as [1, 3]",
                "versions: [] | versions is an empty list, allowed is latest, all or a list of positive integers such as [1, 3]",
                "versions: [1, 0] | versions is the number 0, allowed is latest, all or a list of positive integers such as [1, 3]",
                "batching: {padding: {value: 1}} | batching.padding.value is unknown, allowed are values, mask",
                "batching: {padding: {values: [1]}} | batching.padding.values is a list, allowed is a mapping of names to numbers",
                "batching: {padding: {values: {ids: a}}} | batching.padding.values.ids is the text \"a\", allowed is a number",
                "batching: {padding: {values: {ids: .inf}}} | line 1 is not YAML: Malformed numeric value '.inf'",
                "batching: {padding: {values: {ids: 0}, mask: m}} | batching.padding.values.m must be 0: the mask is padded too, and 0 marks what is padding",
                "batching: {padding: {values: {m: 1}, mask: m}} | batching.padding.values.m must be 0: the mask is padded too, and 0 marks what is padding",
                "batching: {padding: {mask: 1}} | batching.padding.mask is the number 1, allowed is the name of an input",
                "inputs: 3 | inputs is the number 3, allowed is a list of mappings",
                "inputs: [{name: x, datatype: FP32, shape: [-1]}] | inputs and outputs belong together, only one of them is there",
                "inputs: [{datatype: FP32, shape: [-1]}] | inputs[0].name is missing, allowed is a name",
                "inputs: [{name: x, shape: [-1]}] | inputs[0].datatype is missing, allowed is a datatype such as FP32",
                "inputs: [{name: x, datatype: FP32, shape: [-2]}] | inputs[0].shape is the number -2, allowed is a list of integers of at least -1",
                "task: {name: object-detection} | task.format is missing, allowed is yolov5 or yolov8 or ssd",
                "task: {name: object-detection, format: ssd, threshold: 2} | task.threshold is the number 2, allowed is a number from 0.0 to 1.0",
                "task: {name: image-classification, labels: []} | task.labels is an empty list, allowed is a list of texts",
                "task: {name: image-classification, labels: [a, 1]} | task.labels is the number 1, allowed is a list of texts",
                "task: {name: image-classification, labels: ../x} | task.labels is the text \"../x\", allowed is a list of names or the name of a file beside it",
                "task: {name: image-classification, activation: tanh} | task.activation is the text \"tanh\", allowed is softmax or sigmoid or none",
                "task: {name: image-classification, image: {mean: 0.5}} | task.image.mean is the number 0.5, allowed is a list of numbers",
                "task: {name: image-classification, image: {std: [1, 0, 1]}} | task.image.std has a 0, by which nothing can be divided",
                "task: {name: image-classification, image: {width: 9000}} | task.image.width is the number 9000, allowed is an integer from 1 to 8192",
                "task: {name: image-classification, image: {size: 3}} | task.image.size is unknown, allowed are preprocessor, std, width, height, layout, channels, fit, shorter-side, scaled-width, scaled-height, fill, align, interpolation, antialias, scale, mean, max-pixels",
                "task: 3 | task is the number 3, allowed is a mapping of keys",
                "task: translation | task.name is the text \"translation\", allowed is KINDS",
                "task: {pooling: mean} | task.name is missing, allowed is KINDS",
                "task: {name: translation} | task.name is the text \"translation\", allowed is KINDS",
                "task: {name: text-embedding, pooling: sum} | task.pooling is the text \"sum\", allowed is cls or max or mean or mean_sqrt_len or weightedmean or lasttoken",
                "task: {name: text-embedding, normalize: 1} | task.normalize is the number 1, allowed is true or false",
                "task: {name: text-embedding, tokenizer: ../t.json} | task.tokenizer is the text \"../t.json\", allowed is the name of a file beside it",
                "task: {name: text-embedding, tokenizer: ..} | task.tokenizer is the text \"..\", allowed is the name of a file beside it",
                "task: {name: text-embedding, max-tokens: -1} | task.max-tokens is the number -1, allowed is an integer from 1 to 1048576",
                "task: {name: text-embedding, output: } | task.output is empty, allowed is the name of an output",
                "task: {name: text-embedding, labels: x} | task.labels is unknown, allowed are name, tokenizer, max-tokens, lower-case, pooling, normalize, prompt, output",
            })
    void namesTheKeyAndWhatIsAllowed(String yaml, String problem) {
        assertThatThrownBy(() -> ModelYaml.parse(yaml.replace('`', '"')))
                .isInstanceOf(ModelConfigException.class)
                .hasMessage(
                        "model.yaml: "
                                + problem.replace(
                                        "KINDS",
                                        "text-embedding or text-classification or image-classification or object-detection or none"));
    }

    @Test
    void namesTheLineThatIsNotYaml() {
        assertThatThrownBy(() -> ModelYaml.parse("timeout: 5s\nbatching: [\n"))
                .isInstanceOf(ModelConfigException.class)
                .hasMessage("model.yaml: line 2 is not YAML: while parsing a flow node, "
                        + "expected the node content, but found '<stream end>'");
    }

    @Test
    void refusesAKeyThatIsGivenTwice() {
        assertThatThrownBy(() -> ModelYaml.parse("timeout: 5s\ntimeout: 6s\n"))
                .isInstanceOf(ModelConfigException.class)
                .hasMessage("model.yaml: line 2 is not YAML: Duplicate field 'timeout'");
    }

    @Test
    void refusesASecondDocument() {
        assertThatThrownBy(() -> ModelYaml.parse("timeout: 5s\n---\ntimeout: 6s\n"))
                .isInstanceOf(ModelConfigException.class)
                .hasMessageStartingWith("model.yaml: line 3 is not YAML: Trailing token");
    }

    @Test
    void garbageIsNeverMoreThanABadConfiguration() {
        long seed = 20260101;
        Random random = new Random(seed);
        for (int round = 0; round < 5000; round++) {
            String text = Garbage.mutate(FULL, random);
            try {
                ModelYaml.parse(text);
            } catch (ModelConfigException expected) {
                assertThat(expected.reason()).startsWith("model.yaml: ").doesNotContain("\n");
            } catch (Throwable e) {
                throw new AssertionError("seed " + seed + " round " + round + ": " + text, e);
            }
        }
    }
}
