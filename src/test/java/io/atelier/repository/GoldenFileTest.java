package io.atelier.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.core.DataType;
import io.atelier.core.ModelSignature;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.engine.GoldenSample;
import io.atelier.engine.ModelLoadException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GoldenFileTest {
    private static final ModelSignature SIGNATURE = new ModelSignature(
            List.of(
                    new TensorSpec("a", DataType.FP32, Shape.of(-1, 2), List.of("batch", "")),
                    new TensorSpec("b", DataType.INT64, Shape.of(-1, 1), List.of("batch", ""))),
            List.of(new TensorSpec("y", DataType.FP32, Shape.of(-1, 2), List.of("batch", ""))));

    private static final String A = "{'name':'a','datatype':'FP32','shape':[1,2],'data':[0.5,-1]}";
    private static final String B = "{'name':'b','datatype':'INT64','shape':[1,1],'data':[9007199254740993]}";
    private static final String Y = "{'name':'y','datatype':'FP32','shape':[1,2],'data':[1,100]}";

    @TempDir
    Path folder;

    @Test
    void readsTheQuestionInTheModelsOrderAndItsAnswer() throws Exception {
        GoldenSample sample = read("{'inputs':[" + B + "," + A + "],'outputs':[" + Y + "]}");

        assertThat(sample.inputs()).hasToString("[a:FP32[1,2], b:INT64[1,1]]");
        assertThat(sample.inputs().get(0).data().getFloat(4)).isEqualTo(-1);
        assertThat(sample.inputs().get(1).data().getLong(0)).isEqualTo(9_007_199_254_740_993L);
    }

    /** A hundredth of one and the number's size. */
    @ParameterizedTest
    @CsvSource({"1, 100, true", "1.019, 101, true", "1.021, 100, false", "1, 101.02, false", "NaN, 100, false"})
    void anAnswerMayDifferByTheTolerance(float first, float second, boolean right) throws Exception {
        GoldenSample sample = read("{'inputs':[" + A + "," + B + "],'outputs':[" + Y + "]}");

        assertThat(sample.isAnsweredBy(List.of(answer(first, second)))).isEqualTo(right);
        assertThat(sample.isAnsweredBy(List.of())).isFalse();
    }

    @Test
    void aWrongAnswerIsToldFromTheRightOne() throws Exception {
        GoldenSample sample = read("{'inputs':[" + A + "," + B + "],'outputs':[" + Y + "]}");

        assertThat(sample.difference(List.of(answer(1, 102))))
                .contains("output 'y' element 1 is 102.0, not 100.0 within golden.tolerance 0.01");
        assertThat(sample.difference(List.of())).contains("it has no output 'y'");
        assertThat(sample.difference(List.of(answer(1, 100)))).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{ | golden.json cannot be read as JSON",
                "{} | golden.json has no input a",
                "{'inputs':[A],'outputs':[Y]} | golden.json has no input b",
                "{'inputs':[A,B,Y],'outputs':[Y]} | golden.json names tensors that the model does not have, or none: [a, b, y]",
                "{'inputs':[A,B],'outputs':[]} | golden.json names tensors that the model does not have, or none: []",
                "{'inputs':[A,B],'outputs':[A]} | golden.json names tensors that the model does not have, or none: [a]",
            })
    void refusesWhatIsNoQuestionToThisModel(String text, String reason) {
        assertThatThrownBy(() -> read(text.replace("A", A).replace("B", B).replace("Y", Y)))
                .isInstanceOf(ModelLoadException.class)
                .hasMessage(reason);
    }

    @ParameterizedTest
    @CsvSource({"FP32, INT64, '[1,2]', '[0,1]'", "FP32, FP32, '[1,3]', '[0,1,2]'", "FP32, FP32, '[1,2]', '[0]'"})
    void refusesATensorOfAnotherTypeOrShape(String expected, String type, String shape, String data) {
        String tensor = "{'name':'a','datatype':'%s','shape':%s,'data':%s}".formatted(type, shape, data);
        assertThatThrownBy(() -> read("{'inputs':[" + tensor + "," + B + "],'outputs':[" + Y + "]}"))
                .isInstanceOf(ModelLoadException.class)
                .hasMessage("golden.json: a is not " + expected + "[-1,2] with as many numbers as its shape says");
    }

    private GoldenSample read(String text) throws Exception {
        Path file = Files.writeString(folder.resolve("golden.json"), text.replace('\'', '"'));
        return GoldenFile.read(file, SIGNATURE, 0.01);
    }

    private static Tensor answer(float first, float second) {
        ByteBuffer data = ByteBuffer.allocateDirect(8).order(ByteOrder.LITTLE_ENDIAN);
        return new Tensor(
                "y",
                DataType.FP32,
                Shape.of(1, 2),
                data.putFloat(first).putFloat(second).flip());
    }
}
