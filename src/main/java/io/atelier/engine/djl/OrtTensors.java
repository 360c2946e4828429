package io.atelier.engine.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import io.atelier.core.DataType;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/** Tensors to DJL's arrays, and back from the session's results. */
final class OrtTensors {
    private OrtTensors() {}

    /** An array over the tensor's buffer, without a copy where that is direct; for strings a copy. */
    static NDArray toNDArray(NDManager manager, Tensor tensor) {
        var shape = new ai.djl.ndarray.types.Shape(tensor.shape().toArray());
        if (tensor.dataType() == DataType.BYTES) {
            return manager.create(strings(tensor), StandardCharsets.UTF_8, shape);
        }
        return manager.create(tensor.data().order(ByteOrder.nativeOrder()), shape, type(tensor.dataType()));
    }

    /** A tensor of INT16 over the tensor's buffer; the caller closes it. */
    static OnnxTensor toShorts(Tensor tensor) throws OrtException {
        return OnnxTensor.createTensor(
                OrtEnvironment.getEnvironment(),
                tensor.data().order(ByteOrder.nativeOrder()),
                tensor.shape().toArray(),
                OnnxJavaType.INT16);
    }

    /** A copy of the value on the heap, under the name of its specification. */
    static Tensor toTensor(TensorSpec spec, OnnxTensor value) throws OrtException {
        Shape shape = Shape.of(value.getInfo().getShape());
        ByteBuffer data = spec.dataType() == DataType.BYTES ? raw(flat(value.getValue())) : value.getByteBuffer();
        return new Tensor(spec.name(), spec.dataType(), shape, data);
    }

    /** The strings of an array of any rank, in row-major order. */
    private static List<String> flat(Object value) {
        if (value instanceof Object[] array) {
            return Arrays.stream(array).flatMap(part -> flat(part).stream()).toList();
        }
        return List.of((String) value);
    }

    private static String[] strings(Tensor tensor) {
        ByteBuffer data = tensor.data();
        String[] strings = new String[Math.toIntExact(tensor.shape().elements().orElseThrow())];
        for (int i = 0; i < strings.length; i++) {
            byte[] bytes = new byte[data.getInt()];
            data.get(bytes);
            strings[i] = new String(bytes, StandardCharsets.UTF_8);
        }
        return strings;
    }

    private static ByteBuffer raw(List<String> strings) {
        int size = 0;
        byte[][] encoded = new byte[strings.size()][];
        for (int i = 0; i < encoded.length; i++) {
            encoded[i] = strings.get(i).getBytes(StandardCharsets.UTF_8);
            size += Integer.BYTES + encoded[i].length;
        }
        ByteBuffer raw = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        for (byte[] element : encoded) {
            raw.putInt(element.length).put(element);
        }
        return raw.flip();
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
            case BYTES -> ai.djl.ndarray.types.DataType.STRING;
            case INT16, UINT16, UINT32, UINT64 -> throw new IllegalArgumentException(type + " is not carried by DJL");
        };
    }
}
