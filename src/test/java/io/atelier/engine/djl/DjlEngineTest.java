package io.atelier.engine.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.atelier.core.DataType;
import io.atelier.core.DeviceId;
import io.atelier.core.ModelId;
import io.atelier.core.ModelSignature;
import io.atelier.core.Padding;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.engine.EngineBatch;
import io.atelier.engine.ModelInstance;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.ModelSource;
import io.atelier.repository.EmbeddedModel;
import io.atelier.testing.OnnxModelWriter;
import io.atelier.testing.TorchScriptWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Real ONNX Runtime through DJL, on the CPU. */
class DjlEngineTest {
    private static final DeviceId CPU = DeviceId.cpu(0);
    private static final List<String> OUTPUT = List.of("OUTPUT0");
    private static final Padding SENTENCES =
            new Padding(Map.of("input_ids", 0.0, "attention_mask", 0.0, "token_type_ids", 0.0), "attention_mask");

    @TempDir
    Path folder;

    private final DjlEngine engine = new DjlEngine(new SessionSettings(1, false));

    @Test
    void refusesTorchScriptByNameWithoutPyTorch() throws Exception {
        assumeThat(ai.djl.engine.Engine.hasEngine("PyTorch")).isFalse();
        Path file =
                Files.write(folder.resolve("model.pt"), TorchScriptWriter.module("x: Tensor", "Tensor", "return x"));

        assertThatThrownBy(() -> engine.load(source(file, Padding.NONE), CPU))
                .isInstanceOf(ModelLoadException.class)
                .hasMessage("model.pt needs PyTorch, which is in builds made with -Ppytorch");
    }

    @Test
    void refusesADeclarationOfWhatTheFileTells() throws Exception {
        Path file = Files.write(folder.resolve("model.onnx"), OnnxModelWriter.identity("FP32", "batch"));
        ModelSignature declared = new ModelSignature(List.of(), List.of());

        assertThatThrownBy(() -> engine.load(
                        new ModelSource(new ModelId("m", "1"), file, Padding.NONE, 1, Optional.of(declared)), CPU))
                .isInstanceOf(ModelLoadException.class)
                .hasMessage("inputs and outputs are not to be declared: model.onnx tells its own");
    }

    @Test
    void readsTheSignatureFromTheModel() throws Exception {
        byte[] model = new OnnxModelWriter()
                .input("ids", "INT64", "batch", "length")
                .input("scale", "FP32", "batch", 1)
                .output("y", "FP32", "batch", "length")
                .node("Cast", List.of("ids"), List.of("numbers"), Map.of("to", 1L))
                .node("Mul", List.of("numbers", "scale"), List.of("y"))
                .toBytes();

        try (ModelInstance instance = load(model, Padding.NONE)) {
            ModelSignature signature = instance.signature();
            assertThat(signature.inputs()).hasSize(2);
            assertThat(signature.input("ids")).hasValueSatisfying(spec -> {
                assertThat(spec.dataType()).isEqualTo(DataType.INT64);
                assertThat(spec.shape()).isEqualTo(Shape.of(-1, -1));
                assertThat(spec.axisNames()).containsExactly("batch", "length");
            });
            assertThat(signature.input("scale"))
                    .hasValueSatisfying(spec -> assertThat(spec.shape()).isEqualTo(Shape.of(-1, 1)));
            assertThat(signature.output("y"))
                    .hasValueSatisfying(
                            spec -> assertThat(spec.dynamicAxisName(1)).isEqualTo("length"));
            assertThat(instance.sharing().isAllowed()).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource(DataType.class)
    void carriesEveryTypeAloneAndInABatch(DataType type) throws Exception {
        try (ModelInstance instance = load(OnnxModelWriter.identity(type.name(), "batch", "length"), Padding.NONE)) {
            Tensor first = tensor(type, 1, 3);
            Tensor second = tensor(type, 2, 3);

            assertSame(alone(instance, OUTPUT, first).get(0), first);
            List<List<Tensor>> both = together(instance, OUTPUT, List.of(List.of(first), List.of(second)));
            assertSame(both.get(0).get(0), first);
            assertSame(both.get(1).get(0), second);
        }
    }

    @ParameterizedTest
    @CsvSource({"UINT16, 4", "UINT32, 12", "UINT64, 13"})
    void unsignedOutputsAreExact(DataType type, long onnxType) throws Exception {
        byte[] model = new OnnxModelWriter()
                .input("INPUT0", "INT32", "batch", 2)
                .output("OUTPUT0", type.name(), "batch", 2)
                .node("Cast", List.of("INPUT0"), List.of("OUTPUT0"), Map.of("to", onnxType))
                .toBytes();
        try (ModelInstance instance = load(model, Padding.NONE)) {
            Tensor output =
                    alone(instance, OUTPUT, numbers("INPUT0", 7, 65_535)).get(0);

            assertThat(output.dataType()).isEqualTo(type);
            assertThat(output.sizeBytes()).isEqualTo(2 * type.sizeBytes());
            assertThat(output.data().getShort(0)).isEqualTo((short) 7);
            assertThat(output.data().getShort(type.sizeBytes())).isEqualTo((short) -1);
        }
    }

    @ParameterizedTest
    @EnumSource(DataType.class)
    void takesTensorsInThePiecesInWhichTheyCame(DataType type) throws Exception {
        try (ModelInstance instance = load(OnnxModelWriter.identity(type.name(), "batch", "length"), Padding.NONE)) {
            Tensor whole = tensor(type, 1, 5);
            List<ByteBuffer> pieces = new ArrayList<>();
            for (ByteBuffer rest = whole.data(); rest.hasRemaining(); ) {
                byte[] piece = new byte[Math.min(3, rest.remaining())];
                rest.get(piece);
                pieces.add(ByteBuffer.wrap(piece));
            }
            Tensor split = new Tensor("INPUT0", type, whole.shape(), pieces);

            assertSame(alone(instance, OUTPUT, split).get(0), whole);
            List<List<Tensor>> both = together(instance, OUTPUT, List.of(List.of(split), List.of(whole)));
            assertSame(both.get(0).get(0), whole);
            assertSame(both.get(1).get(0), whole);
        }
    }

    @Test
    void paddedRequestsGetTheirOwnLengthBack() throws Exception {
        byte[] model = OnnxModelWriter.identity("FP32", "batch", "length");
        try (ModelInstance instance = load(model, new Padding(Map.of("INPUT0", 7.0), null))) {
            Tensor small = tensor(DataType.FP32, 1, 2);
            Tensor large = tensor(DataType.FP32, 2, 5);

            List<List<Tensor>> both = together(instance, OUTPUT, List.of(List.of(small), List.of(large)));

            assertSame(both.get(0).get(0), small);
            assertSame(both.get(1).get(0), large);
        }
    }

    @Test
    void givesOnlyTheOutputsThatAreWanted() throws Exception {
        try (ModelInstance instance = load(OnnxModelWriter.add("batch", 2), Padding.NONE)) {
            Tensor five = numbers("INPUT0", 5, 6);
            Tensor two = numbers("INPUT1", 2, 1);

            List<Tensor> difference = alone(instance, List.of("OUTPUT1"), five, two);

            assertThat(difference).singleElement().satisfies(tensor -> {
                assertThat(tensor.name()).isEqualTo("OUTPUT1");
                assertThat(tensor.data().getInt(0)).isEqualTo(3);
                assertThat(tensor.data().getInt(4)).isEqualTo(5);
            });
            assertThat(alone(instance, List.of("OUTPUT0", "OUTPUT1"), five, two))
                    .extracting(Tensor::name)
                    .containsExactly("OUTPUT0", "OUTPUT1");
        }
    }

    @Test
    void aGpuThatIsNotThereIsAnErrorAndNoReasonToTakeTheCpu() throws Exception {
        assumeThat(engine.gpuCount()).isZero();
        Path file = write(OnnxModelWriter.identity("FP32", "batch", 2));

        assertThatThrownBy(() -> engine.load(source(file, Padding.NONE), DeviceId.gpu(0)))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageStartingWith("model.onnx cannot be loaded on gpu:0: ");
    }

    @Test
    void saysWhyAFileIsNoModel() throws Exception {
        Path broken = write("no model at all".getBytes(StandardCharsets.UTF_8));

        assertThatThrownBy(() -> engine.load(source(broken, Padding.NONE), CPU))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageStartingWith("model.onnx cannot be loaded on cpu:0: ")
                .hasMessageNotContaining("null");
        assertThatThrownBy(() -> engine.load(source(folder.resolve("missing.onnx"), Padding.NONE), CPU))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageStartingWith("missing.onnx cannot be read");
    }

    /** ONNX Runtime names the file by its whole path. */
    @Test
    void saysWhyAFileCannotBeLoadedWithoutItsFolders() throws Exception {
        byte[] lacking = new OnnxModelWriter()
                .input("x", "FP32", "batch", 2)
                .output("y", "FP32", "batch", 2)
                .node("NoSuchOperator", List.of("x"), List.of("y"))
                .toBytes();
        Path odd = Files.createDirectories(folder.resolve("my models (new)"));
        for (byte[] content : List.of("no model at all".getBytes(StandardCharsets.UTF_8), lacking)) {
            Path file = Files.write(odd.resolve("model.onnx"), content);

            assertThatThrownBy(() -> engine.load(source(file, Padding.NONE), CPU))
                    .isInstanceOf(ModelLoadException.class)
                    .hasMessageContaining(content == lacking ? "NoSuchOperator" : "Load model from model.onnx failed")
                    .hasMessageNotContainingAny(folder.toString(), "my models", "onnxruntime_src", ".cc:", ".h:");
        }
    }

    /** ONNX Runtime says in which line of its own source a kernel failed. */
    @Test
    void saysWhyARunFailsWithoutThePlaceInTheEnginesSource() throws Exception {
        byte[] model = new OnnxModelWriter()
                .input("x", "FP32", "batch", 2)
                .input("shape", "INT64", "axes")
                .output("y", "FP32", "a", "b")
                .node("Reshape", List.of("x", "shape"), List.of("y"))
                .toBytes();
        try (ModelInstance instance = load(model, Padding.NONE)) {
            assertThatThrownBy(() -> alone(instance, List.of("y"), tensor(DataType.FP32, 1, 2), index(7)))
                    .rootCause()
                    .hasMessageContaining(".h:");
            assertThatThrownBy(() -> alone(instance, List.of("y"), tensor(DataType.FP32, 1, 2), index(7)))
                    .cause()
                    .hasMessageContaining("the execution failed: ")
                    .hasMessageContaining("Reshape node")
                    .hasMessageContaining("requested shape:{7}")
                    .hasMessageNotContainingAny("/onnxruntime", ".h:", ".cc:");
        }
    }

    @Test
    void aRunThatFailsSaysWhyAndTheNextOneWorks() throws Exception {
        byte[] model = new OnnxModelWriter()
                .input("at", "INT64", "batch")
                .output("y", "FP32", "batch")
                .floats("table", List.of(3), 10, 20, 30)
                .node("Gather", List.of("table", "at"), List.of("y"))
                .toBytes();
        try (ModelInstance instance = load(model, Padding.NONE)) {
            assertThatThrownBy(() -> alone(instance, List.of("y"), index(7)))
                    .hasStackTraceContaining("the execution failed: ");
            assertThat(alone(instance, List.of("y"), index(2)).get(0).data().getFloat(0))
                    .isEqualTo(30);
        }
    }

    @Test
    void aClosedModelCanBeLoadedAgain() throws Exception {
        Path file = write(OnnxModelWriter.identity("FP32", "batch", 2));
        for (int i = 0; i < 3; i++) {
            try (ModelInstance instance = engine.load(source(file, Padding.NONE), CPU)) {
                Tensor tensor = tensor(DataType.FP32, 1, 2);
                assertSame(alone(instance, OUTPUT, tensor).get(0), tensor);
            }
        }
    }

    /** Sentences of one bucket, padded to the longest, come out as they do alone, though the model is quantised. */
    @Test
    void sentencesInABatchComeOutAsTheyDoAlone() throws Exception {
        EmbeddedModel.unpackInto(folder);
        Path file = folder.resolve("minilm/1/model.onnx");
        List<String> hidden = List.of("last_hidden_state");
        try (ModelInstance instance = engine.load(source(file, SENTENCES), CPU)) {
            assertThat(instance.sharing().isAllowed()).isTrue();
            Random random = new Random(42);
            List<List<Tensor>> sentences = new ArrayList<>();
            for (int length : new int[] {3, 24, 11, 17, 8, 24, 64}) {
                sentences.add(sentence(instance.signature(), random, length));
            }

            List<List<Tensor>> together = together(instance, hidden, sentences);

            for (int i = 0; i < sentences.size(); i++) {
                Tensor alone = together(instance, hidden, List.of(sentences.get(i)))
                        .get(0)
                        .get(0);
                Tensor batched = together.get(i).get(0);
                assertThat(batched.shape()).isEqualTo(alone.shape());
                ByteBuffer a = alone.data();
                ByteBuffer b = batched.data();
                float furthest = 0;
                while (a.hasRemaining()) {
                    furthest = Math.max(furthest, Math.abs(a.getFloat() - b.getFloat()));
                }
                assertThat(furthest).as("sentence %d", i).isLessThanOrEqualTo(1e-4f);
            }
        }
    }

    @Test
    void aQuantisedModelThatKeepsItsWeightsInAnotherFileIsRewrittenToo() throws Exception {
        byte[] model = new OnnxModelWriter()
                .input("x", "FLOAT", "batch", "sequence", 2)
                .input("mask", "INT64", "batch", "sequence")
                .output("y", "FLOAT", "batch", "sequence", 3)
                .external("w", "INT8", List.of(2, 3), "model.onnx_data")
                .floats("w_scale", List.of(), 0.5f)
                .node("DynamicQuantizeLinear", List.of("x"), List.of("quantized", "scale", "zero_point"))
                .node("MatMulInteger", List.of("quantized", "w", "zero_point"), List.of("product"))
                .node("Cast", List.of("product"), List.of("cast"), Map.of("to", 1L))
                .node("Mul", List.of("scale", "w_scale"), List.of("scales"))
                .node("Mul", List.of("cast", "scales"), List.of("y"))
                .toBytes();
        Files.write(folder.resolve("model.onnx_data"), new byte[] {1, -2, 3, -4, 50, 6});
        try (ModelInstance instance = load(model, new Padding(Map.of("x", 0.0, "mask", 0.0), "mask"))) {
            List<Tensor> small = List.of(floats("x", 1, 2, 0.1f, 0.2f, 0.3f, -0.1f), longs("mask", 1, 1));
            List<Tensor> large = List.of(floats("x", 1, 1, 1000, -1000), longs("mask", 1));

            List<List<Tensor>> both = together(instance, List.of("y"), List.of(small, large));

            assertThat(instance.sharing().isAllowed()).isTrue();
            for (int i = 0; i < 2; i++) {
                Tensor alone = together(instance, List.of("y"), List.of(i == 0 ? small : large))
                        .get(0)
                        .get(0);
                assertThat(both.get(i).get(0).data()).isEqualTo(alone.data());
            }
        }
    }

    private ModelInstance load(byte[] model, Padding padding) throws Exception {
        return engine.load(source(write(model), padding), CPU);
    }

    private Path write(byte[] model) throws Exception {
        return Files.write(folder.resolve("model.onnx"), model);
    }

    static ModelSource source(Path file, Padding padding) {
        return new ModelSource(new ModelId("m", "1"), file, padding, 1);
    }

    private static List<Tensor> alone(ModelInstance instance, List<String> outputs, Tensor... inputs) {
        return together(instance, outputs, List.of(List.of(inputs))).get(0);
    }

    private static List<List<Tensor>> together(
            ModelInstance instance, List<String> outputs, List<List<Tensor>> requests) {
        return instance.run(new EngineBatch(requests, outputs, new CompletableFuture<>()))
                .toCompletableFuture()
                .join();
    }

    private static void assertSame(Tensor output, Tensor input) {
        assertThat(output.name()).isEqualTo("OUTPUT0");
        assertThat(output.dataType()).isEqualTo(input.dataType());
        assertThat(output.shape()).isEqualTo(input.shape());
        assertThat(output.data()).isEqualTo(input.data());
    }

    /** Zeros and ones of the type, or short texts. */
    private static Tensor tensor(DataType type, int rows, int length) {
        ByteBuffer data = ByteBuffer.allocateDirect(rows * length * 16).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < rows * length; i++) {
            switch (type) {
                case BOOL -> data.put((byte) (i % 2));
                case UINT8, INT8 -> data.put((byte) (i + 200));
                case FP16, BF16, INT16, UINT16 -> data.putShort((short) (0x3C00 + i));
                case FP32 -> data.putFloat(i + 0.5f);
                case INT32, UINT32 -> data.putInt(-i);
                case INT64, UINT64 -> data.putLong(-i);
                case FP64 -> data.putDouble(i + 0.1);
                case BYTES -> {
                    byte[] text = "größe".substring(0, i % 6).getBytes(StandardCharsets.UTF_8);
                    data.putInt(text.length).put(text);
                }
            }
        }
        return new Tensor("INPUT0", type, Shape.of(rows, length), data.flip());
    }

    private static Tensor numbers(String name, int... numbers) {
        ByteBuffer data = ByteBuffer.allocateDirect(numbers.length * 4).order(ByteOrder.LITTLE_ENDIAN);
        for (int number : numbers) {
            data.putInt(number);
        }
        return new Tensor(name, DataType.INT32, Shape.of(1, numbers.length), data.flip());
    }

    private static Tensor floats(String name, int rows, int length, float... numbers) {
        ByteBuffer data = ByteBuffer.allocateDirect(numbers.length * 4).order(ByteOrder.LITTLE_ENDIAN);
        data.asFloatBuffer().put(numbers);
        return new Tensor(name, DataType.FP32, Shape.of(rows, length, numbers.length / rows / length), data);
    }

    private static Tensor longs(String name, long... numbers) {
        ByteBuffer data = ByteBuffer.allocateDirect(numbers.length * 8).order(ByteOrder.LITTLE_ENDIAN);
        data.asLongBuffer().put(numbers);
        return new Tensor(name, DataType.INT64, Shape.of(1, numbers.length), data);
    }

    private static Tensor index(long at) {
        return new Tensor(
                "at",
                DataType.INT64,
                Shape.of(1),
                ByteBuffer.allocateDirect(8)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(at)
                        .flip());
    }

    private static List<Tensor> sentence(ModelSignature signature, Random random, int length) {
        List<Tensor> inputs = new ArrayList<>();
        signature.inputs().forEach(spec -> {
            ByteBuffer data = ByteBuffer.allocateDirect(length * 8).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < length; i++) {
                data.putLong(
                        switch (spec.name()) {
                            case "input_ids" -> 1996 + random.nextInt(20_000);
                            case "attention_mask" -> 1;
                            default -> 0;
                        });
            }
            inputs.add(new Tensor(spec.name(), DataType.INT64, Shape.of(1, length), data.flip()));
        });
        return inputs;
    }
}
