package io.atelier.engine.djl;

import ai.djl.Model;
import ai.djl.nn.Block;
import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.atelier.core.DataType;
import io.atelier.core.ModelSignature;
import io.atelier.core.Shape;
import io.atelier.core.TensorSpec;
import io.atelier.engine.ModelLoadException;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The session beneath a DJL model, and what it says of its inputs and outputs.
 *
 * <p>DJL's block describes no shapes and keeps its session private, so the session is read from its field. Should a
 * newer DJL name it otherwise, loading fails with that name.
 */
record LoadedSession(OrtSession session, ModelSignature signature) {
    private static final String SESSION = "session";

    static LoadedSession of(Model model) throws ModelLoadException {
        OrtSession session = session(model.getBlock());
        try {
            return new LoadedSession(
                    session,
                    new ModelSignature(
                            specs(session.getInputInfo().values()),
                            specs(session.getOutputInfo().values())));
        } catch (OrtException failure) {
            throw new ModelLoadException("the model does not tell its inputs and outputs", failure);
        }
    }

    private static OrtSession session(Block block) throws ModelLoadException {
        try {
            Field field = block.getClass().getDeclaredField(SESSION);
            field.setAccessible(true);
            return (OrtSession) field.get(block);
        } catch (ReflectiveOperationException missing) {
            throw new ModelLoadException(
                    "%s has no field '%s'".formatted(block.getClass().getName(), SESSION), missing);
        }
    }

    private static List<TensorSpec> specs(Iterable<NodeInfo> nodes) throws ModelLoadException {
        List<TensorSpec> specs = new ArrayList<>();
        for (NodeInfo node : nodes) {
            if (!(node.getInfo() instanceof TensorInfo tensor)) {
                throw new ModelLoadException("'%s' is no tensor, which is not served".formatted(node.getName()));
            }
            specs.add(new TensorSpec(
                    node.getName(),
                    type(node.getName(), tensor),
                    Shape.of(tensor.getShape()),
                    Arrays.asList(tensor.getDimensionNames())));
        }
        return specs;
    }

    /** Types that DJL's OnnxRuntime arrays carry; a model with another one is refused rather than half served. */
    private static DataType type(String name, TensorInfo tensor) throws ModelLoadException {
        return switch (tensor.onnxType) {
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT -> DataType.FP32;
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE -> DataType.FP64;
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16 -> DataType.FP16;
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16 -> DataType.BF16;
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8 -> DataType.INT8;
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8 -> DataType.UINT8;
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32 -> DataType.INT32;
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64 -> DataType.INT64;
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL -> DataType.BOOL;
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING -> DataType.BYTES;
            default ->
                throw new ModelLoadException("'%s' is of type %s, which this engine does not carry"
                        .formatted(name, tensor.onnxType.name().replace("ONNX_TENSOR_ELEMENT_DATA_TYPE_", "")));
        };
    }
}
