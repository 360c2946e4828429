package io.atelier.engine.djl;

import ai.onnxruntime.OnnxSequence;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.Set;

/**
 * What ONNX Runtime's Java interface keeps to itself: the native objects behind its own, and a run with more inputs than
 * it counts. Should a newer version name something otherwise, this fails with that name. Stateless.
 */
final class OrtInternals {
    private static final String HANDLE = "nativeHandle";

    private OrtInternals() {}

    /** The address of the table of C functions. */
    static long api() throws OrtException {
        try {
            return (long) field(Class.forName("ai.onnxruntime.OnnxRuntime"), "ortApiHandle")
                    .get(null);
        } catch (ReflectiveOperationException missing) {
            throw missing(missing);
        }
    }

    static long handle(OrtSession session) throws OrtException {
        return handle(OrtSession.class, session);
    }

    /** @param value a tensor or a sequence */
    static long handle(OnnxValue value) throws OrtException {
        return handle(value instanceof OnnxSequence ? OnnxSequence.class : OnnxTensorLike.class, value);
    }

    /** A tensor that the C interface made; closing it frees that. */
    static OnnxTensor tensor(long handle, long allocator) throws OrtException {
        try {
            Constructor<OnnxTensor> constructor =
                    OnnxTensor.class.getDeclaredConstructor(long.class, long.class, TensorInfo.class);
            constructor.setAccessible(true);
            return constructor.newInstance(handle, allocator, null);
        } catch (ReflectiveOperationException missing) {
            throw missing(missing);
        }
    }

    /**
     * A run that also takes initializers which a caller overrides. {@link OrtSession#run} refuses names of which it does
     * not know that they are inputs.
     */
    static OrtSession.Result run(
            OrtSession session,
            long allocator,
            Map<String, OnnxTensor> inputs,
            Set<String> outputs,
            OrtSession.RunOptions options)
            throws OrtException {
        String[] inputNames = new String[inputs.size()];
        long[] inputHandles = new long[inputs.size()];
        int count = 0;
        for (Map.Entry<String, OnnxTensor> input : inputs.entrySet()) {
            inputNames[count] = input.getKey();
            inputHandles[count] = handle(OnnxTensorLike.class, input.getValue());
            count++;
        }
        String[] outputNames = outputs.toArray(String[]::new);
        OnnxValue[] values = new OnnxValue[outputNames.length];
        try {
            Method run = OrtSession.class.getDeclaredMethod(
                    "run",
                    long.class,
                    long.class,
                    long.class,
                    String[].class,
                    long[].class,
                    long.class,
                    String[].class,
                    long.class,
                    OnnxValue[].class,
                    long[].class,
                    long.class);
            run.setAccessible(true);
            boolean[] owned = (boolean[]) run.invoke(
                    session,
                    api(),
                    handle(session),
                    allocator,
                    inputNames,
                    inputHandles,
                    (long) inputNames.length,
                    outputNames,
                    (long) outputNames.length,
                    values,
                    new long[outputNames.length],
                    handle(OrtSession.RunOptions.class, options));
            Constructor<OrtSession.Result> constructor =
                    OrtSession.Result.class.getDeclaredConstructor(String[].class, OnnxValue[].class, boolean[].class);
            constructor.setAccessible(true);
            return constructor.newInstance(outputNames, values, owned);
        } catch (InvocationTargetException failure) {
            throw failure.getCause() instanceof OrtException known ? known : missing(failure);
        } catch (ReflectiveOperationException missing) {
            throw missing(missing);
        }
    }

    private static long handle(Class<?> owner, Object object) throws OrtException {
        try {
            return field(owner, HANDLE).getLong(object);
        } catch (ReflectiveOperationException missing) {
            throw missing(missing);
        }
    }

    private static Field field(Class<?> owner, String name) throws ReflectiveOperationException {
        Field field = owner.getDeclaredField(name);
        field.setAccessible(true);
        return field;
    }

    private static OrtException missing(ReflectiveOperationException cause) {
        OrtException failure = new OrtException("ONNX Runtime's Java interface is not the one that is known: " + cause);
        failure.initCause(cause);
        return failure;
    }
}
