package io.atelier.engine.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.onnxruntime.OnnxSequence;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import io.atelier.core.DataType;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.engine.onnx.ClassLabels;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Tensors to DJL's arrays, and back from the session's results. */
final class OrtTensors {
    private OrtTensors() {}

    /** An array over the tensor's buffer, without a copy where that is direct. */
    static NDArray toNDArray(NDManager manager, Tensor tensor) {
        var shape = new ai.djl.ndarray.types.Shape(tensor.shape().toArray());
        return manager.create(tensor.data().order(ByteOrder.nativeOrder()), shape, type(tensor.dataType()));
    }

    /** A tensor of one of the other types, over the tensor's buffer; of strings a copy. The caller closes it. */
    static OnnxTensor toOnnxTensor(Tensor tensor) throws OrtException {
        OrtCalls calls = OrtCalls.loaded();
        return tensor.dataType() == DataType.BYTES ? calls.strings(tensor) : calls.over(tensor);
    }

    /** A copy of the value on the heap, under the name of its specification. */
    static Tensor toTensor(TensorSpec spec, OnnxTensor value) throws OrtException {
        Shape shape = Shape.of(value.getInfo().getShape());
        ByteBuffer data = spec.dataType() == DataType.BYTES ? OrtCalls.loaded().raw(value) : value.getByteBuffer();
        return new Tensor(spec.name(), spec.dataType(), shape, data);
    }

    /** A sequence of maps from class to FP32 as {@code [maps, classes]}, under the name of its specification. */
    static Tensor toTensor(TensorSpec spec, OnnxSequence maps, ClassLabels classes) throws OrtException {
        ByteBuffer sorted =
                OrtCalls.loaded().valuesOfMaps(maps, classes.labels().size());
        int rows = sorted.remaining() / classes.labels().size() / Float.BYTES;
        return new Tensor(
                spec.name(), spec.dataType(), Shape.of(rows, classes.labels().size()), classes.inOrder(sorted));
    }

    /** Whether DJL has arrays of this type. It has strings too, but changes some of them. */
    static boolean isOfDjl(DataType type) {
        return switch (type) {
            case FP32, FP64, FP16, BF16, INT8, UINT8, INT32, INT64, BOOL -> true;
            case INT16, UINT16, UINT32, UINT64, BYTES -> false;
        };
    }

    static ai.djl.ndarray.types.DataType type(DataType type) {
        return switch (type) {
            case FP32 -> ai.djl.ndarray.types.DataType.FLOAT32;
            case FP64 -> ai.djl.ndarray.types.DataType.FLOAT64;
            case FP16 -> ai.djl.ndarray.types.DataType.FLOAT16;
            case BF16 -> ai.djl.ndarray.types.DataType.BFLOAT16;
            case INT8 -> ai.djl.ndarray.types.DataType.INT8;
            case UINT8 -> ai.djl.ndarray.types.DataType.UINT8;
            case INT32 -> ai.djl.ndarray.types.DataType.INT32;
            case INT64 -> ai.djl.ndarray.types.DataType.INT64;
            case BOOL -> ai.djl.ndarray.types.DataType.BOOLEAN;
            case INT16, UINT16, UINT32, UINT64, BYTES ->
                throw new IllegalArgumentException(type + " is not carried by DJL");
        };
    }
}
