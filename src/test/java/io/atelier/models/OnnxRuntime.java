package io.atelier.models;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What is right: a session of ONNX Runtime that is given one request at a time, without service, queue, padding or DJL.
 * Thread-safe. Outputs that are no tensors are left out.
 */
final class OnnxRuntime implements AutoCloseable {
    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;

    OnnxRuntime(byte[] model) throws OrtException {
        try (OrtSession.SessionOptions options = options()) {
            session = environment.createSession(model, options);
        }
    }

    /** From a file, beside which data of its own may lie. */
    OnnxRuntime(Path model) throws OrtException {
        try (OrtSession.SessionOptions options = options()) {
            session = environment.createSession(model.toString(), options);
        }
    }

    private static OrtSession.SessionOptions options() throws OrtException {
        OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        options.setIntraOpNumThreads(1);
        options.setInterOpNumThreads(1);
        return options;
    }

    /** Names and kinds of the inputs, as ONNX Runtime prints them. */
    Map<String, String> inputs() throws OrtException {
        Map<String, String> inputs = new TreeMap<>();
        for (NodeInfo input : session.getInputInfo().values()) {
            inputs.put(input.getName(), input.getInfo().toString());
        }
        return inputs;
    }

    /** @throws OrtException if the model cannot be run on this */
    List<Value> run(List<Value> inputs) throws OrtException {
        Map<String, OnnxTensor> tensors = new HashMap<>();
        try {
            for (Value input : inputs) {
                tensors.put(input.name(), tensor(input));
            }
            try (OrtSession.Result result = session.run(tensors)) {
                List<Value> outputs = new ArrayList<>();
                for (Map.Entry<String, OnnxValue> output : result) {
                    if (output.getValue() instanceof OnnxTensor tensor) {
                        outputs.add(value(output.getKey(), tensor));
                    }
                }
                return outputs;
            }
        } finally {
            tensors.values().forEach(OnnxTensor::close);
        }
    }

    @Override
    public void close() throws OrtException {
        session.close();
    }

    private OnnxTensor tensor(Value value) throws OrtException {
        if (value.datatype().equals("BYTES")) {
            return OnnxTensor.createTensor(environment, value.texts().toArray(String[]::new), value.shape());
        }
        ByteBuffer data = ByteBuffer.allocateDirect(value.data().length).order(ByteOrder.nativeOrder());
        data.put(value.data()).flip();
        OnnxJavaType type = switch (value.datatype()) {
            case "FP32" -> OnnxJavaType.FLOAT;
            case "FP64" -> OnnxJavaType.DOUBLE;
            case "FP16" -> OnnxJavaType.FLOAT16;
            case "BF16" -> OnnxJavaType.BFLOAT16;
            default -> OnnxJavaType.valueOf(value.datatype());
        };
        return OnnxTensor.createTensor(environment, data, value.shape(), type);
    }

    private static Value value(String name, OnnxTensor tensor) throws OrtException {
        TensorInfo info = tensor.getInfo();
        if (info.type == OnnxJavaType.STRING) {
            List<String> texts = new ArrayList<>();
            flatten(tensor.getValue(), texts);
            return Value.texts(name, info.getShape(), texts);
        }
        String datatype = switch (info.onnxType) {
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT -> "FP32";
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE -> "FP64";
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16 -> "FP16";
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16 -> "BF16";
            default -> info.onnxType.name().replace("ONNX_TENSOR_ELEMENT_DATA_TYPE_", "");
        };
        ByteBuffer from = tensor.getByteBuffer();
        byte[] data = new byte[from.remaining()];
        from.get(data);
        return new Value(name, datatype, info.getShape(), data);
    }

    private static void flatten(Object nested, List<String> into) {
        if (nested instanceof Object[] several) {
            for (Object one : several) {
                flatten(one, into);
            }
        } else {
            into.add((String) nested);
        }
    }
}
