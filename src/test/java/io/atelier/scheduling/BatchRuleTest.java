package io.atelier.scheduling;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.core.BatchShape;
import io.atelier.core.DataType;
import io.atelier.core.ModelSignature;
import io.atelier.core.Padding;
import io.atelier.core.Shape;
import io.atelier.core.Sharing;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BatchRuleTest {
    private static final List<String> AXES = List.of("batch", "length");
    private static final ModelSignature MODEL = new ModelSignature(
            List.of(
                    new TensorSpec("ids", DataType.INT8, Shape.of(-1, -1), AXES),
                    new TensorSpec("mask", DataType.INT8, Shape.of(-1, -1), AXES)),
            List.of(),
            List.of(new TensorSpec("bias", DataType.INT8, Shape.of(1, 1))));
    private static final Padding PADDING = new Padding(Map.of("ids", 0.0, "mask", 0.0), "mask");
    private static final BatchRule PADDED = new BatchRule(MODEL, Sharing.rows(""), PADDING);

    @Test
    void requestsOfOneBucketShareAndCountTheirRows() {
        BatchShape five = PADDED.shapeOf(request(2, 5, 5));
        BatchShape eight = PADDED.shapeOf(request(1, 8, 8));

        assertThat(five.key()).isEqualTo(eight.key());
        assertThat(five.rows()).isEqualTo(2);
        assertThat(PADDED.shapeOf(request(1, 9, 9)).key()).isNotEqualTo(five.key());
    }

    @Test
    void whatWasNotShownToBearPaddingSharesByEqualLengthsAlone() {
        BatchRule rule = new BatchRule(MODEL, new Sharing(Sharing.Extent.ROWS, false, ""), PADDING);

        assertThat(rule.shapeOf(request(1, 5, 5)).key())
                .isEqualTo(rule.shapeOf(request(3, 5, 5)).key());
        assertThat(rule.shapeOf(request(1, 5, 5)).key())
                .isNotEqualTo(rule.shapeOf(request(1, 8, 8)).key());
    }

    @Test
    void aRequestRunsAloneWhoseInputsDisagreeInWhatPaddingWouldMakeEqual() {
        assertAlone(PADDED, request(1, 5, 7));
    }

    @Test
    void aRequestRunsAloneWhoseInputsHaveRowsOfTheirOwnNumber() {
        assertAlone(PADDED, List.of(tensor("ids", 2, 5), tensor("mask", 1, 5)));
    }

    @Test
    void aRequestOfSeveralRowsRunsAloneWhereSingleRowsShare() {
        BatchRule rule = new BatchRule(MODEL, new Sharing(Sharing.Extent.SINGLE_ROWS, true, ""), PADDING);

        assertThat(rule.shapeOf(request(1, 5, 5)).key())
                .isEqualTo(rule.shapeOf(request(1, 6, 6)).key());
        assertAlone(rule, request(2, 5, 5));
    }

    @Test
    void aRequestThatGivesAnOptionalInputRunsAlone() {
        assertAlone(PADDED, List.of(tensor("ids", 1, 5), tensor("mask", 1, 5), tensor("bias", 1, 1)));
    }

    @Test
    void aRequestWithoutRowsRunsAlone() {
        assertAlone(PADDED, request(0, 5, 5));
        assertAlone(BatchRule.alone(), request(3, 5, 5));
    }

    private static void assertAlone(BatchRule rule, List<Tensor> request) {
        assertThat(rule.shapeOf(request).key())
                .isNotEqualTo(rule.shapeOf(request).key());
        assertThat(rule.shapeOf(request).rows()).isEqualTo(1);
    }

    private static List<Tensor> request(int rows, int ids, int mask) {
        return List.of(tensor("ids", rows, ids), tensor("mask", rows, mask));
    }

    private static Tensor tensor(String name, int rows, int length) {
        return new Tensor(name, DataType.INT8, Shape.of(rows, length), ByteBuffer.allocate(rows * length));
    }
}
