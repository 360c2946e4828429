package io.atelier.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.core.DataType;
import io.atelier.core.DeviceId;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ToleranceTest {
    private static final Tolerance CPU = Tolerance.on(DeviceId.cpu(0));

    @ParameterizedTest
    @CsvSource({
        "FP32, 100.009, true",
        "FP32, 100.011, false",
        "FP64, 100.00000009, true",
        "FP64, 100.00000011, false",
        "FP16, 100.375, true",
        "FP16, 100.5, false",
        "BF16, 102.5, true",
        "BF16, 104, false",
        "INT32, 101, false",
        "INT32, 100, true",
    })
    void allowsAPartOfTheLargestNumber(DataType type, double other, boolean same) {
        assertThat(CPU.same(tensor(type, 100, 0), tensor(type, other, 0))).isEqualTo(same);
        assertThat(CPU.same(tensor(type, 100, 0), tensor(type, 100, type == DataType.INT32 ? other - 100 : 0)))
                .isEqualTo(type != DataType.INT32 || same);
    }

    @Test
    void aGpuMayDifferByTheBitsOfTf32() {
        Tolerance gpu = Tolerance.on(DeviceId.gpu(0));

        assertThat(gpu.same(tensor(DataType.FP32, 100), tensor(DataType.FP32, 100.3)))
                .isTrue();
        assertThat(gpu.same(tensor(DataType.FP32, 100), tensor(DataType.FP32, 100.5)))
                .isFalse();
    }

    @Test
    void whatIsNoNumberIsTheSameOnlyAsItself() {
        Tensor nan = tensor(DataType.FP32, Double.NaN, Double.POSITIVE_INFINITY, 1);

        assertThat(CPU.same(nan, tensor(DataType.FP32, Double.NaN, Double.POSITIVE_INFINITY, 1.00001)))
                .isTrue();
        assertThat(CPU.same(nan, tensor(DataType.FP32, 0, Double.POSITIVE_INFINITY, 1)))
                .isFalse();
        assertThat(CPU.same(nan, tensor(DataType.FP32, Double.NaN, Double.NEGATIVE_INFINITY, 1)))
                .isFalse();
    }

    @Test
    void anotherShapeOrTypeIsAnotherAnswer() {
        Tensor two = tensor(DataType.FP32, 1, 2);

        assertThat(CPU.same(two, new Tensor("x", DataType.FP32, Shape.of(1, 2), two.data())))
                .isFalse();
        assertThat(CPU.same(two, new Tensor("x", DataType.INT32, Shape.of(2), two.data())))
                .isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "FP16, 1.5",
        "FP16, -0.00006103515625",
        "FP16, 0.000000059604644775390625",
        "FP16, 65504",
        "BF16, -3.140625"
    })
    void readsWhatItWrote(DataType type, double number) {
        assertThat(ElementBits.ofHalf(type, (short) ElementBits.of(type, number)))
                .isEqualTo(number);
    }

    private static Tensor tensor(DataType type, double... numbers) {
        ByteBuffer data = ByteBuffer.allocate(numbers.length * type.sizeBytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (double number : numbers) {
            ElementBits.put(data, type, number);
        }
        return new Tensor("x", type, Shape.of(numbers.length), data.flip());
    }
}
