package io.atelier.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.core.DataType;
import io.atelier.core.ModelId;
import io.atelier.core.Shape;
import io.atelier.core.TensorSpec;
import io.atelier.repository.EnsembleConfig.Step;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Ensembles as folders write them down, in our words and in Triton's. */
class EnsembleConfigTest {
    private static final String YAML = """
            timeout: 2s
            ensemble:
              steps:
                - model: detect
                  version: 3
                  inputs: {image: raw}
                  outputs: {crops: faces}
                - model: embed
              inputs:
                - {name: raw, datatype: UINT8, shape: [-1, 224, 224, 3]}
              outputs:
                - {name: faces, datatype: FP32, shape: [-1]}
            """;

    private static final String TRITON = """
            name: "faces"
            platform: "ensemble"
            max_batch_size: 8
            input [ { name: "raw" data_type: TYPE_UINT8 dims: [ 224, 224, 3 ] } ]
            output [ { name: "names" data_type: TYPE_STRING dims: [ -1 ] } ]
            ensemble_scheduling {
              step [
                {
                  model_name: "detect"
                  model_version: 3
                  input_map { key: "image" value: "raw" }
                  output_map { key: "crops" value: "faces" }
                },
                {
                  model_name: "embed"
                  model_version: -1
                  input_map { key: "x" value: "faces" }
                  output_map { key: "y" value: "names" }
                }
              ]
            }
            """;

    @TempDir
    Path root;

    @Test
    void readsModelYaml() throws Exception {
        assertThat(ModelYaml.parse(YAML).ensemble())
                .contains(new EnsembleConfig(
                        List.of(
                                new Step("detect", Optional.of("3"), Map.of("image", "raw"), Map.of("crops", "faces")),
                                new Step("embed", Optional.empty(), Map.of(), Map.of())),
                        List.of(new TensorSpec("raw", DataType.UINT8, Shape.of(-1, 224, 224, 3))),
                        List.of(new TensorSpec("faces", DataType.FP32, Shape.of(-1)))));
    }

    @Test
    void readsTritonsConfiguration() throws Exception {
        ModelConfig config = TritonConfig.parse(TRITON, "faces");

        assertThat(config.ensemble())
                .contains(new EnsembleConfig(
                        List.of(
                                new Step("detect", Optional.of("3"), Map.of("image", "raw"), Map.of("crops", "faces")),
                                new Step("embed", Optional.empty(), Map.of("x", "faces"), Map.of("y", "names"))),
                        List.of(new TensorSpec("raw", DataType.UINT8, Shape.of(-1, 224, 224, 3))),
                        List.of(new TensorSpec("names", DataType.BYTES, Shape.of(-1, -1)))));
        assertThat(config.ignored()).isEmpty();
    }

    @Test
    void anEnsembleNeedsNoVersionAndNoFile() throws Exception {
        Files.createDirectory(root.resolve("faces"));
        Files.writeString(root.resolve("faces/model.yaml"), YAML);
        Files.createDirectories(root.resolve("old/2"));
        Files.writeString(root.resolve("old/config.pbtxt"), TRITON.replace("\"faces\"\nplatform", "\"old\"\nplatform"));

        ModelRepository.Scan scan = new ModelRepository(root).scan();

        assertThat(scan.broken()).isEmpty();
        assertThat(scan.models()).isEmpty();
        assertThat(scan.ensembles())
                .extracting(EnsembleDefinition::id)
                .containsExactly(new ModelId("faces", "1"), new ModelId("old", "2"));
        assertThat(scan.ensembles())
                .extracting(EnsembleDefinition::timeout)
                .containsExactly(Optional.of(Duration.ofSeconds(2)), Optional.empty());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{} | ensemble.steps is missing, allowed is a list of mappings",
                "{steps: []} | ensemble.steps is missing, allowed is a list of mappings",
                "{steps: 1} | ensemble.steps is the number 1, allowed is a list of mappings",
                "{steps: [a]} | ensemble.steps is the text \"a\", allowed is a list of mappings",
                "{steps: [{}]} | ensemble.steps[0].model is missing, allowed is a name",
                "{steps: [{model: a, inputs: b}]} | ensemble.steps[0].inputs is the text \"b\", allowed is a mapping of"
                        + " names to names",
                "{steps: [{model: a, inputs: {b: 1}}]} | ensemble.steps[0].inputs.b is the number 1, allowed is a name",
                "{steps: [{model: a, input: {}}]} | ensemble.steps[0].input is unknown, allowed are model, version,"
                        + " inputs, outputs",
                "{steps: [{model: a}], inputs: [{name: b}]} | ensemble.inputs[0].datatype is missing, allowed is a"
                        + " datatype such as FP32",
                "{steps: [{model: a}], inputs: [{name: b, datatype: FLOAT}]} | ensemble.inputs[0].datatype is the text"
                        + " \"FLOAT\", allowed is a datatype such as FP32",
                "{steps: [{model: a}], outputs: [{name: b, datatype: FP32, shape: [-2]}]} | ensemble.outputs[0].shape is"
                        + " the number -2, allowed is a list of integers of at least -1",
                "{steps: [{model: a}], outputs: [{name: b, datatype: FP32}, {name: b, datatype: FP32}]} |"
                        + " ensemble.outputs has 'b' twice",
            })
    void refusesWhatIsNotOne(String ensemble, String reason) {
        assertThatThrownBy(() -> ModelYaml.parse("ensemble: " + ensemble))
                .isInstanceOf(ModelConfigException.class)
                .hasMessage("model.yaml: " + reason);
    }

    @ParameterizedTest
    @ValueSource(strings = {"batching: {}", "instances: 2", "golden: {}", "share: {weight: 2}"})
    void refusesWhatBelongsToItsModels(String key) {
        assertThatThrownBy(() -> ModelYaml.parse(key + "\nensemble: {steps: [{model: a}]}"))
                .hasMessage("model.yaml: " + key.split(":", 2)[0]
                        + " has no meaning beside ensemble, its models have their own; allowed are timeout, versions");
    }

    @Test
    void anEnsembleHasLabelsAndParametersOfItsOwn(@TempDir Path root) throws Exception {
        Path folder = Files.createDirectories(root.resolve("faces"));
        Files.writeString(folder.resolve("names.txt"), "ann\nbob\n");
        Files.writeString(
                folder.resolve("config.pbtxt"),
                TRITON.replace("dims: [ -1 ] }", "dims: [ -1 ] label_filename: \"names.txt\" }")
                        + "parameters { key: \"a\" value { string_value: \"b\" } }");

        EnsembleDefinition ensemble =
                new ModelRepository(root).scan().ensembles().get(0);

        assertThat(ensemble.labels()).containsOnly(Map.entry("names", List.of("ann", "bob")));
        assertThat(ensemble.declaration().parameters()).containsOnly(Map.entry("a", "b"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "ensemble_scheduling { step { } } | line 1: ensemble_scheduling.step.model_name is missing, allowed is a name",
                "ensemble_scheduling { step { model_name: 'a' input_map { key: 'x' } } } | line 1: ensemble_scheduling.step.input_map"
                        + " has an entry without key or value",
                "ensemble_scheduling { step { model_name: 'a' } } instance_group { } | line 1: instance_group is not supported"
                        + " beside ensemble_scheduling",
                "platform: 'onnxruntime_onnx' ensemble_scheduling { step { model_name: 'a' } } | line 1: platform is"
                        + " \"onnxruntime_onnx\", allowed beside ensemble_scheduling is \"ensemble\"",
                "input { name: 'x' data_type: TYPE_INVALID } ensemble_scheduling { step { model_name: 'a' } } |"
                        + " line 1: input.data_type is missing, allowed is one such as TYPE_FP32",
            })
    void refusesWhatTritonWouldRefuse(String text, String reason) {
        assertThatThrownBy(() -> TritonConfig.parse(text, "m")).hasMessage("config.pbtxt: " + reason);
    }
}
