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
import io.atelier.testing.FakeEngine;
import io.atelier.testing.TorchScriptWriter;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** TorchScript files that the test writes itself, in a build with {@code -Ppytorch}. */
@Tag("pytorch")
class TorchScriptTest {
    private static final ModelSignature TWO_OUTPUTS = new ModelSignature(
            List.of(spec("x", DataType.FP32, -1, -1)),
            List.of(spec("twice", DataType.FP32, -1, -1), spec("sum", DataType.FP32, -1)));

    private final DjlEngine engine = new DjlEngine(new SessionSettings(1, false));

    @TempDir
    Path folder;

    @Test
    void runsABatchAndGivesEachRequestItsOwnRows() throws Exception {
        try (ModelInstance model =
                load(TWO_OUTPUTS, "Tuple[Tensor, Tensor]", "return (torch.mul(x, 2), torch.sum(x, [1]))")) {
            assertThat(model.sharing().isAllowed()).isTrue();
            assertThat(model.signature()).isEqualTo(TWO_OUTPUTS);

            List<List<Tensor>> answers =
                    run(model, List.of("twice", "sum"), FakeEngine.row(1, 2), FakeEngine.row(3, 4));

            assertThat(answers).hasSize(2);
            assertThat(numbers(answers.get(0).get(0))).containsExactly(2, 4);
            assertThat(numbers(answers.get(1).get(0))).containsExactly(6, 8);
            assertThat(numbers(answers.get(0).get(1))).containsExactly(3);
            assertThat(numbers(answers.get(1).get(1))).containsExactly(7);
            assertThat(run(model, List.of("sum"), FakeEngine.row(1, 2)).get(0))
                    .singleElement()
                    .satisfies(sum -> assertThat(sum.name()).isEqualTo("sum"));
        }
    }

    @Test
    void padsShorterRequestsAndCutsThePaddingOffAgain() throws Exception {
        ModelSignature named = new ModelSignature(
                List.of(new TensorSpec("x", DataType.FP32, Shape.of(-1, -1), List.of("", "length"))),
                List.of(new TensorSpec("y", DataType.FP32, Shape.of(-1, -1), List.of("", "length"))));
        Path file = write("Tensor", "return torch.add(x, 1)");
        try (ModelInstance model = engine.load(
                new ModelSource(
                        new ModelId("m", "1"), file, new Padding(Map.of("x", 0.0), null), 1, Optional.of(named)),
                DeviceId.cpu(0))) {
            List<List<Tensor>> answers = run(model, List.of("y"), FakeEngine.row(1), FakeEngine.row(2, 3));

            assertThat(numbers(answers.get(0).get(0))).containsExactly(2);
            assertThat(numbers(answers.get(1).get(0))).containsExactly(3, 4);
        }
    }

    @Test
    void saysWhatTheModelGivesWhereItWasDeclaredOtherwise() throws Exception {
        assertFails("Tensor", "return x", "the model gives 1 outputs, declared are 2");
        assertFails(
                "Tuple[Tensor, Tensor]", "return (x, torch.sum(x))", "output 'sum' is float32[], declared is FP32[-1]");
        assertFails(
                "Tuple[Tensor, Tensor]",
                "return (torch.gt(x, 0), torch.sum(x, [1]))",
                "output 'twice' is boolean[1,2], declared is FP32[-1,-1]");
    }

    @Test
    void refusesWhatItCannotRunByName() throws Exception {
        Path broken = Files.write(folder.resolve("model.pt"), new byte[100]);
        assertThatThrownBy(() -> engine.load(source(broken, Optional.of(TWO_OUTPUTS)), DeviceId.cpu(0)))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageStartingWith("model.pt cannot be loaded on cpu:0: ");
        Path file = write("Tensor", "return x");
        assertThatThrownBy(() -> engine.load(source(file, Optional.empty()), DeviceId.cpu(0)))
                .isInstanceOf(ModelLoadException.class)
                .hasMessage("model.pt does not tell its inputs and outputs: model.yaml has to, as inputs and outputs");
        ModelSignature unsigned =
                new ModelSignature(List.of(spec("x", DataType.UINT64, -1)), List.of(spec("y", DataType.FP32, -1)));
        assertThatThrownBy(() -> engine.load(source(file, Optional.of(unsigned)), DeviceId.cpu(0)))
                .isInstanceOf(ModelLoadException.class)
                .hasMessage("'x' is of type UINT64, which this engine does not carry");
    }

    private void assertFails(String type, String body, String reason) throws Exception {
        try (ModelInstance model = load(TWO_OUTPUTS, type, body)) {
            assertThatThrownBy(() -> run(model, List.of("twice", "sum"), FakeEngine.row(1, 2)))
                    .rootCause()
                    .hasMessage(reason);
        }
    }

    private ModelInstance load(ModelSignature signature, String type, String body) throws Exception {
        return engine.load(source(write(type, body), Optional.of(signature)), DeviceId.cpu(0));
    }

    private static ModelSource source(Path file, Optional<ModelSignature> signature) {
        return new ModelSource(new ModelId("m", "1"), file, Padding.NONE, 1, signature);
    }

    private Path write(String type, String body) throws IOException {
        return Files.write(folder.resolve("model.pt"), TorchScriptWriter.module("x: Tensor", type, body));
    }

    private static List<List<Tensor>> run(ModelInstance model, List<String> outputs, Tensor... requests) {
        List<List<Tensor>> inputs = Stream.of(requests).map(List::of).toList();
        return model.run(new EngineBatch(inputs, outputs, EndableRun.NEVER))
                .toCompletableFuture()
                .join();
    }

    private static float[] numbers(Tensor tensor) {
        FloatBuffer data = tensor.data().asFloatBuffer();
        float[] numbers = new float[data.remaining()];
        data.get(numbers);
        return numbers;
    }

    private static TensorSpec spec(String name, DataType type, long... shape) {
        return new TensorSpec(name, type, Shape.of(shape));
    }
}
