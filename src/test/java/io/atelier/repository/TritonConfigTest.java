package io.atelier.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.core.Padding;
import io.atelier.repository.ModelConfig.Batching;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TritonConfigTest {
    private static final String FULL = """
            # A comment; with "quotes" and { brackets
            name: "resnet"
            platform: 'onnxruntime' "_onnx"  # neighbouring strings are one
            backend: "onnxruntime"
            default_model_filename: "model.onnx"
            max_batch_size: 8
            input [
              { name: "x" data_type: TYPE_FP32 dims: [ 3, -1, 224 ] },
              { name: "y", dims: - 1; dims: 2 }
            ]
            output { name: "z" dims: [] scale: 1e-5 }
            dynamic_batching: {
              preferred_batch_size: [ 4, 8 ]
              max_queue_delay_microseconds: 5000
              default_queue_policy < max_queue_size: 64, default_timeout_microseconds: 250000 timeout_action: REJECT >
            }
            instance_group [ { count: 1 kind: KIND_CPU }, { count: 2, kind: KIND_GPU gpus: [ 0 ] } ]
            version_policy { specific { versions: 1 versions: [ 3, 4 ] } }
            parameters { key: "a\\n\\"b\\"" value: { string_value: "c" } }
            """;

    @Test
    void readsWhatHasAMeaningAndListsTheRest() throws Exception {
        assertThat(TritonConfig.parse(FULL, "resnet"))
                .isEqualTo(new ModelConfig(
                        new Batching(
                                Optional.of(8),
                                Optional.of(Duration.ofMillis(5)),
                                Optional.of(64),
                                Padding.NONE,
                                false),
                        Optional.of(Duration.ofMillis(250)),
                        Optional.of(2),
                        Optional.empty(),
                        new VersionPolicy.Specific(new TreeSet<>(List.of(1L, 3L, 4L))),
                        Optional.empty(),
                        ModelConfig.Share.DEFAULTS,
                        Optional.of(ModelFormat.ONNX),
                        Optional.empty(),
                        Optional.empty(),
                        List.of(
                                "input",
                                "output",
                                "dynamic_batching.preferred_batch_size",
                                "dynamic_batching.default_queue_policy.timeout_action",
                                "instance_group.kind",
                                "instance_group.gpus",
                                "parameters")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "# nothing",
                "dynamic_batching { }",
                "name: ''",
                "instance_group [ ]",
                "instance_group { count: 0 }",
                "dynamic_batching { default_queue_policy { max_queue_size: 0 default_timeout_microseconds: 0 } }",
                "version_policy { latest { } }",
                "version_policy: { latest: { num_versions: 1 } };"
            })
    void saysNothingWhereTheFileSaysNothing(String text) throws Exception {
        assertThat(TritonConfig.parse(text, "m")).isEqualTo(ModelConfig.DEFAULTS);
    }

    @Test
    void turnsBatchingOffWhereTheModelHasNoRows() throws Exception {
        assertThat(TritonConfig.parse("max_batch_size: 0", "m").batching().maxBatchSize())
                .contains(1);
    }

    @Test
    void readsVersionPolicies() throws Exception {
        assertThat(TritonConfig.parse("version_policy { all { } }", "m").versions())
                .isEqualTo(new VersionPolicy.All());
        assertThat(TritonConfig.parse("version_policy { latest { num_versions: 2 } }", "m")
                        .versions())
                .isEqualTo(new VersionPolicy.Latest(2));
    }

    @Test
    void recognisesPyTorch() throws Exception {
        assertThat(TritonConfig.parse("backend: \"pytorch\"", "m").format()).contains(ModelFormat.TORCHSCRIPT);
        assertThat(TritonConfig.parse("platform: \"pytorch_libtorch\"", "m").format())
                .contains(ModelFormat.TORCHSCRIPT);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "name: \"other\" | name is \"other\", allowed is the folder's name \"m\"",
                "name: other | name is other, allowed is a string",
                "name: \"m\" name: \"m\" | name is given 2 times, allowed is once",
                "platform: \"tensorrt_plan\" | platform is \"tensorrt_plan\", allowed is onnxruntime_onnx or pytorch_libtorch",
                "backend: \"python\" | backend is \"python\", allowed is onnxruntime or pytorch",
                "default_model_filename: \"net.onnx\" | default_model_filename is \"net.onnx\", allowed is model.onnx or model.pt",
                "platform: \"onnxruntime_onnx\" backend: \"pytorch\" | platform, backend and default_model_filename contradict each other",
                "sequence_batching { } | sequence_batching is not supported",
                "ensemble_scheduling { step [ ] } | ensemble_scheduling.step is missing, allowed is at least one",
                "max_batch_size: -1 | max_batch_size is -1, allowed is an integer from 0 to 65536",
                "max_batch_size: \"8\" | max_batch_size is \"8\", allowed is an integer from 0 to 65536",
                "max_batch_size: 99999999999999999999 | max_batch_size is 99999999999999999999, allowed is an integer from 0 to 65536",
                "max_batch_size { } | max_batch_size is a message, allowed is an integer from 0 to 65536",
                "dynamic_batching: true | dynamic_batching is true, allowed is a message",
                "dynamic_batching { max_queue_delay_microseconds: 5ms } | dynamic_batching.max_queue_delay_microseconds is 5ms, allowed is an integer from 0 to 86400000000",
                "instance_group { count: 2000 } | instance_group.count is 2000, allowed is an integer from 0 to 1024",
                "version_policy { specific { } } | version_policy.specific.versions is missing, allowed are positive integers",
                "version_policy { specific { versions: 0 } } | version_policy.specific.versions is 0, allowed is an integer of at least 1",
                "version_policy { all { } latest { } } | version_policy has 2 policies, allowed is one",
                "input [ { } | line 1: ',' or ']' is missing in the list of input",
                "input { | line 1: the text ends where '}' is missing",
                "input { > | line 1: a field's name is missing at '>'",
                "input [ { }, ] | line 1: a value of input is missing after ','",
                "name \"m\" | line 1: ':' or '{' is missing after name",
                "name: | line 1: the value of name is missing",
                "name: \"m | line 1: a string is not closed",
                "name: \"\\x41\" | line 1: a string has an escape other than \\n, \\t, \\r, \\\\, \\' and \\\"",
                "[type.url/x]: 1 | line 1: a field's name is missing at '['",
                "8: 1 | line 1: \"8\" is not a field's name",
                "} | line 1: a field's name is missing at '}'",
            })
    void namesTheFieldAndWhatIsAllowed(String text, String problem) {
        assertThatThrownBy(() -> TritonConfig.parse(text, "m"))
                .isInstanceOf(ModelConfigException.class)
                .hasMessage("config.pbtxt: " + problem);
    }

    @Test
    void countsLines() {
        assertThatThrownBy(() -> TritonConfig.parse("name: \"m\"\n# a comment\n\nmax_batch_size 8", "m"))
                .isInstanceOf(ModelConfigException.class)
                .hasMessage("config.pbtxt: line 4: ':' or '{' is missing after max_batch_size");
    }

    @Test
    void refusesMessagesThatAreNestedWithoutEnd() {
        assertThatThrownBy(() -> TritonConfig.parse("a{".repeat(100_000), "m"))
                .isInstanceOf(ModelConfigException.class)
                .hasMessage("config.pbtxt: line 1: messages are nested more than 32 deep");
    }

    @Test
    void garbageIsNeverMoreThanABadConfiguration() {
        long seed = 20260102;
        Random random = new Random(seed);
        for (int round = 0; round < 20_000; round++) {
            String text = Garbage.mutate(FULL, random);
            try {
                TritonConfig.parse(text, "resnet");
            } catch (ModelConfigException expected) {
                assertThat(expected.reason()).startsWith("config.pbtxt: ").doesNotContain("\n");
            } catch (Throwable e) {
                throw new AssertionError("seed " + seed + " round " + round + ": " + text, e);
            }
        }
    }
}
