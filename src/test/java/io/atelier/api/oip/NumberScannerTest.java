package io.atelier.api.oip;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.core.DataType;
import io.atelier.core.Shape;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NumberScannerTest {
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void readsFloatsAsTheJdkDoes(long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < 200_000; i++) {
            String literal = literal(random);
            ByteBuffer single = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
            ByteBuffer both = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);

            assertThat(scan(literal + "]", DataType.FP32, Shape.of(1), single))
                    .as(literal)
                    .isEqualTo(literal.length());
            assertThat(scan(literal + "]", DataType.FP64, Shape.of(1), both))
                    .as(literal)
                    .isEqualTo(literal.length());

            assertThat(single.getInt(0)).as(literal).isEqualTo(Float.floatToRawIntBits(Float.parseFloat(literal)));
            assertThat(both.getLong(0)).as(literal).isEqualTo(Double.doubleToRawLongBits(Double.parseDouble(literal)));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "1,2,3] | 3 | 5",
                "1 ,\t2, 3 ]]} | 3 | 9",
                "[1,2],[3,4]] | 2,2 | 11",
                "[ [1] , [2] ] , [ [3] , [4] ] ] | 2,2,1 | 30",
                "[],[]] | 2,0 | 5",
                "] | 0 | 0",
                "7] |  | 1",
            })
    void readsListsFlatOrNested(String text, String shape, int closing) {
        Shape wanted = shape(shape == null ? "" : shape);
        ByteBuffer out =
                ByteBuffer.allocate((int) wanted.elements().orElseThrow() * 4).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(text.charAt(closing)).isEqualTo(']');
        assertThat(scan(text, DataType.INT32, wanted, out)).isEqualTo(closing);
        for (int i = 0; i < out.capacity() / 4; i++) {
            assertThat(out.getInt(i * 4)).isEqualTo(shape == null ? 7 : i + 1);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "]",
                "1",
                "1]",
                "1,",
                "1,]",
                "1,2",
                "1,2,]",
                "1,2,3]",
                "1 2]",
                ",1,2]",
                "01,2]",
                "-01,2]",
                "+1,2]",
                "--1,2]",
                "-,2]",
                "1.,2]",
                ".5,2]",
                "1e,2]",
                "1e+,2]",
                "1e5.,2]",
                "0x1,2]",
                "1f,2]",
                "NaN,2]",
                "\"NaN\",2]",
                "null,2]",
                "true,2]",
                "1e39,2]",
                "1e99999999999,2]",
                "[1,2]]",
                "[[1],[2]]",
                "1,[2]]",
                "1\u00002]",
                "é,2]",
            })
    void givesUpAtAnythingElse(String text) {
        assertThat(scan(text, DataType.FP32, Shape.of(2), ByteBuffer.allocate(8)))
                .isEqualTo(NumberScanner.GIVEN_UP);
        assertThat(scan("[" + text + "]", DataType.FP32, Shape.of(1, 2), ByteBuffer.allocate(8)))
                .isEqualTo(NumberScanner.GIVEN_UP);
    }

    @ParameterizedTest
    @CsvSource({
        "INT8, -128, 127, -129, 128",
        "UINT8, 0, 255, -1, 256",
        "INT16, -32768, 32767, -32769, 32768",
        "UINT16, 0, 65535, -1, 65536",
        "INT32, -2147483648, 2147483647, -2147483649, 2147483648",
        "UINT32, 0, 4294967295, -1, 4294967296",
        "INT64, -9223372036854775807, 9223372036854775807, -9223372036854775809, 9223372036854775808",
    })
    void readsIntegersOfTheWholeRange(DataType type, String min, String max, String below, String above) {
        int size = type.sizeBytes();
        ByteBuffer out = ByteBuffer.allocate(2 * size);
        assertThat(scan(min + "," + max + "]", type, Shape.of(2), out)).isPositive();
        for (String outside : new String[] {below, above, "1.0", "1e0", "00"}) {
            assertThat(scan(outside + "]", type, Shape.of(1), ByteBuffer.allocate(size)))
                    .isEqualTo(NumberScanner.GIVEN_UP);
        }
    }

    @Test
    void doesNotReadBehindItsEnd() {
        byte[] bytes = "12,34]".getBytes(UTF_8);
        for (int end = 0; end < bytes.length; end++) {
            assertThat(NumberScanner.scan(bytes, 0, end, DataType.INT8, Shape.of(2), ByteBuffer.allocate(2)))
                    .isEqualTo(NumberScanner.GIVEN_UP);
        }
    }

    /** Every length, and decimals so near the middle between two floats that only their last digit decides. */
    private static String literal(Random random) {
        float value = Float.intBitsToFloat(random.nextInt());
        if (!Float.isFinite(value) || Math.abs(value) > 1e38f) {
            value = random.nextFloat();
        }
        BigDecimal middle =
                new BigDecimal(value).add(new BigDecimal(Math.nextUp(value))).divide(BigDecimal.valueOf(2));
        return switch (random.nextInt(6)) {
            case 0 -> Float.toString(value);
            case 1 -> Double.toString(value);
            case 2 -> Double.toString(random.nextGaussian());
            case 3 -> middle.toString();
            case 4 -> middle.round(new MathContext(10 + random.nextInt(12))).toString();
            default -> random.nextInt(100_000) + "." + random.nextInt(1_000_000_000) + "e-" + random.nextInt(30);
        };
    }

    private static Shape shape(String text) {
        String[] parts = text.isEmpty() ? new String[0] : text.split(",", -1);
        long[] dimensions = new long[parts.length];
        for (int i = 0; i < parts.length; i++) {
            dimensions[i] = Long.parseLong(parts[i]);
        }
        return Shape.of(dimensions);
    }

    private static int scan(String text, DataType type, Shape shape, ByteBuffer out) {
        byte[] bytes = text.getBytes(UTF_8);
        return NumberScanner.scan(bytes, 0, bytes.length, type, shape, out.order(ByteOrder.LITTLE_ENDIAN));
    }
}
