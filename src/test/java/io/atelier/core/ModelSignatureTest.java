package io.atelier.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.List;
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

    private static Tensor tensor(String name, int rows, int columns) {
        return new Tensor(name, DataType.INT8, Shape.of(rows, columns), ByteBuffer.allocateDirect(rows * columns));
    }
}
