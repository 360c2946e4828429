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
import java.util.Optional;

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
                            specs(session.getInputInfo().values(), LoadedSession::inputType),
                            specs(session.getOutputInfo().values(), LoadedSession::outputType)));
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

    /** What an element type is called here; empty where the engine does not carry it. */
    @FunctionalInterface
    private interface Types {
        Optional<DataType> of(TensorInfo.OnnxTensorType type);
    }

    private static List<TensorSpec> specs(Iterable<NodeInfo> nodes, Types types) throws ModelLoadException {
        List<TensorSpec> specs = new ArrayList<>();
        for (NodeInfo node : nodes) {
            if (!(node.getInfo() instanceof TensorInfo tensor)) {
                throw new ModelLoadException("'%s' is no tensor, which is not served".formatted(node.getName()));
            }
            specs.add(new TensorSpec(
                    node.getName(),
                    types.of(tensor.onnxType)
                            .orElseThrow(
                                    () -> new ModelLoadException("'%s' is of type %s, which this engine does not carry"
                                            .formatted(node.getName(), name(tensor.onnxType)))),
                    Shape.of(tensor.getShape()),
                    Arrays.asList(tensor.getDimensionNames())));
        }
        return specs;
    }

    /**
     * Types that ONNX Runtime's Java interface can make tensors of; a model that takes another one is refused rather than
     * half served.
     */
    private static Optional<DataType> inputType(TensorInfo.OnnxTensorType type) {
        return outputType(type).filter(known -> switch (known) {
            case UINT16, UINT32, UINT64 -> false;
            default -> true;
        });
    }

    /** Types whose raw bytes can be read from a result. */
    private static Optional<DataType> outputType(TensorInfo.OnnxTensorType type) {
        return Optional.ofNullable(
                switch (type) {
                    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT -> DataType.FP32;
                    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE -> DataType.FP64;
                    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16 -> DataType.FP16;
                    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16 -> DataType.BF16;
                    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8 -> DataType.INT8;
                    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8 -> DataType.UINT8;
                    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16 -> DataType.INT16;
                    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16 -> DataType.UINT16;
                    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32 -> DataType.INT32;
                    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32 -> DataType.UINT32;
                    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64 -> DataType.INT64;
                    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64 -> DataType.UINT64;
                    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL -> DataType.BOOL;
                    case ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING -> DataType.BYTES;
                    default -> null;
                });
    }

    private static String name(TensorInfo.OnnxTensorType type) {
        return type.name().replace("ONNX_TENSOR_ELEMENT_DATA_TYPE_", "");
    }
}
