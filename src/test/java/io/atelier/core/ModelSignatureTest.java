package io.atelier.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelSignatureTest {
    private static final ModelSignature TEXT = new ModelSignature(
            List.of(
                    new TensorSpec("ids", DataType.INT8, Shape.of(-1, -1), List.of("batch", "sequence")),
                    new TensorSpec("mask", DataType.INT8, Shape.of(-1, -1), List.of("batch", "sequence")),
                    new TensorSpec("free", DataType.INT8, Shape.of(-1, -1))),
            List.of());

    @Test
    void findsAxesOfOneNameThatDiffer() {
        assertThat(TEXT.contradiction(List.of(tensor("ids", 1, 4), tensor("mask", 1, 5), tensor("free", 1, 9))))
                .hasValue("inputs 'ids' [1,4] and 'mask' [1,5] differ in 'sequence'");
    }

    @Test
    void findsNothingWhereNamesAgreeOrAreMissing() {
        assertThat(TEXT.contradiction(List.of(tensor("ids", 1, 4), tensor("mask", 1, 4), tensor("free", 2, 9))))
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "batch,length | batch,length |",
                "unk__1,3 | unk__2,3 |",
                "p2o.DynamicDimension.0,3 | p2o.DynamicDimension.1,3 |",
                ",3 | ,3 |",
                "N,3 | hits,2 |",
                "batch,3 | batch,batch | 'y' has rows on more than one axis: [batch, batch]",
                "batch,batch | batch,batch |",
                "4,3 | batch,3 | input 'x' FP32[4,3] has no rows on its first axis",
                "batch,3 | 1,3 | output 'y' FP32[1,3] has no rows on its first axis",
            })
    void knowsWhatStandsAgainstRows(String input, String output, @Nullable String obstacle) {
        ModelSignature model = new ModelSignature(List.of(named("x", input)), List.of(named("y", output)));

        assertThat(model.obstacleToRows()).isEqualTo(Optional.ofNullable(obstacle));
        assertThat(model.hasBatchAxis()).isEqualTo(obstacle == null);
    }

    @Test
    void inputsWhoseRowsHaveNamesOfTheirOwnAreNotJoined() {
        ModelSignature clip = new ModelSignature(
                List.of(named("input_ids", "text_batch_size,length"), named("pixel_values", "image_batch_size,3")),
                List.of(named("logits", "image_batch_size,text_batch_size")));

        assertThat(clip.obstacleToRows())
                .hasValue("its inputs name their rows differently: text_batch_size, image_batch_size");
    }

    @Test
    void aScalarAndAnOpenShapeHaveNoRows() {
        TensorSpec y = named("y", "batch,3");

        assertThat(new ModelSignature(List.of(new TensorSpec("x", DataType.FP32, Shape.of())), List.of(y))
                        .hasBatchAxis())
                .isFalse();
        assertThat(new ModelSignature(List.of(new TensorSpec("x", DataType.FP32, Shape.UNKNOWN)), List.of(y))
                        .hasBatchAxis())
                .isFalse();
        assertThat(new ModelSignature(List.of(), List.of(y)).obstacleToRows()).hasValue("it has no inputs");
    }

    /** Axes by their names, or by their sizes where they are fixed. */
    private static TensorSpec named(String name, String axes) {
        List<String> names = List.of(axes.split(",", -1));
        long[] sizes = names.stream()
                .mapToLong(axis -> axis.matches("\\d+") ? Long.parseLong(axis) : Shape.DYNAMIC)
                .toArray();
        return new TensorSpec(
                name,
                DataType.FP32,
                Shape.of(sizes),
                names.stream().map(axis -> axis.matches("\\d+") ? "" : axis).toList());
    }

    @Test
    void acceptsARequestThatFitsAndNoOther() {
        ModelSignature model = new ModelSignature(
                TEXT.inputs().subList(0, 1), List.of(new TensorSpec("y", DataType.INT8, Shape.of(-1))));

        assertThat(model.accepts(request("y", tensor("ids", 1, 4)))).isTrue();
        assertThat(model.accepts(request("z", tensor("ids", 1, 4)))).isFalse();
        assertThat(model.accepts(request("y", tensor("mask", 1, 4)))).isFalse();
        assertThat(model.accepts(request("y"))).isFalse();
        assertThat(model.accepts(
                        request("y", new Tensor("ids", DataType.UINT8, Shape.of(1, 4), ByteBuffer.allocateDirect(4)))))
                .isFalse();
        assertThat(model.accepts(
                        request("y", new Tensor("ids", DataType.INT8, Shape.of(4), ByteBuffer.allocateDirect(4)))))
                .isFalse();
    }

    @Test
    void anOptionalInputMayBeThereAndHasToFit() {
        ModelSignature model = new ModelSignature(
                TEXT.inputs().subList(0, 1),
                List.of(new TensorSpec("y", DataType.INT8, Shape.of(-1))),
                List.of(new TensorSpec("bias", DataType.INT8, Shape.of(1, 2))));

        assertThat(model.accepts(request("y", tensor("ids", 1, 4)))).isTrue();
        assertThat(model.accepts(request("y", tensor("ids", 1, 4), tensor("bias", 1, 2))))
                .isTrue();
        assertThat(model.accepts(request("y", tensor("ids", 1, 4), tensor("bias", 1, 3))))
                .isFalse();
        assertThat(model.accepts(request("y", tensor("ids", 1, 4), tensor("ids", 1, 4))))
                .isFalse();
        assertThat(model.inOrder(Map.of("bias", tensor("bias", 1, 2), "ids", tensor("ids", 1, 4))))
                .extracting(Tensor::name)
                .containsExactly("ids", "bias");
    }

    @Test
    void aShapeThatIsNotToldAcceptsEveryOneAndStartsWithNoRows() {
        TensorSpec any = new TensorSpec("x", DataType.INT8, Shape.UNKNOWN);

        assertThat(any.shape().accepts(Shape.of())).isTrue();
        assertThat(any.shape().accepts(Shape.of(3, 0))).isTrue();
        assertThat(any.shape()).hasToString("[-1]").isNotEqualTo(Shape.of(-1));
        assertThat(new ModelSignature(List.of(any), List.of(any)).hasBatchAxis())
                .isFalse();
    }

    private static InferenceRequest request(String output, Tensor... inputs) {
        return new InferenceRequest(null, new ModelId("m", "1"), List.of(inputs), List.of(output), 0);
    }

    private static Tensor tensor(String name, int rows, int columns) {
        return new Tensor(name, DataType.INT8, Shape.of(rows, columns), ByteBuffer.allocateDirect(rows * columns));
    }
}
