package io.atelier.api.oip;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.core.DataType;
import io.atelier.core.InferenceResult;
import io.atelier.core.ModelId;
import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.serving.ModelView;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class TensorJsonPropertyTest {
    private static final int ROUNDS = 200;

    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            mode = EnumSource.Mode.EXCLUDE,
            names = {"FP16", "BF16"})
    void everyDatatypeSurvivesTheRoundTripNestedOrFlatInAnyOrderOfFields(DataType type) {
        for (int round = 0; round < ROUNDS; round++) {
            long seed = 31L * round + type.name().length();
            Random random = new Random(seed);
            Shape shape = shape(random);
            List<String> literals = new ArrayList<>();
            ByteBuffer expected = raw(type, (int) shape.elements().orElseThrow(), literals, random);
            String flat = "[" + String.join(",", literals) + "]";
            String nested = shape.rank() == 0 ? flat : nested(shape, 0, literals.iterator());

            Tensor fromFlat = read(type, shape, flat, random);
            Tensor fromNested = read(type, shape, nested, random);

            assertThat(fromFlat.data())
                    .as("flat, seed %d, shape %s", seed, shape)
                    .isEqualTo(expected);
            assertThat(fromNested.data())
                    .as("nested, seed %d, shape %s", seed, shape)
                    .isEqualTo(expected);
            Tensor again = read(type, shape, written(fromFlat), random);
            assertThat(again.data()).as("again, seed %d, shape %s", seed, shape).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void floatsAreRoundedOnceAsTheJdkDoes(long seed) {
        Random random = new Random(seed);
        int count = 25_000;
        List<String> literals = new ArrayList<>(count);
        for (int index = 0; index < count; index++) {
            literals.add(literal(random));
        }
        String data = "[" + String.join(",", literals) + "]";

        ByteBuffer floats = read(DataType.FP32, Shape.of(count), data, random).data();
        ByteBuffer doubles = read(DataType.FP64, Shape.of(count), data, random).data();

        for (String literal : literals) {
            assertThat(Float.floatToRawIntBits(floats.getFloat()))
                    .as("seed %d, float %s", seed, literal)
                    .isEqualTo(Float.floatToRawIntBits(Float.parseFloat(literal)));
            assertThat(Double.doubleToRawLongBits(doubles.getDouble()))
                    .as("seed %d, double %s", seed, literal)
                    .isEqualTo(Double.doubleToRawLongBits(Double.parseDouble(literal)));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void aDamagedBodyIsReadOrRefusedAndNothingElse(long seed) {
        Random random = new Random(seed);
        ModelView model = InferRequestReaderTest.single(DataType.FP32, Shape.of(-1, -1));
        byte[] whole =
                ("{\"id\":\"\\u00e9\",\"parameters\":{\"timeout\":15,\"priority\":1},\"inputs\":[{\"data\":[[1,-2.5e3],[\"NaN\",0]],"
                                + "\"name\":\"x\",\"shape\":[2,2],\"datatype\":\"FP32\"}],\"outputs\":[{\"name\":\"x\"}]}")
                        .getBytes(UTF_8);
        byte[] interesting = "{}[]\",:-.eE0129\\u \u0000\u0080".getBytes(StandardCharsets.ISO_8859_1);
        for (int round = 0; round < 50_000; round++) {
            byte[] damaged = whole.clone();
            for (int hit = 1 + random.nextInt(3); hit > 0; hit--) {
                damaged[random.nextInt(damaged.length)] = random.nextBoolean()
                        ? interesting[random.nextInt(interesting.length)]
                        : (byte) random.nextInt();
            }
            try {
                InferRequestReader.read(model, damaged, damaged.length - random.nextInt(2));
            } catch (InvalidInput refused) {
                assertThat(refused.detail()).isNotEmpty();
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed + ": " + new String(damaged, UTF_8), e);
            }
        }
    }

    /** Literals of every length, among them the middles between two floats and their nearest neighbours. */
    private static String literal(Random random) {
        float value = Float.intBitsToFloat(random.nextInt());
        if (!Float.isFinite(value) || Math.abs(value) > 1e38f) {
            value = random.nextFloat();
        }
        return switch (random.nextInt(7)) {
            case 0 -> Float.toString(value);
            case 1 -> Double.toString(value * (1 + random.nextDouble() * 1e-7));
            case 2 -> random.nextInt(2_000_000_000) + "." + (100_000 + random.nextInt(900_000));
            case 3 -> (random.nextBoolean() ? "-" : "") + new BigInteger(1 + random.nextInt(120), random);
            case 4 -> middle(value).toString();
            case 5 ->
                middle(value).multiply(new BigDecimal("1.00000000000000000001")).toString();
            default -> random.nextInt(1000) + "e" + (random.nextInt(70) - 40);
        };
    }

    private static BigDecimal middle(float value) {
        return new BigDecimal(value).add(new BigDecimal(Math.nextUp(value))).divide(BigDecimal.valueOf(2));
    }

    private static Shape shape(Random random) {
        long[] dimensions = new long[random.nextInt(4)];
        for (int axis = 0; axis < dimensions.length; axis++) {
            dimensions[axis] = random.nextInt(20) == 0 ? 0 : 1 + random.nextInt(5);
        }
        return Shape.of(dimensions);
    }

    private static ByteBuffer raw(DataType type, int elements, List<String> literals, Random random) {
        ByteBuffer out = ByteBuffer.allocate(64 * elements).order(ByteOrder.LITTLE_ENDIAN);
        for (int index = 0; index < elements; index++) {
            literals.add(element(type, out, random));
        }
        return out.flip();
    }

    private static String element(DataType type, ByteBuffer out, Random random) {
        long bits = random.nextInt(10) == 0 ? random.nextInt(3) - 1 : random.nextLong();
        switch (type) {
            case BOOL -> {
                out.put((byte) (bits & 1));
                return (bits & 1) == 1 ? "true" : "false";
            }
            case INT8, UINT8 -> {
                out.put((byte) bits);
                return Integer.toString(type == DataType.INT8 ? (byte) bits : Byte.toUnsignedInt((byte) bits));
            }
            case INT16, UINT16 -> {
                out.putShort((short) bits);
                return Integer.toString(type == DataType.INT16 ? (short) bits : Short.toUnsignedInt((short) bits));
            }
            case INT32, UINT32 -> {
                out.putInt((int) bits);
                return type == DataType.INT32 ? Integer.toString((int) bits) : Integer.toUnsignedString((int) bits);
            }
            case INT64 -> {
                out.putLong(bits);
                return Long.toString(bits);
            }
            case UINT64 -> {
                out.putLong(bits);
                return Long.toUnsignedString(bits);
            }
            case FP32 -> {
                float value = Float.intBitsToFloat((int) bits);
                out.putFloat(Float.isNaN(value) ? Float.NaN : value);
                return Float.isFinite(value) ? Float.toString(value) : '"' + Float.toString(value) + '"';
            }
            case FP64 -> {
                double value = Double.longBitsToDouble(bits);
                out.putDouble(Double.isNaN(value) ? Double.NaN : value);
                return Double.isFinite(value) ? Double.toString(value) : '"' + Double.toString(value) + '"';
            }
            case BYTES -> {
                StringBuilder text = new StringBuilder();
                StringBuilder escaped = new StringBuilder();
                for (int character = random.nextInt(6); character > 0; character--) {
                    int code = List.of((int) 'a', 0xE9, 0x4E2D, 0x1F600, (int) '"', 7)
                            .get(random.nextInt(6));
                    text.appendCodePoint(code);
                    boolean plain = code > 127 || code == 'a';
                    if (plain && random.nextBoolean()) {
                        escaped.appendCodePoint(code);
                    } else {
                        for (char unit : Character.toChars(code)) {
                            escaped.append("\\u%04x".formatted((int) unit));
                        }
                    }
                }
                byte[] bytes = text.toString().getBytes(UTF_8);
                out.putInt(bytes.length).put(bytes);
                return "\"" + escaped + "\"";
            }
            default -> throw new IllegalArgumentException(type.name());
        }
    }

    private static String nested(Shape shape, int axis, Iterator<String> literals) {
        List<String> parts = new ArrayList<>();
        for (long index = 0; index < shape.dimension(axis); index++) {
            parts.add(axis == shape.rank() - 1 ? literals.next() : nested(shape, axis + 1, literals));
        }
        return "[" + String.join(" , ", parts) + "]";
    }

    private static Tensor read(DataType type, Shape shape, String data, Random random) {
        List<String> fields = new ArrayList<>(List.of(
                "\"name\":\"x\"",
                "\"datatype\":\"" + type + "\"",
                "\"shape\":" + shape,
                "\"data\": " + data,
                "\"é\":[[1]]"));
        Collections.shuffle(fields, random);
        List<String> outer =
                new ArrayList<>(List.of("\"inputs\":[{" + String.join(", ", fields) + "}]", "\"id\":\"é\""));
        Collections.shuffle(outer, random);
        long[] any = new long[shape.rank()];
        Arrays.fill(any, Shape.DYNAMIC);
        ModelView model = InferRequestReaderTest.model(
                0,
                List.of(new TensorSpec("x", type, Shape.of(any))),
                List.of(new TensorSpec("y", type, Shape.of(any))));
        return InferRequestReaderTest.read(model, "{" + String.join(",", outer) + "}")
                .request()
                .inputs()
                .get(0);
    }

    private static String written(Tensor tensor) {
        String response = new String(
                InferResponseWriter.write(new InferenceResult(new ModelId("m", "1"), List.of(tensor)), "7"), UTF_8);
        String from = "\"data\":";
        return response.substring(response.indexOf(from) + from.length(), response.length() - "}]}".length());
    }
}
