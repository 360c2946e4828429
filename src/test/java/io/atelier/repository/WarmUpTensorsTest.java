package io.atelier.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.core.DataType;
import io.atelier.core.ModelSignature;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WarmUpTensorsTest {
    private static final ModelSignature ROWS = new ModelSignature(
            List.of(
                    new TensorSpec("x", DataType.FP32, Shape.of(-1, 2)),
                    new TensorSpec("s", DataType.BYTES, Shape.of(-1, 1))),
            List.of(new TensorSpec("y", DataType.FP32, Shape.of(-1, 2))));

    @TempDir
    Path folder;

    @Test
    void repeatsTheInputsAsOftenAsThereAreRows() throws Exception {
        Files.createDirectories(folder.resolve("warmup"));
        Files.write(folder.resolve("warmup/s.bin"), new byte[] {2, 0, 0, 0, 'a', 'b'});
        List<Tensor> tensors = tensors("""
                max_batch_size: 8
                model_warmup { batch_size: 3
                  inputs { key: "s" value: { data_type: TYPE_STRING dims: 1 input_data_file: "s.bin" } }
                  inputs { key: "x" value: { data_type: TYPE_FP32 dims: 2 random_data: true } } }
                """, ROWS);

        assertThat(tensors).extracting(Tensor::toString).containsExactly("x:FP32[3,2]", "s:BYTES[3,1]");
        assertThat(tensors.get(1).sizeBytes()).isEqualTo(18);
        float first = tensors.get(0).data().getFloat(0);
        assertThat(first).isBetween(0f, 1f).isEqualTo(tensors.get(0).data().getFloat(8));
    }

    @Test
    void withoutRowsTheShapeIsTheWholeOne() throws Exception {
        ModelSignature fixed = new ModelSignature(
                List.of(new TensorSpec("x", DataType.INT64, Shape.of(1, 2))),
                List.of(new TensorSpec("y", DataType.INT64, Shape.of(1, 2))));
        String input =
                "{ batch_size: 1 inputs { key: \"x\" value: { data_type: TYPE_INT64 dims: [ 1, 2 ] zero_data: true } } }";

        assertThat(tensors("model_warmup " + input, fixed))
                .extracting(Tensor::toString)
                .containsExactly("x:INT64[1,2]");
        assertThat(tensors("max_batch_size: 0 model_warmup " + input, fixed))
                .extracting(Tensor::toString)
                .containsExactly("x:INT64[1,2]");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "x | TYPE_FP32 dims: 2 zero_data: true | the warm-up 'w': input 's' is missing",
                "z | TYPE_FP32 dims: 2 zero_data: true | the warm-up 'w': the model has no input 'z', it has x, s",
                "x | TYPE_FP32 dims: 3 zero_data: true | the warm-up 'w': input 'x' is FP32[1,3], the model takes FP32[-1,2]",
                "x | TYPE_FP16 dims: 2 zero_data: true | the warm-up 'w': input 'x' is FP16[1,2], the model takes FP32[-1,2]",
                "x | TYPE_FP32 dims: 2 input_data_file: \"x.bin\" | the warm-up 'w': x.bin has 7 bytes, which are not 2 elements of FP32",
            })
    void refusesWhatDoesNotFitTheModel(String name, String input, String reason) throws Exception {
        Files.createDirectories(folder.resolve("warmup"));
        Files.write(folder.resolve("warmup/x.bin"), new byte[7]);
        String text = "max_batch_size: 8 model_warmup { name: \"w\" batch_size: 1 inputs { key: \"" + name
                + "\" value: { data_type: " + input + " } } }";
        assertThatThrownBy(() -> tensors(text, ROWS)).hasMessage(reason);
    }

    private List<Tensor> tensors(String config, ModelSignature signature) throws Exception {
        return WarmUpTensors.of(TritonConfig.parse(config, "m").warmUps().get(0), folder, signature);
    }
}
