package io.atelier.repository;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.repository.ModelRepository.BrokenFolder;
import io.atelier.repository.ModelRepository.Scan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Where the file of a model may lie. */
class ModelLayoutTest {
    @TempDir
    Path root;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "1/model.onnx | 1/model.onnx",
                "1/other.onnx | 1/other.onnx",
                "model.onnx | model.onnx",
                "any-name.onnx | any-name.onnx",
                "onnx/model.onnx | onnx/model.onnx",
                "onnx/model.onnx onnx/model_quantized.onnx onnx/model_fp16.onnx | onnx/model.onnx",
                "onnx/model.onnx onnx/model.onnx_data model.onnx | onnx/model.onnx",
                "onnx/model_quantized.onnx | onnx/model_quantized.onnx",
                "1/model.onnx onnx/model_fp16.onnx onnx/model_q4.onnx | 1/model.onnx",
                "model.pt | model.pt",
            })
    void takesTheUsualFileOrTheOnlyOne(String files, String taken) throws Exception {
        for (String file : files.split(" ", -1)) {
            write("m/" + file, "");
        }

        assertThat(taken()).isEqualTo(taken);
    }

    @Test
    void saysWhichFileItTookWhereItHadToLook() throws Exception {
        write("m/onnx/model_quantized.onnx", "");

        assertThat(scan().models().get(0).inferred())
                .containsEntry("file", "onnx/model_quantized.onnx (the only model file)");
        assertThat(scan().models().get(0).id()).hasToString("m/1");
    }

    @Test
    void takesTheFileThatItsOwnerNames() throws Exception {
        write("m/onnx/model.onnx", "");
        write("m/onnx/model_quantized.onnx", "");
        write("m/model.yaml", "file: onnx/model_quantized.onnx");
        assertThat(taken()).isEqualTo("onnx/model_quantized.onnx");

        write("m/model.yaml", "file: onnx/model_q4.onnx");
        assertBroken("has no onnx/model_q4.onnx, model files there are: onnx/model.onnx, onnx/model_quantized.onnx");

        write("m/model.yaml", "file: ../other/model.onnx");
        assertBroken("model.yaml: file is the text \"../other/model.onnx\","
                + " allowed is the path of a file in the model's folder");
    }

    @Test
    void takesTheFileThatItsOwnerNamesInAVersion() throws Exception {
        write("m/1/model.onnx", "");
        write("m/1/small.onnx", "");
        write("m/model.yaml", "file: small.onnx");

        assertThat(taken()).isEqualTo("1/small.onnx");
    }

    @Test
    void doesNotChooseAmongFilesOfWhichNoneIsUsual() throws Exception {
        write("m/onnx/encoder_model.onnx", "");
        write("m/onnx/decoder_model.onnx", "");

        assertBroken("has several model files, name one as file in model.yaml:"
                + " onnx/decoder_model.onnx, onnx/encoder_model.onnx");
    }

    @Test
    void aFileWithoutAFolderIsAModel() throws Exception {
        write("solo.onnx", "");
        write("m/1/model.onnx", "");
        write("m.onnx", "");
        write("model.onnx", "");
        write("notes.txt", "");
        ModelRepository repository = new ModelRepository(root);

        assertThat(repository.names()).containsExactly("m", "model", "solo");
        assertThat(repository.scan().models())
                .extracting(model -> root.relativize(model.file()).toString())
                .containsExactly("m/1/model.onnx", "model.onnx", "solo.onnx");
        assertThat(repository
                        .scan("solo", Optional.of("{\"instances\": 2}"))
                        .orElseThrow()
                        .models()
                        .get(0)
                        .config()
                        .instances())
                .contains(2);
    }

    @ParameterizedTest
    @CsvSource({"config.json", "tokenizer.json", "modules.json", "preprocessor_config.json"})
    void theRepositoryMayBeTheFolderOfOneModel(String beside) throws Exception {
        write("bert/" + beside, "{}");
        write("bert/onnx/model.onnx", "");
        ModelRepository repository = new ModelRepository(root.resolve("bert"));

        assertThat(repository.names()).containsExactly("bert");
        assertThat(repository.scan().models())
                .extracting(model -> model.id().toString())
                .containsExactly("bert/1");
        assertThat(repository.scan("bert", Optional.empty())).isPresent();
        assertThat(repository.scan("onnx", Optional.empty())).isEmpty();
    }

    @Test
    void aFolderOfModelsMayHoldAFileOfAnyName() throws Exception {
        write("a/1/model.onnx", "");
        write("b/onnx/model.onnx", "");
        write("config.json", "{}");

        assertThat(new ModelRepository(root).names()).containsExactly("a", "b");
    }

    private String taken() throws Exception {
        assertThat(scan().broken()).isEmpty();
        assertThat(scan().models()).hasSize(1);
        return root.resolve("m").relativize(scan().models().get(0).file()).toString();
    }

    private void assertBroken(String reason) throws Exception {
        assertThat(scan().broken()).containsExactly(new BrokenFolder("m", reason));
    }

    private Scan scan() throws Exception {
        return new ModelRepository(root).scan();
    }

    private void write(String path, String text) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }
}
