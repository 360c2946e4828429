package io.atelier.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.core.DataType;
import io.atelier.core.Padding;
import io.atelier.core.QueueTimeout;
import io.atelier.repository.ModelConfig.Batching;
import java.time.Duration;
import java.util.List;
import java.util.Map;
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
              { name: "y", data_type: 9; dims: - 1; dims: 0x2 }
            ]
            output { name: "z" data_type: TYPE_FP16 dims: [ 010 ] label_filename: "z.txt" }
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
                                Optional.of(
                                        new QueueTimeout(Duration.ofMillis(250), QueueTimeout.Action.REJECT, false)),
                                Padding.NONE,
                                false),
                        Optional.empty(),
                        Optional.of(2),
                        Optional.empty(),
                        new VersionPolicy.Specific(new TreeSet<>(List.of(1L, 3L, 4L))),
                        Optional.empty(),
                        ModelConfig.Share.DEFAULTS,
                        Optional.of(ModelFormat.ONNX),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.of("model.onnx"),
                        new Declaration(
                                Declaration.Rows.YES,
                                List.of(
                                        tensor("x", DataType.FP32, List.of(3L, -1L, 224L), Optional.empty()),
                                        tensor("y", DataType.INT64, List.of(-1L, 2L), Optional.empty())),
                                List.of(tensor("z", DataType.FP16, List.of(8L), Optional.of("z.txt"))),
                                Map.of("a\n\"b\"", "c")),
                        List.of(),
                        List.of(
                                "dynamic_batching.preferred_batch_size",
                                "instance_group.kind",
                                "instance_group.gpus")));
    }

    private static DeclaredTensor tensor(String name, DataType type, List<Long> dims, Optional<String> labels) {
        return new DeclaredTensor(name, type, dims, Optional.empty(), Optional.empty(), labels);
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
                "model_transaction_policy { decoupled: false }",
                "response_cache { enable: f }",
                "default_model_filename: \"\"",
                "parameters [ ]",
                "dynamic_batching { priority_levels: 0 preserve_ordering: False }",
                "dynamic_batching { default_queue_policy { max_queue_size: 0 default_timeout_microseconds: 0 } }",
                "version_policy { latest { } }",
                "version_policy: { latest: { num_versions: 1 } };"
            })
    void saysNothingWhereTheFileSaysNothing(String text) throws Exception {
        assertThat(TritonConfig.parse(text, "m")).isEqualTo(ModelConfig.DEFAULTS);
    }

    @Test
    void turnsBatchingOffWhereTheModelHasNoRows() throws Exception {
        ModelConfig config = TritonConfig.parse("max_batch_size: 0", "m");
        assertThat(config.batching().maxBatchSize()).contains(1);
        assertThat(config.declaration().rows()).isEqualTo(Declaration.Rows.NO);
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
                "name: \"other\" | line 1: name is \"other\", allowed is the folder's name \"m\"",
                "name: other | line 1: name is other, allowed is a string",
                "name: \"m\" name: \"m\" | line 1: name is given 2 times, allowed is once",
                "name: [\"m\"] | line 1: name is a list, allowed is one value",
                "names: \"m\" | line 1: names is unknown, allowed are name, platform, backend, runtime, version_policy, max_batch_size, input, output, batch_input, batch_output, optimization, dynamic_batching, sequence_batching, ensemble_scheduling, instance_group, default_model_filename, cc_model_filenames, metric_tags, parameters, model_warmup, model_operations, model_transaction_policy, model_repository_agents, response_cache, model_metrics",
                "instance_group { counts: 1 } | line 1: instance_group.counts is unknown, allowed are name, kind, count, rate_limiter, gpus, secondary_devices, profile, passive, host_policy",
                "platform: \"tensorrt_plan\" | line 1: platform is \"tensorrt_plan\", allowed is onnxruntime_onnx or pytorch_libtorch",
                "backend: \"python\" | line 1: backend is \"python\", allowed is onnxruntime or pytorch",
                "runtime: \"model.py\" | line 1: runtime is \"model.py\", allowed is libtriton_onnxruntime.so or libtriton_pytorch.so",
                "default_model_filename: \"../net.onnx\" | line 1: default_model_filename is \"../net.onnx\", allowed is the name of a file in the version's folder",
                "default_model_filename: \"/net.onnx\" | line 1: default_model_filename is \"/net.onnx\", allowed is the name of a file in the version's folder",
                "default_model_filename: \"net.bin\" | backend is missing, and default_model_filename does not end with .onnx or .pt",
                "default_model_filename: \"net.pt\" backend: \"onnxruntime\" | line 1: default_model_filename is \"net.pt\", which onnxruntime does not read",
                "platform: \"onnxruntime_onnx\" backend: \"pytorch\" | platform, backend and runtime contradict each other",
                "sequence_batching { } | line 1: sequence_batching is not supported",
                "dynamic_batching { } sequence_batching { } | line 1: sequence_batching is not allowed beside dynamic_batching",
                "ensemble_scheduling { step [ ] } | line 1: ensemble_scheduling.step is missing, allowed is at least one",
                "max_batch_size: -1 | line 1: max_batch_size is -1, allowed is an integer from 0 to 65536",
                "max_batch_size: \"8\" | line 1: max_batch_size is \"8\", allowed is an integer from -2147483648 to 2147483647",
                "max_batch_size: 99999999999999999999 | line 1: max_batch_size is 99999999999999999999, allowed is an integer from -2147483648 to 2147483647",
                "max_batch_size: 8.0 | line 1: max_batch_size is 8.0, allowed is an integer from -2147483648 to 2147483647",
                "max_batch_size: 08 | line 1: max_batch_size is 08, allowed is an integer from -2147483648 to 2147483647",
                "max_batch_size: 0x | line 1: max_batch_size is 0x, allowed is an integer from -2147483648 to 2147483647",
                "max_batch_size { } | line 1: max_batch_size is a message, allowed is an integer from -2147483648 to 2147483647",
                "dynamic_batching: true | line 1: dynamic_batching is true, allowed is a message",
                "dynamic_batching { max_queue_delay_microseconds: 5ms } | line 1: dynamic_batching.max_queue_delay_microseconds is 5ms, allowed is an integer of at least 0",
                "dynamic_batching { default_queue_policy { timeout_action: WAIT } } | line 1: dynamic_batching.default_queue_policy.timeout_action is WAIT, allowed is REJECT, DELAY",
                "dynamic_batching { default_queue_policy { timeout_action: 2 } } | line 1: dynamic_batching.default_queue_policy.timeout_action is 2, allowed is REJECT, DELAY",
                "dynamic_batching { priority_levels: 11 } | line 1: dynamic_batching.priority_levels is 11, allowed is an integer from 0 to 10",
                "dynamic_batching { priority_levels: 3 default_priority_level: 4 } | line 1: dynamic_batching.default_priority_level is 4, allowed is an integer from 1 to 3",
                "dynamic_batching { priority_queue_policy { key: 1 value { } } } | line 1: dynamic_batching.priority_queue_policy is not supported",
                "instance_group { count: 2000 } | line 1: instance_group.count is 2000, allowed is an integer from 0 to 1024",
                "instance_group { passive: true } | line 1: instance_group.passive is not supported",
                "model_transaction_policy { decoupled: True } | line 1: model_transaction_policy.decoupled is not supported",
                "model_transaction_policy { decoupled: yes } | line 1: model_transaction_policy.decoupled is yes, allowed is true or false",
                "input { name: \"x\" data_type: TYPE_FP32 dims: 1 allow_ragged_batch: true } | line 1: input.allow_ragged_batch is not supported",
                "batch_input { kind: BATCH_ELEMENT_COUNT } | line 1: batch_input is not supported",
                "input { data_type: TYPE_FP32 dims: 1 } | line 1: input.name is missing, allowed is a name",
                "input { name: \"x\" dims: 1 } | line 1: input.data_type is missing, allowed is one such as TYPE_FP32",
                "input { name: \"x\" data_type: TYPE_INVALID dims: 1 } | line 1: input.data_type is missing, allowed is one such as TYPE_FP32",
                "input { name: \"x\" data_type: FP32 dims: 1 } | line 1: input.data_type is FP32, allowed is TYPE_INVALID, TYPE_BOOL, TYPE_UINT8, TYPE_UINT16, TYPE_UINT32, TYPE_UINT64, TYPE_INT8, TYPE_INT16, TYPE_INT32, TYPE_INT64, TYPE_FP16, TYPE_FP32, TYPE_FP64, TYPE_STRING, TYPE_BF16",
                "input { name: \"x\" data_type: TYPE_FP32 dims: 0 } | line 1: input.dims is 0, allowed is an integer of at least 1, or -1 where any size fits",
                "input { name: \"x\" data_type: TYPE_FP32 dims: -2 } | line 1: input.dims is -2, allowed is an integer of at least -1",
                "input { name: \"x\" data_type: TYPE_FP32 dims: [ 2, 3 ] reshape { shape: 5 } } | line 1: input.reshape of 'x' is [5], which has not the elements of dims [2, 3]",
                "input { name: \"x\" data_type: TYPE_FP32 dims: [ -1, 3 ] reshape { shape: [ 3, -1 ] } } | line 1: input.reshape of 'x' is [3, -1], which has not the elements of dims [-1, 3]",
                "input { name: \"x\" data_type: TYPE_FP32 format: FORMAT_NCHW dims: [ 1, 3, 8, 8 ] } | line 1: input.format is FORMAT_NCHW, which needs 3 dims, 'x' has 4",
                "output [ { name: \"x\" data_type: TYPE_FP32 dims: 1 }, { name: \"x\" data_type: TYPE_FP32 dims: 1 } ] | line 1: output.name is \"x\" a second time",
                "output { name: \"x\" data_type: TYPE_FP32 dims: 1 label_filename: \"../l\" } | line 1: output.label_filename is \"../l\", allowed is the name of a file in the model's folder",
                "parameters { key: \"a\" value { string_value: 1 } } | line 1: parameters.string_value is 1, allowed is a string",
                "parameters { key: \"a\" } parameters { key: \"a\" } | line 1: parameters has \"a\" twice",
                "parameters { value { } } | line 1: parameters has an entry without key",
                "model_warmup { inputs { key: \"x\" value { data_type: TYPE_FP32 dims: 1 zero_data: true } } } | line 1: model_warmup.batch_size is 0, allowed is an integer of at least 1",
                "model_warmup { batch_size: 1 } | line 1: model_warmup.inputs is missing, allowed is an entry for each input of the model",
                "model_warmup { batch_size: 1 inputs { key: \"x\" value { data_type: TYPE_FP32 dims: 1 } } } | line 1: model_warmup.inputs.zero_data is missing, allowed is zero_data, random_data or input_data_file",
                "model_warmup { batch_size: 1 inputs { key: \"x\" value { data_type: TYPE_FP32 zero_data: true random_data: true } } } | line 1: model_warmup.inputs.random_data is not allowed beside model_warmup.inputs.zero_data",
                "model_warmup { batch_size: 1 inputs { key: \"x\" value { data_type: TYPE_FP32 input_data_file: \"../x\" } } } | line 1: model_warmup.inputs.input_data_file is \"../x\", allowed is the name of a file in the folder warmup",
                "max_batch_size: 0 model_warmup { batch_size: 2 inputs { key: \"x\" value { data_type: TYPE_FP32 zero_data: true } } } | line 1: model_warmup.batch_size is 2, allowed is 1 where max_batch_size is 0",
                "version_policy { specific { } } | line 1: version_policy.specific.versions is missing, allowed are positive integers",
                "version_policy { specific { versions: 0 } } | line 1: version_policy.specific.versions is 0, allowed is an integer of at least 1",
                "version_policy { all { } latest { } } | line 1: version_policy.latest is not allowed beside version_policy.all",
                "input [ { } | line 1: ',' or ']' is missing in the list of input",
                "input { | line 1: the text ends where '}' is missing",
                "input { > | line 1: a field's name is missing at '>'",
                "input [ { }, ] | line 1: a value of input is missing after ','",
                "name \"m\" | line 1: ':' or '{' is missing after name",
                "name: | line 1: the value of name is missing",
                "name: \"m | line 1: a string is not closed",
                "name: \"\\q\" | line 1: a string has an escape that there is not, allowed are \\a \\b \\f \\n \\r \\t \\v \\\\ \\' \\\" \\?, octal, \\x, \\u and \\U",
                "name: \"\\377\" | line 1: the bytes of a string are not UTF-8",
                "name: \"\\400\" | line 1: an octal escape is more than \\377",
                "name: \"\\ud800\" | line 1: a string has what is no character",
                "name: \"\\u12\" | line 1: an escape has 2 digits, needed are 4",
                "name: \"\\U00110000\" | line 1: a string has what is no character",
                "[type.url/x]: 1 | line 1: a field's name is missing at '['",
                "8: 1 | line 1: \"8\" is not a field's name",
                "} | line 1: a field's name is missing at '}'",
            })
    void namesTheFieldAndWhatIsAllowed(String text, String problem) {
        assertThatThrownBy(() -> TritonConfig.parse(text, "m"))
                .isInstanceOf(ModelConfigException.class)
                .hasMessage("config.pbtxt: " + problem);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "'a' \"b\" 'c' | abc",
                "\"\\101\\x42\\u0043\\U00000044\" | ABCD",
                "'\\303\\244 \\xe4\\xbd\\xa0' | ä 你",
                "\"\\ud83d\\ude00\\u00e9\" | 😀é",
                "'it\\'s \\\"so\\\"\\?' | it's \"so\"?",
                "\"# no comment\" # a comment | # no comment",
            })
    void readsStringsAsTheTextFormatWritesThem(String written, String meant) throws Exception {
        String text = "parameters { key: \"k\" value: { string_value: " + written + "\n } }";
        assertThat(TritonConfig.parse(text, "m").declaration().parameters()).containsEntry("k", meant);
    }

    @ParameterizedTest
    @CsvSource({"8, 8", "0x1F, 31", "0X1f, 31", "010, 8", "0, 1"})
    void readsNumbersAsTheTextFormatWritesThem(String written, int meant) throws Exception {
        assertThat(TritonConfig.parse("max_batch_size: " + written, "m")
                        .batching()
                        .maxBatchSize())
                .contains(meant);
    }

    @ParameterizedTest
    @ValueSource(strings = {"true", "True", "t", "1"})
    void readsBooleansAsTheTextFormatWritesThem(String written) throws Exception {
        String text = "dynamic_batching < default_queue_policy < default_timeout_microseconds: 5 timeout_action: 1; "
                + "allow_timeout_override: " + written + " >, >";
        assertThat(TritonConfig.parse(text, "m").batching().queueTimeout())
                .contains(new QueueTimeout(Duration.ofNanos(5000), QueueTimeout.Action.DELAY, true));
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "-1.5", "1e3", "1E-3f", "inf", "-inf", "nan", ".5", "7."})
    void readsRealNumbersAsTheTextFormatWritesThem(String written) throws Exception {
        String text = "model_metrics { metric_control { histogram_options { buckets: [ " + written + " ] } } }";
        assertThat(TritonConfig.parse(text, "m").ignored()).contains("model_metrics.metric_control");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "max_batch_size: 4 | YES",
                "max_batch_size: 0 | NO",
                "max_batch_size: 0x0 | NO",
                "backend: \"onnxruntime\" | INFERRED",
                "input { name: \"x\" data_type: TYPE_FP32 dims: 1 } | INFERRED",
                "input { name: \"x\" data_type: TYPE_FP32 dims: 1 } output { name: \"y\" data_type: TYPE_FP32 dims: 1 } | NO",
            })
    void knowsWhetherRequestsHaveRowsAsTritonDoes(String text, Declaration.Rows rows) throws Exception {
        assertThat(TritonConfig.parse(text, "m").declaration().rows()).isEqualTo(rows);
    }

    @Test
    void readsWarmUpRequests() throws Exception {
        String text = """
                max_batch_size: 8
                model_warmup {
                  name: "usual" batch_size: 4 count: 3
                  inputs { key: "x" value: { data_type: TYPE_FP32 dims: [ 3, 8 ] random_data: true } }
                  inputs { key: "y" value: { data_type: TYPE_STRING dims: 1 input_data_file: "y.bin" } }
                }
                model_warmup { batch_size: 1 inputs { key: "x" value: { data_type: TYPE_BOOL zero_data: false } } }
                """;
        assertThat(TritonConfig.parse(text, "m").warmUps())
                .containsExactly(
                        new WarmUpRequest(
                                "usual",
                                4,
                                3,
                                Map.of(
                                        "x",
                                        new WarmUpRequest.Input(
                                                DataType.FP32, List.of(3L, 8L), new WarmUpRequest.Data.Random()),
                                        "y",
                                        new WarmUpRequest.Input(
                                                DataType.BYTES, List.of(1L), new WarmUpRequest.Data.File("y.bin")))),
                        new WarmUpRequest(
                                "",
                                1,
                                1,
                                Map.of(
                                        "x",
                                        new WarmUpRequest.Input(
                                                DataType.BOOL, List.of(), new WarmUpRequest.Data.Zero()))));
    }

    @Test
    void takesAnyFileOfTheVersionsFolder() throws Exception {
        ModelConfig config = TritonConfig.parse("default_model_filename: \"onnx/net.onnx\"", "m");
        assertThat(config.file()).contains("onnx/net.onnx");
        assertThat(config.format()).contains(ModelFormat.ONNX);
        assertThat(TritonConfig.parse("default_model_filename: \"net.bin\" backend: \"onnxruntime\"", "m")
                        .format())
                .contains(ModelFormat.ONNX);
    }

    @Test
    void levelsOfPriorityAreOurs() throws Exception {
        assertThat(TritonConfig.parse("dynamic_batching { priority_levels: 3 default_priority_level: 2 }", "m")
                        .share()
                        .priority())
                .contains(2);
    }

    @Test
    void countsLines() {
        assertThatThrownBy(() -> TritonConfig.parse("name: \"m\"\n# a comment\n\nmax_batch_size 8", "m"))
                .isInstanceOf(ModelConfigException.class)
                .hasMessage("config.pbtxt: line 4: ':' or '{' is missing after max_batch_size");
    }

    @Test
    void refusesMessagesThatAreNestedWithoutEnd() {
        assertThatThrownBy(() -> TritonConfig.parse("input{".repeat(100_000), "m"))
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
