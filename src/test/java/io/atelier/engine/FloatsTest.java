package io.atelier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.core.DataType;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class FloatsTest {
    private static final int PATTERNS = 1 << Short.SIZE;

    @ParameterizedTest
    @EnumSource(names = {"FP16", "BF16"})
    void readsEveryNumberOfSixteenBitsAsTheOneThatIsWrittenSo(DataType type) {
        ByteBuffer data = ByteBuffer.allocate(2 * PATTERNS).order(ByteOrder.LITTLE_ENDIAN);
        for (int bits = 0; bits < PATTERNS; bits++) {
            data.putShort((short) bits);
        }

        FloatBuffer floats = Floats.of(new Tensor("x", type, Shape.of(PATTERNS), data.flip()));

        assertThat(floats.remaining()).isEqualTo(PATTERNS);
        for (int bits = 0; bits < PATTERNS; bits++) {
            float value = floats.get(bits);
            if (!Float.isNaN(value) && value != 0) {
                assertThat(ElementBits.of(type, value) & 0xFFFF)
                        .as("%s of %x", value, bits)
                        .isEqualTo(bits);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "FP16, 3C00, 1", "FP16, C000, -2", "FP16, 7BFF, 65504", "FP16, 0001, 5.9604645E-8", "FP16, 03FF, 6.097555E-5",
        "FP16, 7C00, Infinity", "FP16, FC00, -Infinity", "FP16, 7E00, NaN", "FP16, 8000, -0.0",
                "FP16, 3555, 0.33325195",
        "BF16, 3F80, 1", "BF16, C000, -2", "BF16, 7F80, Infinity", "BF16, 7FC0, NaN", "BF16, 3EAB, 0.33398438"
    })
    void readsWhatTheStandardSays(DataType type, String bits, float value) {
        ByteBuffer data = ByteBuffer.allocate(2).order(ByteOrder.LITTLE_ENDIAN);
        data.putShort(0, (short) Integer.parseInt(bits, 16));

        assertThat(Floats.of(new Tensor("x", type, Shape.of(1), data)).get(0)).isEqualTo(Float.valueOf(value));
    }

    @Test
    void roundsDoubles() {
        ByteBuffer data = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putDouble(0, 0.1);

        assertThat(Floats.of(new Tensor("x", DataType.FP64, Shape.of(1), data)).get(0))
                .isEqualTo(0.1f);
    }

    @Test
    void refusesWhatIsNoFloatingPointNumber() {
        assertThatThrownBy(() -> Floats.of(new Tensor("x", DataType.INT8, Shape.of(1), ByteBuffer.allocate(1))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("x:INT8[1] holds no floating-point numbers");
    }
}
