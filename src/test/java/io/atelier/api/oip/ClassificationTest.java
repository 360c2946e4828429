package io.atelier.api.oip;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.api.ResponseBody;
import io.atelier.core.DataType;
import io.atelier.core.InferenceResult;
import io.atelier.core.ModelId;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.serving.ModelView;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ClassificationTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "2 | 1.1,3.3,0.5,2.4 | 3.3:1,2.4:3",
                "9 | 1.1,3.3 | 3.3:1,1.1:0",
                "3 | 1,1,1,1 | 1.0:0,1.0:1,1.0:2",
                "3 | NaN,-1,NaN,Infinity | Infinity:3,-1.0:1,NaN:0",
                "2 | -0.0,0.0 | -0.0:0,0.0:1",
            })
    void takesTheBestFirstAndTheLowerIndexOfEquals(int count, String scores, String best) {
        String[] texts = scores.split(",", -1);
        ByteBuffer data = ByteBuffer.allocate(texts.length * 4).order(ByteOrder.LITTLE_ENDIAN);
        for (String text : texts) {
            data.putFloat(Float.parseFloat(text));
        }

        Tensor classes = new Classification(count, false, List.of())
                .of(new Tensor("y", DataType.FP32, Shape.of(texts.length), data.flip()));

        assertThat(classes.dataType()).isEqualTo(DataType.BYTES);
        assertThat(classes.shape()).isEqualTo(Shape.of(best.split(",", -1).length));
        assertThat(String.join(",", elements(classes))).isEqualTo(best);
    }

    @Test
    void aClassWithANameIsNamed() {
        ByteBuffer data = ByteBuffer.allocate(3).put(new byte[] {1, 9, 3}).flip();
        Tensor scores = new Tensor("y", DataType.INT8, Shape.of(3), data);

        assertThat(elements(new Classification(3, false, List.of("chat", "brebis égarée")).of(scores)))
                .containsExactly("9:1:brebis égarée", "3:2", "1:0:chat");
    }

    @Test
    void eachRowHasItsOwn() {
        ByteBuffer data = ByteBuffer.allocate(12);
        data.put(new byte[] {1, 9, 3, 4, 5, 6, -1, 0, -2, -3, -4, -5}).flip();
        Tensor scores = new Tensor("y", DataType.INT8, Shape.of(2, 3, 2), data);

        Tensor rows = new Classification(2, true, List.of()).of(scores);
        assertThat(rows.shape()).isEqualTo(Shape.of(2, 2));
        assertThat(elements(rows)).containsExactly("9:1", "6:5", "0:1", "-1:0");

        Tensor whole = new Classification(2, false, List.of()).of(scores);
        assertThat(whole.shape()).isEqualTo(Shape.of(2));
        assertThat(elements(whole)).containsExactly("9:1", "6:5");
    }

    @ParameterizedTest
    @CsvSource({
        "INT8, FF01, 1:1|-1:0",
        "UINT8, FF01, 255:0|1:1",
        "INT16, FFFF0100, 1:1|-1:0",
        "UINT16, FFFF0100, 65535:0|1:1",
        "INT32, FFFFFFFF01000000, 1:1|-1:0",
        "UINT32, FFFFFFFF01000000, 4294967295:0|1:1",
        "INT64, FFFFFFFFFFFFFFFF0100000000000000, 1:1|-1:0",
        "UINT64, FFFFFFFFFFFFFFFF0100000000000000, 18446744073709551615:0|1:1",
        "FP16, 003C01BC, 1.0:0|-1.0009766:1",
        "FP16, 007C0100, Infinity:0|5.9604645E-8:1",
        "BF16, 803F00C0, 1.0:0|-2.0:1",
        "FP64, 9A9999999999B93F000000000000F0BF, 0.1:0|-1.0:1",
    })
    void ordersEveryNumberByItsOwnType(DataType type, String hex, String best) {
        ByteBuffer data = ByteBuffer.allocate(hex.length() / 2);
        for (int at = 0; at < hex.length(); at += 2) {
            data.put((byte) Integer.parseInt(hex.substring(at, at + 2), 16));
        }
        Tensor classes = new Classification(2, false, List.of()).of(new Tensor("y", type, Shape.of(2), data.flip()));
        assertThat(String.join("|", elements(classes))).isEqualTo(best);
    }

    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"BOOL", "BYTES"})
    void whatHasNoOrderIsRefused(DataType type) {
        ModelView model = InferRequestReaderTest.model(
                0,
                List.of(new TensorSpec("x", DataType.FP32, Shape.of(1))),
                List.of(new TensorSpec("y", type, Shape.of(1))));
        assertThatThrownBy(() -> InferRequestReaderTest.read(model, request("classification\":1")))
                .hasMessage("output 'y' is " + type + ", which has no best classes");
    }

    /** Also where the output itself travels in binary only. */
    @Test
    void comesInJsonOrBinaryAsAnyOutput() {
        ModelView model = InferRequestReaderTest.model(
                0,
                List.of(new TensorSpec("x", DataType.FP32, Shape.of(1))),
                List.of(new TensorSpec("y", DataType.FP16, Shape.of(2))));
        Tensor scores = new Tensor("y", DataType.FP16, Shape.of(2), ByteBuffer.wrap(new byte[] {0, 0x3C, 0, 0x40}));
        InferenceResult result = new InferenceResult(new ModelId("m", "1"), List.of(scores));

        ResponseBody json =
                InferResponseWriter.write(InferRequestReaderTest.read(model, request("classification\":1")), result);
        assertThat(text(json)).endsWith("{\"name\":\"y\",\"datatype\":\"BYTES\",\"shape\":[1],\"data\":[\"2.0:1\"]}]}");
        ResponseBody binary = InferResponseWriter.write(
                InferRequestReaderTest.read(model, request("classification\":1,\"binary_data\":true")), result);
        assertThat(text(binary)).endsWith("\"parameters\":{\"binary_data_size\":9}}]}\5\0\0\0" + "2.0:1");
    }

    private static String request(String parameters) {
        return "{\"inputs\":[{\"name\":\"x\",\"shape\":[1],\"datatype\":\"FP32\",\"data\":[1]}],"
                + "\"outputs\":[{\"name\":\"y\",\"parameters\":{\"" + parameters + "}}]}";
    }

    private static String text(ResponseBody body) {
        StringBuilder text = new StringBuilder();
        body.parts().forEach(part -> text.append(UTF_8.decode(part.duplicate())));
        return text.toString();
    }

    private static List<String> elements(Tensor tensor) {
        List<String> elements = new ArrayList<>();
        for (ByteBuffer data = tensor.data(); data.hasRemaining(); ) {
            byte[] text = new byte[data.getInt()];
            data.get(text);
            elements.add(new String(text, UTF_8));
        }
        return elements;
    }
}
