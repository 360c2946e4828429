package io.atelier.repository;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.repository.TritonSchema.FieldType;
import io.atelier.repository.TritonSchema.Treatment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What {@code docs/model-repository.md} says of each field of Triton's configuration is what happens to it. */
class TritonFieldsTest {
    private static final Pattern ROW = Pattern.compile("(?m)^\\| `([a-z_.]+)` \\| (meant|refused|ignored) \\|");

    private static final String TENSOR = "name: 'x' data_type: TYPE_FP32 ";
    private static final String QUEUE = "dynamic_batching { default_queue_policy { ";
    private static final String STEP = "ensemble_scheduling { step { model_name: 'a' ";
    private static final String WARM_UP =
            "model_warmup { batch_size: 1 inputs { key: 'x' value { data_type: TYPE_FP32 ";

    /** For each field with a meaning a configuration without it, and one with it. */
    private static final Map<String, List<String>> MEANT = Map.ofEntries(
            entry("name", List.of("name: 'm'", "name: 'other'")),
            entry("platform", List.of("", "platform: 'pytorch_libtorch'")),
            entry("backend", List.of("", "backend: 'pytorch'")),
            entry("runtime", List.of("", "runtime: 'libtriton_pytorch.so'")),
            entry(
                    "version_policy.latest.num_versions",
                    List.of("version_policy { latest { } }", "version_policy { latest { num_versions: 2 } }")),
            entry("version_policy.all", List.of("", "version_policy { all { } }")),
            entry(
                    "version_policy.specific.versions",
                    List.of(
                            "version_policy { specific { versions: 1 } }",
                            "version_policy { specific { versions: [ 1, 3 ] } }")),
            entry("max_batch_size", List.of("", "max_batch_size: 3")),
            entry("input.name", List.of("", "input { name: 'x' data_type: TYPE_FP32 dims: 1 }")),
            entry(
                    "input.data_type",
                    List.of("input { name: 'x' data_type: TYPE_FP32 }", "input { name: 'x' data_type: TYPE_FP16 }")),
            entry(
                    "input.format",
                    List.of(
                            "input { " + TENSOR + "dims: [ 3, 2, 2 ] }",
                            "input { " + TENSOR + "dims: [ 3, 2, 2 ] format: FORMAT_NCHW }")),
            entry("input.dims", List.of("input { " + TENSOR + "dims: 1 }", "input { " + TENSOR + "dims: -1 }")),
            entry(
                    "input.reshape.shape",
                    List.of(
                            "input { " + TENSOR + "dims: 1 }",
                            "input { " + TENSOR + "dims: 1 reshape { shape: [ 1, 1 ] } }")),
            entry("output.name", List.of("", "output { name: 'x' data_type: TYPE_FP32 dims: 1 }")),
            entry(
                    "output.data_type",
                    List.of(
                            "output { name: 'x' data_type: TYPE_FP32 }",
                            "output { name: 'x' data_type: TYPE_STRING }")),
            entry("output.dims", List.of("output { " + TENSOR + "dims: 1 }", "output { " + TENSOR + "dims: -1 }")),
            entry(
                    "output.reshape.shape",
                    List.of("output { " + TENSOR + "dims: 1 }", "output { " + TENSOR + "dims: 1 reshape { } }")),
            entry(
                    "output.label_filename",
                    List.of(
                            "output { " + TENSOR + "dims: 1 }",
                            "output { " + TENSOR + "dims: 1 label_filename: 'l' }")),
            entry(
                    "dynamic_batching.max_queue_delay_microseconds",
                    List.of("", "dynamic_batching { max_queue_delay_microseconds: 5 }")),
            entry(
                    "dynamic_batching.priority_levels",
                    List.of("", "dynamic_batching { priority_levels: 11 default_priority_level: 1 }")),
            entry(
                    "dynamic_batching.default_priority_level",
                    List.of(
                            "dynamic_batching { priority_levels: 3 default_priority_level: 1 }",
                            "dynamic_batching { priority_levels: 3 default_priority_level: 3 }")),
            entry(
                    "dynamic_batching.default_queue_policy.timeout_action",
                    List.of(
                            QUEUE + "default_timeout_microseconds: 5 } }",
                            QUEUE + "default_timeout_microseconds: 5 timeout_action: DELAY } }")),
            entry(
                    "dynamic_batching.default_queue_policy.default_timeout_microseconds",
                    List.of("", QUEUE + "default_timeout_microseconds: 5 } }")),
            entry(
                    "dynamic_batching.default_queue_policy.allow_timeout_override",
                    List.of(
                            QUEUE + "default_timeout_microseconds: 5 } }",
                            QUEUE + "default_timeout_microseconds: 5 allow_timeout_override: true } }")),
            entry("dynamic_batching.default_queue_policy.max_queue_size", List.of("", QUEUE + "max_queue_size: 5 } }")),
            entry("ensemble_scheduling.step.model_name", List.of("", STEP + "} }")),
            entry("ensemble_scheduling.step.model_version", List.of(STEP + "} }", STEP + "model_version: 3 } }")),
            entry(
                    "ensemble_scheduling.step.input_map",
                    List.of(STEP + "} }", STEP + "input_map { key: 'x' value: 'y' } } }")),
            entry(
                    "ensemble_scheduling.step.output_map",
                    List.of(STEP + "} }", STEP + "output_map { key: 'x' value: 'y' } } }")),
            entry("instance_group.count", List.of("", "instance_group { count: 3 }")),
            entry("default_model_filename", List.of("", "default_model_filename: 'net.onnx'")),
            entry("parameters.string_value", List.of("", "parameters { key: 'a' value { string_value: 'b' } }")),
            entry(
                    "model_warmup.name",
                    List.of(WARM_UP + "zero_data: true } } }", WARM_UP + "zero_data: true } } name: 'usual' }")),
            entry(
                    "model_warmup.batch_size",
                    List.of(
                            WARM_UP + "zero_data: true } } }",
                            WARM_UP.replace("batch_size: 1", "batch_size: 2") + "zero_data: true } } }")),
            entry(
                    "model_warmup.inputs.data_type",
                    List.of(
                            WARM_UP + "zero_data: true } } }",
                            WARM_UP.replace("FP32", "INT64") + "zero_data: true } } }")),
            entry(
                    "model_warmup.inputs.dims",
                    List.of(WARM_UP + "zero_data: true } } }", WARM_UP + "zero_data: true dims: 3 } } }")),
            entry("model_warmup.inputs.zero_data", List.of("", WARM_UP + "zero_data: true } } }")),
            entry(
                    "model_warmup.inputs.random_data",
                    List.of(WARM_UP + "zero_data: true } } }", WARM_UP + "random_data: true } } }")),
            entry(
                    "model_warmup.inputs.input_data_file",
                    List.of(WARM_UP + "zero_data: true } } }", WARM_UP + "input_data_file: 'x' } } }")),
            entry(
                    "model_warmup.count",
                    List.of(WARM_UP + "zero_data: true } } }", WARM_UP + "zero_data: true } } count: 2 }")));

    /** What a field needs beside it so that the rest of the configuration is right. */
    private static final Map<String, String> COMPANY = Map.of("ensemble_scheduling", "step { model_name: 'a' }");

    static Stream<List<String>> rows() throws IOException {
        String page = Files.readString(Path.of("docs/model-repository.md"));
        return ROW.matcher(page).results().map((MatchResult row) -> List.of(row.group(1), row.group(2)));
    }

    @Test
    void thePageHasEveryField() throws IOException {
        List<String> fields = new ArrayList<>();
        collect(TritonSchema.ROOT, "", fields);
        assertThat(rows().map(row -> row.get(0) + " " + row.get(1))).containsExactlyElementsOf(fields);
    }

    @ParameterizedTest
    @MethodSource("rows")
    void aFieldDoesWhatThePageSays(List<String> row) throws Exception {
        String path = row.get(0);
        switch (row.get(1)) {
            case "meant" -> {
                List<String> samples = MEANT.getOrDefault(path, List.of());
                assertThat(samples).hasSize(2);
                String without = outcome(samples.get(0));
                String with = outcome(samples.get(1));
                assertThat(with).isNotEqualTo(without).doesNotContain("is not supported");
                assertThat(without).startsWith("ModelConfig[");
            }
            case "ignored" -> {
                ModelConfig config = TritonConfig.parse(text(path), "m");
                assertThat(config.ignored()).containsExactly(path);
                assertThat(config.ignoring(List.of())).isEqualTo(TritonConfig.parse(withoutIt(path), "m"));
            }
            default ->
                assertThatThrownBy(() -> TritonConfig.parse(text(path), "m"))
                        .isInstanceOf(ModelConfigException.class)
                        .hasMessage("config.pbtxt: line 1: " + path + " is not supported");
        }
    }

    /** Those of a message; none of what is no message. */
    private static Map<String, FieldType> fields(String message) {
        return TritonSchema.messages().getOrDefault(message, Map.of());
    }

    private static String outcome(String text) {
        try {
            return TritonConfig.parse(text, "m").toString();
        } catch (ModelConfigException refused) {
            return refused.reason();
        }
    }

    /** Every field whose treatment is one for all that is in it. */
    private static void collect(String message, String path, List<String> into) {
        for (FieldType field : fields(message).values()) {
            Map<String, FieldType> inner = fields(field.type());
            if (field.treatment() == Treatment.MEANT && !inner.isEmpty()) {
                collect(field.type(), path + field.name() + ".", into);
            } else {
                into.add(path + field.name() + " " + field.treatment().name().toLowerCase(Locale.ROOT));
            }
        }
    }

    /** A configuration that says something in this field, and nothing else. */
    private static String text(String path) {
        return text(TritonSchema.ROOT, path);
    }

    private static String withoutIt(String path) {
        String root = path.split("\\.", 2)[0];
        return COMPANY.containsKey(root) ? root + " { " + COMPANY.get(root) + " }" : "";
    }

    private static String text(String message, String path) {
        String[] names = path.split("\\.", 2);
        FieldType field = Objects.requireNonNull(fields(message).get(names[0]));
        if (names.length > 1) {
            return names[0] + " { " + text(field.type(), names[1]) + " " + COMPANY.getOrDefault(names[0], "") + " }";
        }
        if (field.map()) {
            return names[0] + " { key: 'k' value: " + value(field.type()) + " }";
        }
        return names[0] + ": " + value(field.type());
    }

    private static String value(String type) {
        return switch (type) {
            case "string" -> "'s'";
            case "bool" -> "true";
            case "any" -> "{ }";
            default -> TritonSchema.isMessage(type) ? "{ }" : "1"; // also the second value of an enum
        };
    }
}
