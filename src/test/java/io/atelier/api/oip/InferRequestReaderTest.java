package io.atelier.api.oip;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.core.DataType;
import io.atelier.core.InferenceResult;
import io.atelier.core.ModelId;
import io.atelier.core.ModelSignature;
import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.serving.ModelView;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class InferRequestReaderTest {
    private static final ModelView TWO_INPUTS = model(
            4,
            List.of(
                    new TensorSpec("ids", DataType.INT64, Shape.of(-1, -1)),
                    new TensorSpec("mask", DataType.INT64, Shape.of(-1, -1))),
            List.of(
                    new TensorSpec("hidden", DataType.FP32, Shape.of(-1, -1, 8)),
                    new TensorSpec("pooled", DataType.FP32, Shape.of(-1, 8))));

    private static final String IDS = "{\"name\":\"ids\",\"shape\":[2,2],\"datatype\":\"INT64\",\"data\":[1,2,3,4]}";
    private static final String MASK = "{\"name\":\"mask\",\"shape\":[2,2],\"datatype\":\"INT64\",\"data\":[1,1,1,0]}";

    @Test
    void putsInputsInTheOrderOfTheSignature() {
        PredictRequest predict = read(TWO_INPUTS, "{\"inputs\":[" + MASK + "," + IDS + "]}");

        assertThat(predict.request().inputs()).extracting(Tensor::name).containsExactly("ids", "mask");
        assertThat(predict.request().model()).isEqualTo(new ModelId("m", "1"));
        assertThat(predict.request().id()).isNull();
        assertThat(predict.request().outputs()).containsExactly("hidden", "pooled");
        assertThat(predict.request().priority()).isZero();
        assertThat(predict.timeout()).isNull();
        ByteBuffer ids = predict.request().inputs().get(0).data();
        assertThat(ids.isDirect()).isTrue();
        assertThat(new long[] {ids.getLong(), ids.getLong(), ids.getLong(), ids.getLong()})
                .containsExactly(1, 2, 3, 4);
        assertThat(ids.hasRemaining()).isFalse();
    }

    @Test
    void keepsAnEmptyIdAndTheOrderOfTheOutputs() {
        PredictRequest predict = read(
                TWO_INPUTS,
                "{\"id\":\"\",\"outputs\":[{\"name\":\"pooled\",\"parameters\":{\"binary_data\":true}},"
                        + "{\"name\":\"hidden\"}],\"inputs\":[" + IDS + "," + MASK + "]}");

        assertThat(predict.request().id()).isEmpty();
        assertThat(predict.request().outputs()).containsExactly("pooled", "hidden");
    }

    @Test
    void takesAnEmptyListOfOutputsAsAllOfThem() {
        PredictRequest predict = read(TWO_INPUTS, "{\"outputs\":[],\"inputs\":[" + IDS + "," + MASK + "]}");

        assertThat(predict.request().outputs()).containsExactly("hidden", "pooled");
    }

    @Test
    void readsTheSchedulePolicyAndIgnoresWhatItDoesNotKnow() {
        PredictRequest predict = read(
                TWO_INPUTS,
                "{\"extra\":{\"a\":[1,{\"b\":null}]},\"parameters\":{\"timeout\":1500,\"priority\":2,"
                        + "\"binary_data_output\":true,\"other\":\"x\"},\"inputs\":[" + IDS + "," + MASK + "]}");

        assertThat(predict.timeout()).isEqualTo(Duration.ofNanos(1_500_000));
        assertThat(predict.request().priority()).isEqualTo(2);
    }

    /** Triton's own default, with which its clients ask for the model's timeout. */
    @Test
    void aTimeoutOfZeroIsNone() {
        PredictRequest predict =
                read(TWO_INPUTS, "{\"parameters\":{\"timeout\":0},\"inputs\":[" + IDS + "," + MASK + "]}");

        assertThat(predict.timeout()).isNull();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "` ` | the body is empty",
                "[] | the body is not a JSON object",
                "{} | input 'ids' is missing",
                "{} x | malformed JSON",
                "{} {} | the body goes on behind its JSON object",
                "{\"inputs\":[ | malformed JSON",
                "{\"id\":1} | id is a number, not a string",
                "{\"id\":\"a\",\"id\":\"b\"} | Duplicate field 'id'",
                "{\"inputs\":null} | input 'ids' is missing",
                "{\"inputs\":[null]} | inputs[0] is null, not an object",
                "{\"inputs\":[]} | input 'ids' is missing",
                "{\"inputs\":[IDS]} | input 'mask' is missing",
                "{\"inputs\":[IDS,IDS]} | inputs[1]: input 'ids' is given twice",
                "{\"inputs\":[1]} | inputs[0] is a number, not an object",
                "{\"inputs\":[{}]} | inputs[0] has no name",
                "{\"inputs\":[{\"name\":\"ids\"}]} | inputs[0] has no datatype",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT64\"}]} | inputs[0] has no shape",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT64\",\"shape\":[1,1]}]} | input 'ids' has no data",
                "{\"inputs\":[{\"name\":\"no\",\"datatype\":\"INT64\",\"shape\":[1,1],\"data\":[1]}]} | inputs[0]: the model has no input 'no', it has ids, mask",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT\",\"shape\":[1,1],\"data\":[1]}]} | inputs[0].datatype: 'INT' is not a datatype",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"FP32\",\"shape\":[1,1],\"data\":[1]}]} | input 'ids' is FP32, the model takes INT64",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"BF16\",\"shape\":[1,1],\"data\":[1]}]} | input 'ids' is BF16, which travels in binary only",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT64\",\"shape\":[1],\"data\":[1]}]} | input 'ids' has shape [1], the model takes [-1,-1]",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT64\",\"shape\":[1,-1],\"data\":[1]}]} | inputs[0].shape[1] is negative: -1",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT64\",\"shape\":[1,1.0],\"data\":[1]}]} | inputs[0].shape[1] is not an integer",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT64\",\"shape\":[1,1e400],\"data\":[1]}]} | inputs[0].shape[1] is not an integer",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT64\",\"shape\":[1,9223372036854775808],\"data\":[1]}]} | inputs[0].shape[1] is too large",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT64\",\"shape\":[4294967296,4294967296],\"data\":[1]}]} | input 'ids' has shape [4294967296,4294967296], which has too many elements",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT64\",\"shape\":[1000,1000],\"data\":[1]}]} | input 'ids' has shape [1000,1000], but less data than its 1000000 elements",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT64\",\"shape\":[1,2],\"data\":[1]}]} | input 'ids' has 1 elements of data, shape [1,2] needs 2",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT64\",\"shape\":[1,2],\"data\":[1,2,3]}]} | input 'ids' has more data than the 2 elements of shape [1,2]",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT64\",\"shape\":[2,2],\"data\":[[1,2],[3]]}]} | input 'ids' element 3: 1 values instead of 2 on the last axis of shape [2,2]",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT64\",\"shape\":[2,2],\"data\":[[1,2,3],[4]]}]} | input 'ids' element 2: more than the 2 values on the last axis of shape [2,2]",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT64\",\"shape\":[2,2],\"data\":[[1,2]]}]} | input 'ids' element 2: 1 lists instead of 2 on axis 0 of shape [2,2]",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT64\",\"shape\":[1,2],\"data\":[[1,2],[3,4]]}]} | input 'ids' element 2: more than the 1 lists on axis 0 of shape [1,2]",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT64\",\"shape\":[2,2],\"data\":[[1,2],3,4]}]} | input 'ids' element 2: 3 where shape [2,2] needs a list",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT64\",\"shape\":[2,2],\"data\":[1,2,[3,4]]}]} | input 'ids' element 2: a list where shape [2,2] needs a value",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT64\",\"shape\":[1,2],\"data\":[[[1,2]]]}]} | input 'ids' element 0: a list where shape [1,2] needs a value",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT64\",\"shape\":[1,1],\"data\":[null]}]} | input 'ids' element 0: null is not an integer, which INT64 needs",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT64\",\"shape\":[1,1],\"data\":[1.0]}]} | input 'ids' element 0: 1.0 is not an integer, which INT64 needs",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT64\",\"shape\":[1,1],\"data\":[\"1\"]}]} | input 'ids' element 0: a string is not an integer, which INT64 needs",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT64\",\"shape\":[1,1],\"data\":[{}]}]} | input 'ids' element 0: an object is not an integer, which INT64 needs",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT64\",\"shape\":[1,1],\"data\":1}]} | inputs[0].data is a number, not a list",
                "{\"inputs\":[{\"data\":\"abc\",\"name\":\"ids\",\"datatype\":\"INT64\",\"shape\":[1,1]}]} | inputs[0].data is a string, not a list",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT64\",\"shape\":[1,1],\"parameters\":{\"binary_data_size\":8}}]} | inputs[0].parameters.binary_data_size needs the header Inference-Header-Content-Length",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT64\",\"shape\":[1,1],\"parameters\":{\"binary_data_size\":-8}}]} | inputs[0].parameters.binary_data_size is negative: -8",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT64\",\"shape\":[1,1],\"parameters\":{\"binary_data_size\":\"8\"}}]} | inputs[0].parameters.binary_data_size is not an integer",
                "{\"inputs\":[IDS,{\"name\":\"mask\",\"datatype\":\"INT64\",\"shape\":[1,1],\"data\":[1]}]} | input 'mask' has 1 rows, input 'ids' has 2",
                "{\"inputs\":[{\"name\":\"ids\",\"datatype\":\"INT64\",\"shape\":[5,1],\"data\":[1,1,1,1,1]},{\"name\":\"mask\",\"datatype\":\"INT64\",\"shape\":[5,1],\"data\":[1,1,1,1,1]}]} | input 'ids' has 5 rows, the model takes at most 4",
                "{\"inputs\":[IDS,MASK],\"outputs\":[{}]} | outputs[0] has no name",
                "{\"inputs\":[IDS,MASK],\"outputs\":[{\"name\":\"no\"}]} | outputs[0]: the model has no output 'no', it has hidden, pooled",
                "{\"inputs\":[IDS,MASK],\"outputs\":[{\"name\":\"hidden\"},{\"name\":\"hidden\"}]} | outputs[1]: output 'hidden' is asked for twice",
                "{\"inputs\":[IDS,MASK],\"outputs\":[{\"name\":\"hidden\",\"parameters\":{\"classification\":0}}]} | outputs[0].parameters.classification is 0, not at least 1",
                "{\"inputs\":[IDS,MASK],\"outputs\":[{\"name\":\"hidden\",\"parameters\":{\"classification\":true}}]} | outputs[0].parameters.classification is not an integer",
                "{\"inputs\":[IDS,MASK],\"outputs\":[{\"name\":\"hidden\",\"parameters\":{\"binary_data\":1}}]} | outputs[0].parameters.binary_data is not true or false",
                "{\"inputs\":[IDS,MASK],\"parameters\":{\"binary_data_output\":\"true\"}} | parameters.binary_data_output is not true or false",
                "{\"inputs\":[IDS,MASK],\"parameters\":{\"timeout\":-1}} | parameters.timeout is -1, not 0 or more microseconds",
                "{\"inputs\":[IDS,MASK],\"parameters\":{\"timeout\":\"1\"}} | parameters.timeout is not an integer",
                "{\"inputs\":[IDS,MASK],\"parameters\":{\"timeout\":1.5}} | parameters.timeout is not an integer",
                "{\"inputs\":[IDS,MASK],\"parameters\":{\"priority\":-1}} | parameters.priority is -1, not 0 to 10",
                "{\"inputs\":[IDS,MASK],\"parameters\":{\"priority\":11}} | parameters.priority is 11, not 0 to 10",
                "{\"inputs\":[IDS,MASK],\"parameters\":{\"a\":[]}} | parameters.a is a list, not a string, number or boolean",
                "{\"inputs\":[IDS,MASK],\"parameters\":[]} | parameters is a list, not an object",
            })
    void refusesWhatDoesNotFit(String body, String detail) {
        assertThatThrownBy(() -> read(TWO_INPUTS, body.replace("IDS", IDS).replace("MASK", MASK)))
                .isInstanceOf(InvalidInput.class)
                .hasMessageContaining(detail);
    }

    @Test
    void refusesEveryPrefixOfARequest() {
        String body = "{\"id\":\"é\",\"inputs\":[" + IDS + "," + MASK + "]}";
        byte[] bytes = body.getBytes(UTF_8);
        for (int length = 0; length < bytes.length; length++) {
            int cut = length;
            assertThatThrownBy(() -> InferRequestReader.read(TWO_INPUTS, bytes, cut))
                    .isInstanceOf(InvalidInput.class);
        }
    }

    @Test
    void boundsWhatARefusalRepeats() {
        String name = "n".repeat(5000);
        assertThatThrownBy(() -> read(TWO_INPUTS, "{\"inputs\":[{\"name\":\"" + name + "\"}]}"))
                .hasMessage("inputs[0].name is longer than 4096 characters");
    }

    @Test
    void refusesDeepNestingAndOtherEncodings() {
        String deep = "[".repeat(100_000);
        assertThatThrownBy(() -> read(TWO_INPUTS, "{\"x\":" + deep)).hasMessageContaining("nested too deeply");
        byte[] utf16 = "{\"id\":\"a\"}".getBytes(StandardCharsets.UTF_16LE);
        assertThatThrownBy(() -> InferRequestReader.read(TWO_INPUTS, utf16, utf16.length))
                .isInstanceOf(InvalidInput.class);
        byte[] latin = "{\"id\":\"é\"}".getBytes(StandardCharsets.ISO_8859_1);
        assertThatThrownBy(() -> InferRequestReader.read(TWO_INPUTS, latin, latin.length))
                .isInstanceOf(InvalidInput.class);
    }

    @ParameterizedTest
    @CsvSource({
        "INT8,-128,127,-129,128",
        "UINT8,0,255,-1,256",
        "INT16,-32768,32767,-32769,32768",
        "UINT16,0,65535,-1,65536",
        "INT32,-2147483648,2147483647,-2147483649,2147483648",
        "UINT32,0,4294967295,-1,4294967296",
        "INT64,-9223372036854775808,9223372036854775807,-9223372036854775809,9223372036854775808",
        "UINT64,0,18446744073709551615,-1,18446744073709551616",
    })
    void takesTheWholeRangeOfAnIntegerAndNoMore(DataType type, String min, String max, String below, String above) {
        assertThat(echo(type, "[" + min + "," + max + "]")).isEqualTo("[" + min + "," + max + "]");
        for (String outside : List.of(below, above, "1" + "0".repeat(500))) {
            assertThatThrownBy(() -> echo(type, "[0," + outside + "]"))
                    .isInstanceOf(InvalidInput.class)
                    .hasMessageContaining("element 1")
                    .hasMessageContaining("does not fit " + type);
        }
    }

    @Test
    void keepsIntegersThatNoDoubleHolds() {
        assertThat(echo(DataType.INT64, "[9007199254740993,-9007199254740993]"))
                .isEqualTo("[9007199254740993,-9007199254740993]");
    }

    @ParameterizedTest
    @ValueSource(strings = {"FP32", "FP64"})
    void readsAndWritesFloatsThatJsonHasNoNumbersFor(DataType type) {
        String data = "[\"NaN\",\"Infinity\",\"-Infinity\",-0.0,0.1]";
        assertThat(echo(type, data)).isEqualTo(data);
        assertThat(echo(type, "[-0,0,1,-0e0,2]")).isEqualTo("[-0.0,0.0,1.0,-0.0,2.0]");
        assertThatThrownBy(() -> echo(type, "[\"nan\"]")).hasMessageContaining("element 0: a string is not a number");
        assertThatThrownBy(() -> echo(type, "[NaN]")).hasMessageContaining("malformed JSON");
        for (String huge : List.of("1e400", "-1e400", "1" + "0".repeat(400))) {
            assertThatThrownBy(() -> echo(type, "[1," + huge + "]"))
                    .hasMessageContaining("element 1")
                    .hasMessageContaining("does not fit " + type);
        }
    }

    @Test
    void refusesAFloatThatRoundsToInfinity() {
        assertThat(echo(DataType.FP32, "[3.4028235e38]")).isEqualTo("[3.4028235E38]");
        assertThatThrownBy(() -> echo(DataType.FP32, "[3.4028236e38]")).hasMessageContaining("does not fit FP32");
    }

    @Test
    void readsBooleansAndText() {
        assertThat(echo(DataType.BOOL, "[true,false]")).isEqualTo("[true,false]");
        assertThatThrownBy(() -> echo(DataType.BOOL, "[1]"))
                .hasMessageContaining("element 0: 1 is not true or false, which BOOL needs");
        assertThat(echo(DataType.BYTES, "[\"\",\"a\\u00e9\\ud83d\\ude00\\n\"]")).isEqualTo("[\"\",\"aé😀\\n\"]");
        assertThatThrownBy(() -> echo(DataType.BYTES, "[\"a\",1]"))
                .hasMessageContaining("element 1: 1 is not a string, which BYTES needs");
        assertThatThrownBy(() -> echo(DataType.BYTES, "[\"\\ud83d\"]")).hasMessageContaining("surrogate");
    }

    @Test
    void laysBytesOutAsLengthAndText() {
        ModelView model = single(DataType.BYTES, Shape.of(-1));
        Tensor tensor = read(
                        model,
                        "{\"inputs\":[{\"name\":\"x\",\"shape\":[2],\"datatype\":\"BYTES\",\"data\":[\"é\",\"\"]}]}")
                .request()
                .inputs()
                .get(0);
        byte[] raw = new byte[tensor.sizeBytes()];
        tensor.data().get(raw);
        assertThat(raw).containsExactly(2, 0, 0, 0, 0xC3, 0xA9, 0, 0, 0, 0);
    }

    @Test
    void takesScalarsEmptyAxesAndModelsWithoutABatch() {
        assertThat(read(
                                single(DataType.FP32, Shape.of()),
                                "{\"inputs\":[{\"name\":\"x\",\"shape\":[],\"datatype\":\"FP32\",\"data\":[1]}]}")
                        .request()
                        .inputs()
                        .get(0)
                        .sizeBytes())
                .isEqualTo(4);
        ModelView empty = single(DataType.FP32, Shape.of(-1, -1));
        for (String data : List.of("[]", "[[],[]]")) {
            assertThat(read(
                                    empty,
                                    "{\"inputs\":[{\"name\":\"x\",\"shape\":[2,0],\"datatype\":\"FP32\",\"data\":"
                                            + data + "}]}")
                            .request()
                            .inputs()
                            .get(0)
                            .sizeBytes())
                    .isZero();
        }
    }

    @Test
    void refusesAnOutputThatHasNoJsonForm() {
        ModelView model = model(
                0,
                List.of(new TensorSpec("x", DataType.FP32, Shape.of(1))),
                List.of(
                        new TensorSpec("half", DataType.FP16, Shape.of(1)),
                        new TensorSpec("full", DataType.FP32, Shape.of(1))));
        String input = "\"inputs\":[{\"name\":\"x\",\"shape\":[1],\"datatype\":\"FP32\",\"data\":[1]}]";

        assertThat(read(model, "{" + input + ",\"outputs\":[{\"name\":\"full\"}]}")
                        .request()
                        .outputs())
                .containsExactly("full");
        assertThatThrownBy(() -> read(model, "{" + input + "}"))
                .hasMessageContaining("output 'half' is FP16, which travels in binary only");
    }

    /** Reads this data and writes it back. */
    static String echo(DataType type, String data) {
        int elements = data.split(",", -1).length;
        PredictRequest predict = read(
                single(type, Shape.of(-1)),
                "{\"inputs\":[{\"name\":\"x\",\"shape\":[" + elements + "],\"datatype\":\"" + type + "\",\"data\":"
                        + data + "}]}");
        String response = new String(
                InferResponseWriter.write(
                        new InferenceResult(
                                predict.request().model(), predict.request().inputs()),
                        null),
                UTF_8);
        String from = "\"data\":";
        return response.substring(response.indexOf(from) + from.length(), response.length() - "}]}".length());
    }

    static ModelView single(DataType type, Shape shape) {
        List<TensorSpec> specs = List.of(new TensorSpec("x", type, shape));
        return model(0, specs, specs);
    }

    static ModelView model(int maxBatchSize, List<TensorSpec> inputs, List<TensorSpec> outputs) {
        return new ModelView(
                new ModelId("m", "1"),
                List.of("1"),
                "onnxruntime_onnx",
                new ModelSignature(inputs, outputs),
                maxBatchSize,
                Duration.ofSeconds(1),
                true);
    }

    static PredictRequest read(ModelView model, String body) {
        byte[] bytes = body.getBytes(UTF_8);
        return InferRequestReader.read(model, bytes, bytes.length);
    }
}
