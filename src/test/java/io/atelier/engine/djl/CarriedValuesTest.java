package io.atelier.engine.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.core.DataType;
import io.atelier.core.DeviceId;
import io.atelier.core.ModelId;
import io.atelier.core.ModelSignature;
import io.atelier.core.Padding;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.engine.EngineBatch;
import io.atelier.engine.ModelInstance;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.ModelSource;
import io.atelier.testing.OnnxModelWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What models take and give beyond tensors of numbers with a known shape, through real ONNX Runtime. */
class CarriedValuesTest {
    @TempDir
    Path folder;

    private final DjlEngine engine = new DjlEngine(new SessionSettings(1, false));

    @ParameterizedTest
    @EnumSource(DataType.class)
    void aScalarOfEveryTypeComesBack(DataType type) throws Exception {
        try (ModelInstance instance = load(OnnxModelWriter.identity(type.name()))) {
            assertThat(instance.signature().inputs().get(0).shape()).isEqualTo(Shape.of());
            assertThat(instance.signature().hasBatchAxis()).isFalse();
            Tensor scalar = new Tensor("INPUT0", type, Shape.of(), bytes(type, 1));

            assertSame(run(instance, scalar).get(0), scalar);
        }
    }

    @ParameterizedTest
    @EnumSource(DataType.class)
    void anEmptyTensorOfEveryTypeComesBack(DataType type) throws Exception {
        try (ModelInstance instance = load(OnnxModelWriter.identity(type.name(), "batch", "length"))) {
            for (Shape shape : List.of(Shape.of(0, 3), Shape.of(2, 0))) {
                Tensor empty = new Tensor("INPUT0", type, shape, bytes(type, 0));

                assertSame(run(instance, empty).get(0), empty);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"UINT16", "UINT32", "UINT64"})
    void theLargestUnsignedNumbersAreExact(String name) throws Exception {
        DataType type = DataType.valueOf(name);
        try (ModelInstance instance = load(OnnxModelWriter.identity(name, "batch", 2))) {
            byte[] largest = new byte[2 * type.sizeBytes()];
            Arrays.fill(largest, (byte) -1);
            ByteBuffer onTheHeap = ByteBuffer.wrap(largest);
            Tensor tensor = new Tensor("INPUT0", type, Shape.of(1, 2), onTheHeap);

            assertSame(run(instance, tensor).get(0), tensor);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "cat", "猫", "😀", "𠮷 and 😀", "a\0b", "\0", "größe"})
    void aStringComesBackByteForByte(String text) throws Exception {
        try (ModelInstance instance = load(OnnxModelWriter.identity("BYTES", "batch"))) {
            Tensor one = strings("INPUT0", utf8(text));
            Tensor more = strings("INPUT0", utf8(text), utf8("x"), utf8(text + text));

            assertSame(run(instance, one).get(0), one);
            assertSame(run(instance, more).get(0), more);
            List<List<Tensor>> both = instance.run(new EngineBatch(
                            List.of(List.of(one), List.of(more)), List.of("OUTPUT0"), new CompletableFuture<>()))
                    .toCompletableFuture()
                    .join();
            assertSame(both.get(0).get(0), one);
            assertSame(both.get(1).get(0), more);
        }
    }

    @Test
    void bytesThatAreNoUtf8ComeBackAsTheyAre() throws Exception {
        try (ModelInstance instance = load(OnnxModelWriter.identity("BYTES", "batch"))) {
            byte[] every = new byte[256];
            for (int i = 0; i < every.length; i++) {
                every[i] = (byte) i;
            }
            Tensor tensor =
                    strings("INPUT0", every, new byte[] {(byte) 0xC0, (byte) 0x80}, new byte[] {(byte) 0xED, 0x20});

            assertSame(run(instance, tensor).get(0), tensor);
        }
    }

    @Test
    void aStringBeyondTheBasicPlaneIsFoundAmongTheModelsOwn() throws Exception {
        byte[] model = new OnnxModelWriter()
                .input("word", "STRING", "batch")
                .output("id", "INT64", "batch")
                .nodeWithLists(
                        "ai.onnx.ml:LabelEncoder",
                        List.of("word"),
                        List.of("id"),
                        Map.of(
                                "keys_strings", List.of("cat", "猫", "😀", "𠮷"),
                                "values_int64s", List.of(1, 2, 3, 4)))
                .mlOpset(2)
                .toBytes();
        try (ModelInstance instance = load(model)) {
            Tensor ids = run(instance, strings("word", utf8("𠮷"), utf8("😀"), utf8("cat"), utf8("猫")))
                    .get(0);

            assertThat(longs(ids)).containsExactly(4, 3, 1, 2);
        }
    }

    @Test
    void anInitializerThatIsAnInputMayBeLeftOutOrGiven() throws Exception {
        try (ModelInstance instance = load(withBias(7))) {
            ModelSignature signature = instance.signature();
            assertThat(signature.inputs()).extracting(TensorSpec::name).containsExactly("x");
            assertThat(signature.optionalInputs())
                    .extracting(TensorSpec::name)
                    .containsExactlyInAnyOrder("bias", "scale");
            Tensor x = floats("x", Shape.of(1, 2), 1, 2);

            assertThat(floats(run(instance, x))).containsExactly(11, 22);
            assertThat(floats(run(instance, x, floats("bias", Shape.of(2), 5, 6))))
                    .containsExactly(6, 8);
            assertThat(floats(run(instance, x, floats("scale", Shape.of(), 10), floats("bias", Shape.of(2), 0, 1))))
                    .containsExactly(10, 21);
            assertThat(floats(run(instance, x))).as("its own value again").containsExactly(11, 22);
        }
    }

    @Test
    void anInitializerOfAnOldModelIsAConstantThoughItStandsAmongTheInputs() throws Exception {
        try (ModelInstance instance = load(withBias(3))) {
            assertThat(instance.signature().inputs())
                    .extracting(TensorSpec::name)
                    .containsExactly("x");
            assertThat(instance.signature().optionalInputs()).isEmpty();

            assertThat(floats(run(instance, floats("x", Shape.of(1, 2), 1, 2)))).containsExactly(11, 22);
        }
    }

    private static byte[] withBias(long irVersion) {
        return new OnnxModelWriter()
                .irVersion(irVersion)
                .opset(8)
                .input("x", "FLOAT", "batch", 2)
                .input("bias", "FLOAT", 2)
                .input("scale", "FLOAT")
                .output("y", "FLOAT", "batch", 2)
                .floats("bias", List.of(2), 10, 20)
                .floats("scale", List.of(), 1)
                .node("Mul", List.of("x", "scale"), List.of("scaled"))
                .node("Add", List.of("scaled", "bias"), List.of("y"))
                .toBytes();
    }

    @Test
    void aModelThatNeedsNoInputAnswersAndTakesItsOptionalOne() throws Exception {
        byte[] model = new OnnxModelWriter()
                .input("c", "FLOAT", 2)
                .output("y", "FLOAT", 2)
                .floats("c", List.of(2), 1, 2)
                .node("Neg", List.of("c"), List.of("y"))
                .toBytes();
        try (ModelInstance instance = load(model)) {
            assertThat(floats(run(instance))).containsExactly(-1, -2);
            assertThat(floats(run(instance, floats("c", Shape.of(2), 3, 4)))).containsExactly(-3, -4);
        }
    }

    @Test
    void aShapeThatTheModelDoesNotTellMayBeAny() throws Exception {
        byte[] model = new OnnxModelWriter()
                .inputOfAnyShape("x", "FLOAT")
                .outputOfAnyShape("y", "FLOAT")
                .node("Neg", List.of("x"), List.of("y"))
                .toBytes();
        try (ModelInstance instance = load(model)) {
            TensorSpec input = instance.signature().inputs().get(0);
            assertThat(input.shape().isUnknown()).isTrue();
            assertThat(instance.signature().outputs().get(0).shape().isUnknown())
                    .isTrue();
            assertThat(instance.signature().hasBatchAxis()).isFalse();
            for (Shape shape : List.of(Shape.of(), Shape.of(1), Shape.of(1, 1, 1))) {
                Tensor answer = run(instance, floats("x", shape, 7)).get(0);

                assertThat(input.shape().accepts(shape)).isTrue();
                assertThat(answer.shape()).isEqualTo(shape);
                assertThat(floats(List.of(answer))).containsExactly(-7);
            }
        }
    }

    @Test
    void mapsFromTextToProbabilityAreATensorInTheModelsOrderOfClasses() throws Exception {
        try (ModelInstance instance =
                load(zipMap("STRING", "classlabels_strings", List.of("virginica", "setosa", "猫😀")))) {
            TensorSpec spec = instance.signature().output("probabilities").orElseThrow();
            assertThat(spec.dataType()).isEqualTo(DataType.FP32);
            assertThat(spec.shape()).isEqualTo(Shape.of(-1, 3));
            assertThat(spec.labels()).containsExactly("virginica", "setosa", "猫😀");

            Tensor two =
                    run(instance, floats("x", Shape.of(2, 3), 1, 2, 3, 4, 5, 6)).get(0);
            assertThat(two.shape()).isEqualTo(Shape.of(2, 3));
            assertThat(floats(List.of(two))).containsExactly(1, 2, 3, 4, 5, 6);
        }
    }

    @Test
    void mapsFromNumberToProbabilityAreATensorAlsoForNoRows() throws Exception {
        try (ModelInstance instance = load(zipMap("INT64", "classlabels_int64s", List.of(10, -1, 2)))) {
            assertThat(instance.signature()
                            .output("probabilities")
                            .orElseThrow()
                            .labels())
                    .containsExactly("10", "-1", "2");

            assertThat(floats(run(instance, floats("x", Shape.of(1, 3), 1, 2, 3))))
                    .containsExactly(1, 2, 3);
            assertThat(run(instance, floats("x", Shape.of(0, 3))).get(0).shape())
                    .isEqualTo(Shape.of(0, 3));
        }
    }

    private static byte[] zipMap(String keyType, String attribute, List<?> classes) {
        return new OnnxModelWriter()
                .input("x", "FLOAT", "batch", 3)
                .mapsOutput("probabilities", keyType)
                .nodeWithLists("ai.onnx.ml:ZipMap", List.of("x"), List.of("probabilities"), Map.of(attribute, classes))
                .toBytes();
    }

    @Test
    void anOutputThatIsNoTensorIsLeftOutAndTheOthersAreGiven() throws Exception {
        byte[] model = new OnnxModelWriter()
                .input("x", "FLOAT", "batch", 2)
                .sequenceOutput("parts", "FLOAT")
                .output("y", "FLOAT", "batch", 2)
                .node("SplitToSequence", List.of("x"), List.of("parts"), Map.of("axis", 0L))
                .node("Neg", List.of("x"), List.of("y"))
                .toBytes();
        try (ModelInstance instance = load(model)) {
            assertThat(instance.signature().outputs())
                    .extracting(TensorSpec::name)
                    .containsExactly("y");
            assertThat(floats(run(instance, floats("x", Shape.of(1, 2), 1, 2)))).containsExactly(-1, -2);
        }
    }

    @Test
    void aModelThatGivesNoTensorAtAllIsRefusedByTheNamesOfItsOutputs() {
        byte[] model = new OnnxModelWriter()
                .input("x", "FLOAT", "batch", 2)
                .sequenceOutput("parts", "FLOAT")
                .node("SplitToSequence", List.of("x"), List.of("parts"), Map.of("axis", 0L))
                .toBytes();

        assertThatThrownBy(() -> load(model))
                .isInstanceOf(ModelLoadException.class)
                .hasMessage("no output can be given: 'parts' is no tensor but of kind sequence");
    }

    @Test
    void anInputThatIsNoTensorIsRefusedByName() {
        byte[] model = new OnnxModelWriter()
                .sequenceInput("parts", "FLOAT")
                .output("y", "FLOAT", "batch", 2)
                .node("ConcatFromSequence", List.of("parts"), List.of("y"), Map.of("axis", 0L))
                .toBytes();

        assertThatThrownBy(() -> load(model))
                .isInstanceOf(ModelLoadException.class)
                .hasMessage("'parts' is no tensor, which is not served");
    }

    @ParameterizedTest
    @ValueSource(strings = {"😀", "a𠮷"})
    void aNameThatTheEngineWouldChangeIsRefused(String name) {
        byte[] model = new OnnxModelWriter()
                .input(name, "FLOAT", "batch", 2)
                .output("y", "FLOAT", "batch", 2)
                .node("Neg", List.of(name), List.of("y"))
                .toBytes();

        assertThatThrownBy(() -> load(model))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageStartingWith("'" + name + "' has a name with U+0000 or characters beyond the basic plane");
    }

    @Test
    void aNameOfTheBasicPlaneIsPassed() throws Exception {
        byte[] model = new OnnxModelWriter()
                .input("größe", "FLOAT", "batch", 2)
                .output("ответ", "FLOAT", "batch", 2)
                .node("Neg", List.of("größe"), List.of("ответ"))
                .toBytes();
        try (ModelInstance instance = load(model)) {
            assertThat(floats(run(instance, floats("größe", Shape.of(1, 2), 1, 2))))
                    .containsExactly(-1, -2);
        }
    }

    @Test
    void aTypeThatNothingCarriesIsRefusedByNameAsAnInput() {
        byte[] model = new OnnxModelWriter()
                .opset(19)
                .irVersion(9)
                .input("x", "FLOAT8E4M3FN", "batch", 2)
                .output("y", "FLOAT8E4M3FN", "batch", 2)
                .node("Identity", List.of("x"), List.of("y"))
                .toBytes();

        assertThatThrownBy(() -> load(model))
                .isInstanceOf(ModelLoadException.class)
                .hasMessage("'x' is of type FLOAT8E4M3FN, which this engine does not carry");
    }

    @Test
    void aTypeThatNothingCarriesIsLeftOutAsAnOutput() throws Exception {
        byte[] model = new OnnxModelWriter()
                .opset(19)
                .irVersion(9)
                .input("x", "FLOAT", "batch", 2)
                .output("y", "FLOAT8E4M3FN", "batch", 2)
                .output("z", "FLOAT", "batch", 2)
                .node("Cast", List.of("x"), List.of("y"), Map.of("to", 17L))
                .node("Neg", List.of("x"), List.of("z"))
                .toBytes();

        try (ModelInstance instance = load(model)) {
            assertThat(instance.signature().outputs())
                    .extracting(TensorSpec::name)
                    .containsExactly("z");
        }
    }

    @Test
    void aTypeThatOnnxRuntimeRefusesIsNamedWithoutAPath() {
        assertThatThrownBy(() -> load(OnnxModelWriter.identity("COMPLEX64", "batch", 2)))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageStartingWith("model.onnx cannot be loaded on cpu:0: ")
                .hasMessageContaining("complex64")
                .hasMessageNotContaining(folder.toString());
    }

    private ModelInstance load(byte[] model) throws Exception {
        Path file = Files.write(folder.resolve("model.onnx"), model);
        return engine.load(new ModelSource(new ModelId("m", "1"), file, Padding.NONE, 1), DeviceId.cpu(0));
    }

    /** All outputs for one request. */
    private static List<Tensor> run(ModelInstance instance, Tensor... inputs) {
        List<String> outputs =
                instance.signature().outputs().stream().map(TensorSpec::name).toList();
        return instance.run(new EngineBatch(List.of(List.of(inputs)), outputs, new CompletableFuture<>()))
                .toCompletableFuture()
                .join()
                .get(0);
    }

    private static void assertSame(Tensor output, Tensor input) {
        assertThat(output.dataType()).isEqualTo(input.dataType());
        assertThat(output.shape()).isEqualTo(input.shape());
        assertThat(output.data()).isEqualTo(input.data());
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static ByteBuffer bytes(DataType type, int elements) {
        return type == DataType.BYTES
                ? strings("", Stream.generate(() -> utf8("😀")).limit(elements).toArray(byte[][]::new))
                        .data()
                : ByteBuffer.allocateDirect(elements * type.sizeBytes());
    }

    private static Tensor strings(String name, byte[]... elements) {
        int size = Stream.of(elements)
                .mapToInt(element -> Integer.BYTES + element.length)
                .sum();
        ByteBuffer data = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        for (byte[] element : elements) {
            data.putInt(element.length).put(element);
        }
        return new Tensor(name, DataType.BYTES, Shape.of(elements.length), data.flip());
    }

    private static Tensor floats(String name, Shape shape, float... numbers) {
        ByteBuffer data =
                ByteBuffer.allocateDirect(numbers.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        data.asFloatBuffer().put(numbers);
        return new Tensor(name, DataType.FP32, shape, data);
    }

    private static double[] floats(List<Tensor> only) {
        assertThat(only).hasSize(1);
        ByteBuffer data = only.get(0).data();
        double[] numbers = new double[data.remaining() / Float.BYTES];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = data.getFloat();
        }
        return numbers;
    }

    private static long[] longs(Tensor tensor) {
        ByteBuffer data = tensor.data();
        long[] numbers = new long[data.remaining() / Long.BYTES];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = data.getLong();
        }
        return numbers;
    }
}
