package io.atelier.api.oip;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.api.ReceivedBody;
import io.atelier.api.ResponseBody;
import io.atelier.core.DataType;
import io.atelier.core.InferenceResult;
import io.atelier.core.ModelId;
import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.serving.ModelView;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The binary tensor data extension, read and written without HTTP. */
class BinaryInferTest {
    private static final ModelView TWO = InferRequestReaderTest.model(
            4,
            List.of(
                    new TensorSpec("a", DataType.FP32, Shape.of(-1, -1)),
                    new TensorSpec("b", DataType.FP32, Shape.of(-1, -1))),
            List.of(
                    new TensorSpec("y", DataType.FP32, Shape.of(-1, -1)),
                    new TensorSpec("half", DataType.FP16, Shape.of(-1, -1)),
                    new TensorSpec("text", DataType.BYTES, Shape.of(-1, -1))));

    @ParameterizedTest
    @EnumSource(DataType.class)
    void everyDatatypeSurvivesInWhateverPiecesItComes(DataType type) {
        ModelView model = InferRequestReaderTest.single(type, Shape.of(-1, -1));
        for (long seed = 0; seed < 50; seed++) {
            Random random = new Random(seed);
            int columns = 1 + random.nextInt(40);
            byte[] raw = raw(type, 2 * columns, random);
            String json =
                    "{\"id\":\"é\",\"inputs\":[{\"name\":\"x\",\"shape\":[2," + columns + "],\"datatype\":\"" + type
                            + "\",\"parameters\":{\"binary_data_size\":" + raw.length
                            + "}}],\"parameters\":{\"binary_data_output\":true}}";

            PredictRequest predict = read(model, json, pieces(join(json, raw), random));
            Tensor input = predict.request().inputs().get(0);
            assertThat(input.shape()).isEqualTo(Shape.of(2, columns));
            assertThat(input.data()).as("seed %d", seed).isEqualTo(ByteBuffer.wrap(raw));

            ResponseBody response =
                    InferResponseWriter.write(predict, new InferenceResult(new ModelId("m", "1"), List.of(input)));
            String head = "{\"model_name\":\"m\",\"model_version\":\"1\",\"id\":\"é\",\"outputs\":[{\"name\":\"x\","
                    + "\"datatype\":\"" + type + "\",\"shape\":[2," + columns
                    + "],\"parameters\":{\"binary_data_size\":" + raw.length + "}}]}";
            assertThat(bytes(response)).isEqualTo(join(head, raw));
            assertThat(response.mediaType()).isEqualTo("application/octet-stream");
            assertThat(response.headers())
                    .containsEntry("Inference-Header-Content-Length", "" + head.getBytes(UTF_8).length);
        }
    }

    @Test
    void numbersAreNotCopied() {
        byte[] json = ("{\"inputs\":[" + input("a", "[1,2]", 8) + "," + input("b", "[1,2]", 8)
                        + "],\"outputs\":[{\"name\":\"y\"}]}")
                .getBytes(UTF_8);
        ByteBuffer body = ByteBuffer.allocate(json.length + 16).put(json);
        body.order(ByteOrder.LITTLE_ENDIAN)
                .putFloat(1)
                .putFloat(2)
                .putFloat(3)
                .putFloat(4)
                .flip();
        ReceivedBody received = new ReceivedBody(List.of(body), System.nanoTime());

        PredictRequest predict = InferRequestReader.read(
                TWO, received.first(json.length), json.length, new BinarySection(received.after(json.length)));

        assertThat(received.first(json.length)).isSameAs(body.array());
        body.putFloat(json.length + 8, 30);
        assertThat(predict.request().inputs().get(1).data().getFloat()).isEqualTo(30);
    }

    @Test
    void jsonAndBinaryMixInBothDirections() {
        String json = "{\"inputs\":[{\"name\":\"a\",\"shape\":[1,2],\"datatype\":\"FP32\",\"data\":[0.5,-1]},"
                + input("b", "[1,2]", 8)
                + "],\"parameters\":{\"binary_data_output\":true},\"outputs\":[{\"name\":\"text\"},"
                + "{\"name\":\"y\",\"parameters\":{\"binary_data\":false}},{\"name\":\"half\"}]}";
        byte[] two = floats(3, 4);

        PredictRequest predict = read(TWO, json, List.of(join(json, two)));

        assertThat(predict.request().inputs().get(0).data().getFloat(4)).isEqualTo(-1);
        assertThat(predict.request().inputs().get(1).data()).isEqualTo(ByteBuffer.wrap(two));
        assertThat(predict.request().outputs()).containsExactly("text", "y", "half");
        Tensor text = new Tensor("text", DataType.BYTES, Shape.of(1, 1), ByteBuffer.wrap(new byte[] {1, 0, 0, 0, 'z'}));
        Tensor y = new Tensor("y", DataType.FP32, Shape.of(1, 2), ByteBuffer.wrap(floats(0.1f, 2)));
        Tensor half = new Tensor("half", DataType.FP16, Shape.of(1, 1), ByteBuffer.wrap(new byte[] {0, 0x3C}));
        ResponseBody response =
                InferResponseWriter.write(predict, new InferenceResult(new ModelId("m", "1"), List.of(text, y, half)));
        assertThat(new String(bytes(response), UTF_8))
                .isEqualTo("{\"model_name\":\"m\",\"model_version\":\"1\",\"outputs\":["
                        + "{\"name\":\"text\",\"datatype\":\"BYTES\",\"shape\":[1,1],\"parameters\":{\"binary_data_size\":5}},"
                        + "{\"name\":\"y\",\"datatype\":\"FP32\",\"shape\":[1,2],\"data\":[0.1,2.0]},"
                        + "{\"name\":\"half\",\"datatype\":\"FP16\",\"shape\":[1,1],\"parameters\":{\"binary_data_size\":2}}]}"
                        + "\1\0\0\0z\0<");
    }

    @Test
    void oneOutputInBinaryIsEnoughForBinary() {
        String json = "{\"inputs\":[" + json("a") + "," + json("b")
                + "],\"outputs\":[{\"name\":\"y\",\"parameters\":{\"binary_data\":true}}]}";
        PredictRequest predict = InferRequestReaderTest.read(TWO, json);
        assertThat(predict.forms()).containsExactly(new OutputForm(true, null));
        Tensor none = new Tensor("y", DataType.FP32, Shape.of(1, 0), List.of());

        ResponseBody response =
                InferResponseWriter.write(predict, new InferenceResult(new ModelId("m", "1"), List.of(none)));

        assertThat(response.headers()).containsKey("Inference-Header-Content-Length");
        assertThat(new String(bytes(response), UTF_8)).contains("\"binary_data_size\":0");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "[1,2] | 8 | 7 | input 'a' has binary_data_size 8, but only 7 bytes follow",
                "[1,2] | 8 | 9 | the body has 1 bytes more than the JSON and its inputs' binary_data_size say",
                "[1,2] | 4 | 4 | input 'a' has binary_data_size 4, FP32[1,2] has 2 elements of 4 bytes",
                "[1,2] | 7 | 7 | input 'a' has binary_data_size 7, FP32[1,2] has 2 elements of 4 bytes",
                "[1,0] | 4 | 4 | input 'a' has binary_data_size 4, FP32[1,0] has 0 elements of 4 bytes",
                "[1,2] | 9223372036854775807 | 8 | input 'a' has binary_data_size 9223372036854775807, but only 8 bytes follow",
                "[1,2] | 9223372036854775808 | 8 | inputs[0].parameters.binary_data_size is too large",
                "[4294967296,4294967296] | 8 | 8 | input 'a' has shape [4294967296,4294967296], which has too many elements",
                "[2] | 8 | 8 | input 'a' has shape [2], the model takes [-1,-1]",
                "[5,1] | 20 | 20 | input 'b' has 1 rows, input 'a' has 5",
            })
    void refusesSizesThatDoNotAddUp(String shape, String declared, int bytes, String detail) {
        String json = "{\"inputs\":[" + json("b") + ","
                + input("a", shape, 0).replace("\"binary_data_size\":0", "\"binary_data_size\":" + declared) + "]}";
        assertThatThrownBy(() -> read(TWO, json, List.of(join(json, new byte[bytes]))))
                .isInstanceOf(InvalidInput.class)
                .hasMessage(detail.replace("inputs[0]", "inputs[1]"));
    }

    @Test
    void refusesDataBesideBinaryData() {
        String json = "{\"inputs\":[{\"name\":\"a\",\"shape\":[1,1],\"datatype\":\"FP32\",\"data\":[1],"
                + "\"parameters\":{\"binary_data_size\":4}}]}";
        assertThatThrownBy(() -> read(TWO, json, List.of(join(json, new byte[4]))))
                .hasMessage("input 'a' has both data and binary_data_size");
    }

    @Test
    void takesBytesThatAreNoText() {
        byte[] raw = {2, 0, 0, 0, -1, 0};
        String json = "{\"inputs\":[{\"name\":\"x\",\"shape\":[1],\"datatype\":\"BYTES\","
                + "\"parameters\":{\"binary_data_size\":6}}]}";

        PredictRequest read =
                read(InferRequestReaderTest.single(DataType.BYTES, Shape.of(-1)), json, List.of(join(json, raw)));

        assertThat(read.request().inputs().get(0).data()).isEqualTo(ByteBuffer.wrap(raw));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[1] | 5,0,0,0,65 | input 'x' element 0: its length is 5, but only 1 bytes follow",
                "[1] | -1,-1,-1,-1,65 | input 'x' element 0: its length is 4294967295, but only 1 bytes follow",
                "[2] | 1,0,0,0,65,1,0 | input 'x' ends after 1 of the 2 elements of [2]",
                "[1000000] | 1,0,0,0,65 | input 'x' ends after 1 of the 1000000 elements of [1000000]",
                "[1] | 1,0,0,0,65,66 | input 'x' has 1 bytes behind the 1 elements of [1]",
            })
    void refusesTextsThatAreNotWhole(String shape, String data, String detail) {
        String[] numbers = data.split(",", -1);
        byte[] raw = new byte[numbers.length];
        for (int i = 0; i < raw.length; i++) {
            raw[i] = Byte.parseByte(numbers[i]);
        }
        String json = "{\"inputs\":[{\"name\":\"x\",\"shape\":" + shape
                + ",\"datatype\":\"BYTES\",\"parameters\":{\"binary_data_size\":" + raw.length + "}}]}";
        assertThatThrownBy(() -> read(
                        InferRequestReaderTest.single(DataType.BYTES, Shape.of(-1)), json, List.of(join(json, raw))))
                .isInstanceOf(InvalidInput.class)
                .hasMessage(detail);
    }

    @Test
    void refusesBooleansThatAreNone() {
        String json = "{\"inputs\":[{\"name\":\"x\",\"shape\":[3],\"datatype\":\"BOOL\","
                + "\"parameters\":{\"binary_data_size\":3}}]}";
        assertThatThrownBy(() -> read(
                        InferRequestReaderTest.single(DataType.BOOL, Shape.of(-1)),
                        json,
                        List.of(json.getBytes(UTF_8), new byte[] {0, 1}, new byte[] {2})))
                .hasMessage("input 'x' element 2: 2 is not 0 or 1, which BOOL needs");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "FP32 | -1,3 | 0 | 24 | [2,3]",
                "FP32 | -1,3 | 4 | 12 | [1,3]",
                "FP32 | -1,-1,3 | 4 | 24 | [1,2,3]",
                "UINT8 | 2,2 | 0 | 4 | [2,2]",
                "BYTES | -1 | 0 | 5 | [1]",
                "BYTES | 1 | 0 | 5 | [1]",
                "BYTES | -1,1 | 4 | 5 | [1,1]",
            })
    void aRawBodyIsTheOnlyInput(DataType type, String spec, int maxBatchSize, int bytes, String shape) {
        byte[] raw = "raw!!".repeat(5).substring(0, bytes).getBytes(UTF_8);

        PredictRequest predict = InferRequestReader.readRaw(
                model(maxBatchSize, type, spec), new BinarySection(List.of(ByteBuffer.wrap(raw))));

        Tensor input = predict.request().inputs().get(0);
        assertThat(input.shape()).hasToString(shape);
        assertThat(predict.forms()).containsExactly(new OutputForm(true, null));
        ByteBuffer data = input.data();
        if (type == DataType.BYTES) {
            assertThat(data.getInt()).isEqualTo(bytes);
        }
        assertThat(data.slice()).isEqualTo(ByteBuffer.wrap(raw));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "FP32 | -1,3 | 0 | 25 | the body has 25 bytes, input 'x' FP32[-1,3] takes a multiple of 12",
                "FP32 | -1,3 | 4 | 24 | the body has 24 bytes, input 'x' FP32[-1,3] takes 12",
                "FP32 | 2,3 | 0 | 12 | the body has 12 bytes, input 'x' FP32[2,3] takes 24",
                "FP32 | -1,3 | 0 | 0 | the body has 0 bytes, input 'x' FP32[-1,3] takes a multiple of 12",
                "FP32 | -1,-1 | 0 | 4 | input 'x' has shape [-1,-1], of which a raw body tells one variable dimension",
                "FP32 | -1,-1,-1 | 4 | 4 | input 'x' has shape [-1,-1,-1], of which a raw body tells one variable dimension",
                "BYTES | 2 | 0 | 4 | input 'x' has shape [2], and a raw body is one element of BYTES",
                "BOOL | -1 | 0 | 1 | input 'x' element 0: 114 is not 0 or 1, which BOOL needs",
            })
    void refusesARawBodyThatDoesNotFit(DataType type, String spec, int maxBatchSize, int bytes, String detail) {
        byte[] raw = "raw!!".repeat(5).substring(0, bytes).getBytes(UTF_8);
        assertThatThrownBy(() -> InferRequestReader.readRaw(
                        model(maxBatchSize, type, spec), new BinarySection(List.of(ByteBuffer.wrap(raw)))))
                .isInstanceOf(InvalidInput.class)
                .hasMessage(detail);
    }

    @Test
    void aRawBodyIsNotTwoInputs() {
        assertThatThrownBy(() -> InferRequestReader.readRaw(TWO, new BinarySection(List.of())))
                .hasMessage("header Inference-Header-Content-Length is 0, but model 'm' has 2 inputs,"
                        + " and a raw body is one");
    }

    @Test
    void aDamagedBodyIsReadOrRefusedAndNothingElse() {
        String json = "{\"inputs\":[" + input("a", "[1,2]", 8) + "," + input("b", "[1,2]", 8)
                + "],\"outputs\":[{\"name\":\"y\",\"parameters\":{\"binary_data\":true}}]}";
        byte[] whole = join(json, floats(1, 2, 3, 4));
        byte[] interesting = "{}[]\",:-0129eE.".getBytes(UTF_8);
        Random random = new Random(5);
        for (int round = 0; round < 50_000; round++) {
            byte[] damaged = whole.clone();
            for (int hit = 1 + random.nextInt(3); hit > 0; hit--) {
                damaged[random.nextInt(damaged.length)] = interesting[random.nextInt(interesting.length)];
            }
            int jsonLength = json.length() + random.nextInt(3) - 1;
            ReceivedBody body = new ReceivedBody(wrap(pieces(damaged, random)), 0);
            try {
                InferRequestReader.read(
                        TWO, body.first(jsonLength), jsonLength, new BinarySection(body.after(jsonLength)));
            } catch (InvalidInput refused) {
                assertThat(refused.detail()).isNotEmpty();
            } catch (RuntimeException e) {
                throw new AssertionError(new String(damaged, UTF_8), e);
            }
        }
    }

    private static ModelView model(int maxBatchSize, DataType type, String spec) {
        String[] sizes = spec.split(",", -1);
        long[] shape = new long[sizes.length];
        for (int axis = 0; axis < shape.length; axis++) {
            shape[axis] = Long.parseLong(sizes[axis]);
        }
        List<TensorSpec> specs = List.of(new TensorSpec("x", type, Shape.of(shape)));
        return InferRequestReaderTest.model(maxBatchSize, specs, specs);
    }

    private static PredictRequest read(ModelView model, String json, List<byte[]> pieces) {
        int length = json.getBytes(UTF_8).length;
        ReceivedBody body = new ReceivedBody(wrap(pieces), 0);
        return InferRequestReader.read(model, body.first(length), length, new BinarySection(body.after(length)));
    }

    private static String input(String name, String shape, int size) {
        return "{\"name\":\"" + name + "\",\"shape\":" + shape
                + ",\"datatype\":\"FP32\",\"parameters\":{\"binary_data_size\":" + size + "}}";
    }

    private static String json(String name) {
        return "{\"name\":\"" + name + "\",\"shape\":[1,2],\"datatype\":\"FP32\",\"data\":[1,2]}";
    }

    private static List<ByteBuffer> wrap(List<byte[]> pieces) {
        return pieces.stream().map(ByteBuffer::wrap).toList();
    }

    private static List<byte[]> pieces(byte[] whole, Random random) {
        List<byte[]> pieces = new ArrayList<>();
        for (int at = 0; at < whole.length; ) {
            int size = Math.min(whole.length - at, 1 + random.nextInt(random.nextBoolean() ? 5 : 200));
            byte[] piece = new byte[size];
            System.arraycopy(whole, at, piece, 0, size);
            pieces.add(piece);
            at += size;
        }
        return pieces;
    }

    private static byte[] join(String json, byte[] raw) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(json.getBytes(UTF_8));
        out.writeBytes(raw);
        return out.toByteArray();
    }

    private static byte[] bytes(ResponseBody body) {
        ByteBuffer whole = ByteBuffer.allocate((int) body.sizeBytes());
        body.parts().forEach(part -> whole.put(part.duplicate()));
        return whole.array();
    }

    private static byte[] floats(float... values) {
        ByteBuffer raw = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            raw.putFloat(value);
        }
        return raw.array();
    }

    private static byte[] raw(DataType type, int elements, Random random) {
        if (type == DataType.BYTES) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            for (int i = 0; i < elements; i++) {
                byte[] text = "größe".repeat(random.nextInt(4)).getBytes(UTF_8);
                out.writeBytes(new byte[] {(byte) text.length, 0, 0, 0});
                out.writeBytes(text);
            }
            return out.toByteArray();
        }
        byte[] raw = new byte[elements * type.sizeBytes()];
        random.nextBytes(raw);
        for (int i = 0; type == DataType.BOOL && i < raw.length; i++) {
            raw[i] &= 1;
        }
        return raw;
    }
}
