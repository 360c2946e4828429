package io.atelier.repository;

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
import io.atelier.engine.ModelSource;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DeclarationCheckTest {
    /** As most models are: rows, and an image of any size. */
    private static final ModelSignature ROWS = new ModelSignature(
            List.of(
                    new TensorSpec("x", DataType.FP32, Shape.of(-1, 3, -1), List.of("batch", "", "width")),
                    new TensorSpec("n", DataType.INT64, Shape.of(-1), List.of("batch"))),
            List.of(
                    new TensorSpec("y", DataType.FP32, Shape.of(-1, 5, 1, 1), List.of("batch", "", "", "")),
                    new TensorSpec("z", DataType.FP32, Shape.of(-1, -1), List.of("batch", ""))));

    /** As the quickstart's is. */
    private static final ModelSignature FIXED = new ModelSignature(
            List.of(new TensorSpec("x", DataType.FP32, Shape.of(1, 3, 4))),
            List.of(new TensorSpec("y", DataType.FP32, Shape.of(1, 5, 1, 1))));

    @Test
    void aFolderThatSaysNothingShowsTheModelAsItIs() throws Exception {
        ModelInstance model = instance(ROWS);
        assertThat(show("", model)).isSameAs(model);
        assertThat(show("max_batch_size: 4", model)).isSameAs(model);
    }

    @Test
    void withoutRowsRequestsAreNeverJoined() throws Exception {
        ModelInstance shown = show("max_batch_size: 0", instance(ROWS));

        assertThat(shown.signature().hasBatchAxis()).isFalse();
        assertThat(shown.signature().hasBatchAxis()).isFalse();
        assertThat(shown.signature().inputs()).isEqualTo(ROWS.inputs());
    }

    @Test
    void showsTheShapesOfTheConfigurationAndTheOutputsItNames() throws Exception {
        ModelInstance shown = show("""
                max_batch_size: 4
                input { name: "n" data_type: TYPE_INT64 dims: 1 reshape { } }
                input { name: "x" data_type: TYPE_FP32 dims: [ 3, 8 ] }
                output { name: "y" data_type: TYPE_FP32 dims: 5 reshape { shape: [ 5, 1, 1 ] } }
                """, instance(ROWS));

        assertThat(shown.signature().hasBatchAxis()).isTrue();
        assertThat(SignatureCheck.types(shown.signature().inputs())).isEqualTo("x FP32[-1,3,8], n INT64[-1,1]");
        assertThat(SignatureCheck.types(shown.signature().outputs())).isEqualTo("y FP32[-1,5]");
        assertThat(shown.signature().inputs().get(0).axisNames()).containsExactly("batch", "", "width");
    }

    @Test
    void theModelIsRunInItsOwnShapes() throws Exception {
        StubEngine engine = new StubEngine(FIXED);
        engine.answer = batch -> CompletableFuture.completedStage(List.of(List.of(tensor("y", Shape.of(1, 5, 1, 1)))));
        ModelInstance shown = show("""
                max_batch_size: 0
                input { name: "x" data_type: TYPE_FP32 dims: [ 3, 4 ] reshape { shape: [ 1, 3, 4 ] } }
                output { name: "y" data_type: TYPE_FP32 dims: 5 reshape { shape: [ 1, 5, 1, 1 ] } }
                """, engine.load(source(), DeviceId.cpu(0)));

        List<List<Tensor>> answers = shown.run(new EngineBatch(
                        List.of(List.of(tensor("x", Shape.of(3, 4)))), List.of("y"), new CompletableFuture<>()))
                .toCompletableFuture()
                .join();

        assertThat(engine.runs.get(0).requests().get(0).get(0).shape()).isEqualTo(Shape.of(1, 3, 4));
        assertThat(answers.get(0).get(0).shape()).isEqualTo(Shape.of(5));
    }

    @Test
    void anOutputOfAnotherShapeThanTheReshapeSaysIsAFailure() throws Exception {
        StubEngine engine = new StubEngine(FIXED);
        ModelInstance shown = show(
                "max_batch_size: 0 output { name: \"y\" data_type: TYPE_FP32 dims: 5 reshape { shape: [ 1, 5, 1, 1 ] } }",
                engine.load(source(), DeviceId.cpu(0)));

        assertThat(shown.run(new EngineBatch(
                        List.of(List.of(tensor("x", Shape.of(1, 3, 4)))), List.of("y"), new CompletableFuture<>())))
                .failsWithin(java.time.Duration.ZERO)
                .withThrowableThat()
                .withMessageContaining("the output 'y' is [1,1], its configuration reshapes [1,5,1,1]");
    }

    @Test
    void callersMayUseTheModelsOwnShapeToo() throws Exception {
        TensorSpec input = show("""
                max_batch_size: 0
                input { name: "x" data_type: TYPE_FP32 dims: [ 3, 4 ] reshape { shape: [ 1, 3, 4 ] } }
                """, instance(FIXED)).signature().inputs().get(0);

        assertThat(input.accept(Shape.of(3, 4))).contains(Shape.of(3, 4));
        assertThat(input.accept(Shape.of(1, 3, 4))).contains(Shape.of(3, 4));
        assertThat(input.accept(Shape.of(4, 3))).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "input { name: \"q\" data_type: TYPE_FP32 dims: 3 } | input: the model has no input 'q', it has x, n",
                "input { name: \"x\" data_type: TYPE_FP32 dims: [ 3, -1 ] } | input: 'n' is missing, the model takes x, n",
                "output { name: \"q\" data_type: TYPE_FP32 dims: 3 } | output: the model has no output 'q', it has y, z",
                "output { name: \"y\" data_type: TYPE_INT64 dims: [ 5, 1, 1 ] } | output 'y': data_type is TYPE_INT64, the model has TYPE_FP32",
                "output { name: \"y\" data_type: TYPE_FP32 dims: 5 } | output 'y': dims is [5], which with the axis of rows is [-1,5], the model has [-1,5,1,1]",
                "output { name: \"z\" data_type: TYPE_FP32 dims: 7 } | output 'z': dims is [7], which with the axis of rows is [-1,7], the model has [-1,-1]",
                "max_batch_size: 0 output { name: \"y\" data_type: TYPE_FP32 dims: 5 reshape { shape: [ 1, 5 ] } } | output 'y': reshape is [1,5], the model has [-1,5,1,1]",
                "input { name: \"x\" data_type: TYPE_FP32 dims: [ 4, -1 ] } input { name: \"n\" data_type: TYPE_INT64 dims: [ ] } | input 'x': dims is [4,-1], which with the axis of rows is [-1,4,-1], the model has [-1,3,-1]",
            })
    void refusesWhatContradictsTheModel(String text, String reason) {
        assertThatThrownBy(() -> show(text, instance(ROWS))).hasMessage(reason);
    }

    @Test
    void refusesRowsWhereTheModelHasNone() {
        assertThatThrownBy(() -> show("max_batch_size: 8", instance(FIXED)))
                .hasMessage("max_batch_size is above 0, and the first axis of 'x' is not one of any size: the model has"
                        + " FP32[1,3,4]; allowed is max_batch_size: 0, with the whole shape in dims");
    }

    private static ModelInstance show(String config, ModelInstance instance) throws Exception {
        return DeclarationCheck.show(TritonConfig.parse(config, "m").declaration(), instance);
    }

    private static ModelInstance instance(ModelSignature signature) throws Exception {
        return new StubEngine(signature).load(source(), DeviceId.cpu(0));
    }

    private static ModelSource source() {
        return new ModelSource(new ModelId("m", "1"), Path.of("model.onnx"), Padding.NONE, 1);
    }

    private static Tensor tensor(String name, Shape shape) {
        return new Tensor(
                name,
                DataType.FP32,
                shape,
                ByteBuffer.allocate((int) shape.elements().orElseThrow() * Float.BYTES));
    }
}
