package io.atelier.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

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
