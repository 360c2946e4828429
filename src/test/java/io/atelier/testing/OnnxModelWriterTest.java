package io.atelier.testing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OnnxModelWriterTest {
    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();

    @ParameterizedTest
    @CsvSource({
        "FLOAT, FLOAT, 4", "UINT8, UINT8, 1", "INT8, INT8, 1", "UINT16, UINT16, 2", "INT16, INT16, 2",
        "INT32, INT32, 4", "INT64, INT64, 8", "BOOL, BOOL, 1", "FLOAT16, FLOAT16, 2", "DOUBLE, DOUBLE, 8",
        "UINT32, UINT32, 4", "UINT64, UINT64, 8", "BFLOAT16, BFLOAT16, 2", "FP16, FLOAT16, 2", "BF16, BFLOAT16, 2"
    })
    void identityReturnsItsInput(String onnxType, String infoType, int sizeBytes) throws OrtException {
        try (OrtSession session = session(OnnxModelWriter.identity(onnxType, "batch", 2))) {
            NodeInfo node = Objects.requireNonNull(session.getInputInfo().get("INPUT0"));
            TensorInfo info = (TensorInfo) node.getInfo();
            assertEquals("ONNX_TENSOR_ELEMENT_DATA_TYPE_" + infoType, info.onnxType.name());
            assertArrayEquals(new long[] {-1, 2}, info.getShape());
            assertArrayEquals(new String[] {"batch", ""}, info.getDimensionNames());
            // The bindings of Java hold no more than these types of tensor.
            if (info.type == OnnxJavaType.UNKNOWN || (onnxType.startsWith("UINT") && sizeBytes > 1)) {
                return;
            }
            ByteBuffer bytes = ByteBuffer.allocateDirect(6 * sizeBytes).order(ByteOrder.nativeOrder());
            for (int i = 0; i < bytes.capacity(); i += sizeBytes) {
                bytes.put(i, (byte) 1);
            }
            try (OnnxTensor input = OnnxTensor.createTensor(environment, bytes, new long[] {3, 2}, info.type);
                    OrtSession.Result result = session.run(Map.of("INPUT0", input))) {
                OnnxTensor output = (OnnxTensor) result.get("OUTPUT0").orElseThrow();
                assertArrayEquals(new long[] {3, 2}, output.getInfo().getShape());
                assertEquals(bytes.rewind(), output.getByteBuffer().order(ByteOrder.nativeOrder()));
            }
        }
    }

    @Test
    void identityReturnsStrings() throws OrtException {
        try (OrtSession session = session(OnnxModelWriter.identity("STRING", "batch"));
                OnnxTensor input = OnnxTensor.createTensor(environment, new String[] {"größer", ""});
                OrtSession.Result result = session.run(Map.of("INPUT0", input))) {
            assertArrayEquals(
                    new String[] {"größer", ""}, (String[]) result.get(0).getValue());
        }
    }

    @Test
    void addReturnsSumAndDifference() throws OrtException {
        try (OrtSession session = session(OnnxModelWriter.add("batch", 2));
                OnnxTensor first = OnnxTensor.createTensor(environment, new int[][] {{1, 2}, {3, 4}});
                OnnxTensor second = OnnxTensor.createTensor(environment, new int[][] {{10, 20}, {30, 40}});
                OrtSession.Result result = session.run(Map.of("INPUT0", first, "INPUT1", second))) {
            assertArrayEquals(new int[][] {{11, 22}, {33, 44}}, (int[][])
                    result.get("OUTPUT0").orElseThrow().getValue());
            assertArrayEquals(new int[][] {{-9, -18}, {-27, -36}}, (int[][])
                    result.get("OUTPUT1").orElseThrow().getValue());
        }
    }

    @Test
    void matmulMultipliesByItsWeights() throws OrtException {
        float[] weights = OnnxModelWriter.weights(2, 3, 7);
        try (OrtSession session = session(OnnxModelWriter.matmul(2, 3, 7));
                OnnxTensor input = OnnxTensor.createTensor(environment, new float[][] {{1, 0}, {0, 2}});
                OrtSession.Result result = session.run(Map.of("INPUT0", input))) {
            float[][] output = (float[][]) result.get(0).getValue();
            assertArrayEquals(new float[] {weights[0], weights[1], weights[2]}, output[0]);
            assertArrayEquals(new float[] {2 * weights[3], 2 * weights[4], 2 * weights[5]}, output[1]);
        }
    }

    @Test
    void refusesUnknownElementTypes() {
        assertThrows(IllegalArgumentException.class, () -> OnnxModelWriter.identity("FLOAT12", 1));
    }

    private OrtSession session(byte[] model) throws OrtException {
        return environment.createSession(model);
    }
}
