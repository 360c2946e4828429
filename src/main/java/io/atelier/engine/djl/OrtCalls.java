package io.atelier.engine.djl;

import ai.onnxruntime.OnnxSequence;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.sun.jna.Function;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.engine.djl.SessionValue.Kind;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * ONNX Runtime's C functions, for what its Java interface cannot do: strings as the bytes that they are (it passes
 * modified UTF-8, which changes U+0000 and all beyond the basic plane), unsigned types, sequences of maps, and the full
 * description of a session. They are called in the library that the Java interface has loaded, through its table of functions.
 *
 * <p>Thread-safe.
 *
 * @see <a href="https://github.com/microsoft/onnxruntime/blob/main/include/onnxruntime/core/session/onnxruntime_c_api.h">ONNX
 *     Runtime: onnxruntime_c_api.h</a>
 */
final class OrtCalls {
    /** A function by its place in the table, to which newer versions add at the end alone. */
    private enum Call {
        GET_ERROR_MESSAGE(2),
        SESSION_GET_INPUT_COUNT(30),
        SESSION_GET_OUTPUT_COUNT(31),
        SESSION_GET_OVERRIDABLE_INITIALIZER_COUNT(32),
        SESSION_GET_INPUT_TYPE_INFO(33),
        SESSION_GET_OUTPUT_TYPE_INFO(34),
        SESSION_GET_OVERRIDABLE_INITIALIZER_TYPE_INFO(35),
        SESSION_GET_INPUT_NAME(36),
        SESSION_GET_OUTPUT_NAME(37),
        SESSION_GET_OVERRIDABLE_INITIALIZER_NAME(38),
        CREATE_TENSOR(48),
        CREATE_TENSOR_WITH_DATA(49),
        GET_TENSOR_MUTABLE_DATA(51),
        GET_STRING_TENSOR_DATA_LENGTH(53),
        GET_STRING_TENSOR_CONTENT(54),
        CAST_TYPE_INFO_TO_TENSOR_INFO(55),
        GET_ONNX_TYPE_FROM_TYPE_INFO(56),
        GET_TENSOR_ELEMENT_TYPE(60),
        GET_DIMENSIONS_COUNT(61),
        GET_DIMENSIONS(62),
        GET_SYMBOLIC_DIMENSIONS(63),
        GET_TENSOR_SHAPE_ELEMENT_COUNT(64),
        GET_TENSOR_TYPE_AND_SHAPE(65),
        CREATE_CPU_MEMORY_INFO(69),
        ALLOCATOR_FREE(76),
        GET_ALLOCATOR_WITH_DEFAULT_OPTIONS(78),
        GET_VALUE(80),
        GET_VALUE_COUNT(81),
        RELEASE_STATUS(93),
        RELEASE_VALUE(96),
        RELEASE_TYPE_INFO(98),
        RELEASE_TENSOR_TYPE_AND_SHAPE_INFO(99),
        GET_RESIZED_STRING_TENSOR_ELEMENT_BUFFER(252),
        TENSOR_TYPE_AND_SHAPE_HAS_SHAPE(390);

        private final int place;

        Call(int place) {
            this.place = place;
        }
    }

    /** The first version whose table has all of them. */
    private static final int FIRST_MINOR_VERSION = 24;

    private static final int ARENA_ALLOCATOR = 1;
    private static final int DEFAULT_MEMORY = 0;
    private static final int STRING = 8;
    private static final int VALUES_OF_MAP = 1;

    private final Map<Call, Function> functions = new EnumMap<>(Call.class);
    private final Pointer allocator;
    private final Pointer memory;

    private OrtCalls(Pointer table) throws OrtException {
        for (Call call : Call.values()) {
            functions.put(call, Function.getFunction(table.getPointer((long) call.place * Native.POINTER_SIZE)));
        }
        allocator = pointer(Call.GET_ALLOCATOR_WITH_DEFAULT_OPTIONS);
        memory = pointer(Call.CREATE_CPU_MEMORY_INFO, ARENA_ALLOCATOR, DEFAULT_MEMORY);
    }

    /** The functions of the library that is loaded. */
    static OrtCalls loaded() {
        return Holder.CALLS;
    }

    private static final class Holder {
        static final OrtCalls CALLS = find();

        private static OrtCalls find() {
            String version = OrtEnvironment.getEnvironment().getVersion();
            if (!version.startsWith("1.") || Integer.parseInt(version.split("\\.", -1)[1]) < FIRST_MINOR_VERSION) {
                throw new IllegalStateException(
                        "ONNX Runtime is %s, needed is 1.%d or a later 1.x".formatted(version, FIRST_MINOR_VERSION));
            }
            try {
                return new OrtCalls(new Pointer(OrtInternals.api()));
            } catch (OrtException failure) {
                throw new IllegalStateException(failure);
            }
        }
    }

    /** The allocator of what the library makes for callers. */
    long allocator() {
        return Pointer.nativeValue(allocator);
    }

    /** What a session must be given. */
    List<SessionValue> inputs(OrtSession session) throws OrtException {
        return values(
                session, Call.SESSION_GET_INPUT_COUNT, Call.SESSION_GET_INPUT_NAME, Call.SESSION_GET_INPUT_TYPE_INFO);
    }

    /** What a session gives. */
    List<SessionValue> outputs(OrtSession session) throws OrtException {
        return values(
                session,
                Call.SESSION_GET_OUTPUT_COUNT,
                Call.SESSION_GET_OUTPUT_NAME,
                Call.SESSION_GET_OUTPUT_TYPE_INFO);
    }

    /** What a session may be given in place of its own constants. */
    List<SessionValue> overridableInitializers(OrtSession session) throws OrtException {
        return values(
                session,
                Call.SESSION_GET_OVERRIDABLE_INITIALIZER_COUNT,
                Call.SESSION_GET_OVERRIDABLE_INITIALIZER_NAME,
                Call.SESSION_GET_OVERRIDABLE_INITIALIZER_TYPE_INFO);
    }

    private List<SessionValue> values(OrtSession session, Call count, Call name, Call type) throws OrtException {
        Pointer handle = new Pointer(OrtInternals.handle(session));
        long size = number(count, handle);
        List<SessionValue> values = new ArrayList<>();
        for (long i = 0; i < size; i++) {
            Pointer text = pointer(name, handle, i, allocator);
            String named = text.getString(0, StandardCharsets.UTF_8.name());
            check(Call.ALLOCATOR_FREE, allocator, text);
            Pointer info = pointer(type, handle, i);
            try {
                values.add(value(named, info));
            } finally {
                release(Call.RELEASE_TYPE_INFO, info);
            }
        }
        return values;
    }

    private SessionValue value(String name, Pointer typeInfo) throws OrtException {
        Kind kind = Kind.of((int) number(Call.GET_ONNX_TYPE_FROM_TYPE_INFO, typeInfo));
        if (kind != Kind.TENSOR) {
            return new SessionValue(name, kind, 0, Shape.UNKNOWN, List.of(""));
        }
        Pointer info = pointer(Call.CAST_TYPE_INFO_TO_TENSOR_INFO, typeInfo);
        int elementType = (int) number(Call.GET_TENSOR_ELEMENT_TYPE, info);
        if ((function(Call.TENSOR_TYPE_AND_SHAPE_HAS_SHAPE).invokeInt(new Object[] {info}) & 0xFF) == 0) {
            return new SessionValue(name, kind, elementType, Shape.UNKNOWN, List.of(""));
        }
        int rank = (int) number(Call.GET_DIMENSIONS_COUNT, info);
        if (rank == 0) {
            return new SessionValue(name, kind, elementType, Shape.of(), List.of());
        }
        try (Memory sizes = new Memory((long) rank * Long.BYTES);
                Memory names = new Memory((long) rank * Native.POINTER_SIZE)) {
            check(Call.GET_DIMENSIONS, info, sizes, (long) rank);
            check(Call.GET_SYMBOLIC_DIMENSIONS, info, names, (long) rank);
            List<String> axes = new ArrayList<>();
            for (Pointer axis : names.getPointerArray(0, rank)) {
                axes.add(axis.getString(0, StandardCharsets.UTF_8.name()));
            }
            long[] dimensions = Arrays.stream(sizes.getLongArray(0, rank))
                    .map(size -> Math.max(size, Shape.DYNAMIC))
                    .toArray();
            return new SessionValue(name, kind, elementType, Shape.of(dimensions), axes);
        }
    }

    /** A tensor of strings that are the very bytes of the elements. The caller closes it. */
    OnnxTensor strings(Tensor tensor) throws OrtException {
        Pointer made;
        try (Memory shape = shape(tensor.shape())) {
            made = pointer(
                    Call.CREATE_TENSOR, allocator, shape, (long) tensor.shape().rank(), STRING);
        }
        OnnxTensor strings = OrtInternals.tensor(Pointer.nativeValue(made), allocator());
        boolean filled = false;
        try {
            ByteBuffer data = tensor.data();
            for (long i = 0; data.hasRemaining(); i++) {
                byte[] element = new byte[data.getInt()];
                data.get(element);
                Pointer place = pointer(Call.GET_RESIZED_STRING_TENSOR_ELEMENT_BUFFER, made, i, (long) element.length);
                if (element.length > 0) {
                    place.write(0, element, 0, element.length);
                }
            }
            filled = true;
            return strings;
        } finally {
            if (!filled) {
                strings.close();
            }
        }
    }

    /** The elements of a tensor of strings, each its length and its bytes. */
    ByteBuffer raw(OnnxTensor strings) throws OrtException {
        Pointer value = new Pointer(OrtInternals.handle(strings));
        int elements = Math.toIntExact(strings.getInfo().getNumElements());
        int size = Math.toIntExact(number(Call.GET_STRING_TENSOR_DATA_LENGTH, value));
        ByteBuffer raw = ByteBuffer.allocate(Math.addExact(size, Math.multiplyExact(elements, Integer.BYTES)))
                .order(ByteOrder.LITTLE_ENDIAN);
        if (elements == 0) {
            return raw;
        }
        try (Memory bytes = new Memory(Math.max(1, size));
                Memory offsets = new Memory((long) elements * Long.BYTES)) {
            check(Call.GET_STRING_TENSOR_CONTENT, value, bytes, (long) size, offsets, (long) elements);
            for (int i = 0; i < elements; i++) {
                long from = offsets.getLong((long) i * Long.BYTES);
                long to = i + 1 < elements ? offsets.getLong((i + 1L) * Long.BYTES) : size;
                raw.putInt((int) (to - from)).put(bytes.getByteBuffer(from, to - from));
            }
        }
        return raw.flip();
    }

    /**
     * A tensor over the data of another, which must outlive it. The caller closes it.
     *
     * @param tensor of numbers, in one direct buffer
     */
    OnnxTensor over(Tensor tensor) throws OrtException {
        ByteBuffer data = tensor.data();
        try (Memory shape = shape(tensor.shape())) {
            Pointer made = pointer(
                    Call.CREATE_TENSOR_WITH_DATA,
                    memory,
                    Native.getDirectBufferPointer(data),
                    (long) data.remaining(),
                    shape,
                    (long) tensor.shape().rank(),
                    SessionValue.number(tensor.dataType()));
            return OrtInternals.tensor(Pointer.nativeValue(made), allocator());
        }
    }

    /**
     * The values of a sequence of maps to FP32, one map behind the other, each in the order of its keys.
     *
     * @param keys how many each map has
     * @throws OrtException if a map has more or fewer
     */
    ByteBuffer valuesOfMaps(OnnxSequence sequence, int keys) throws OrtException {
        Pointer handle = new Pointer(OrtInternals.handle(sequence));
        int maps = Math.toIntExact(number(Call.GET_VALUE_COUNT, handle));
        ByteBuffer values = ByteBuffer.allocate(Math.multiplyExact(maps, Math.multiplyExact(keys, Float.BYTES)))
                .order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < maps; i++) {
            Pointer map = pointer(Call.GET_VALUE, handle, i, allocator);
            try {
                Pointer row = pointer(Call.GET_VALUE, map, VALUES_OF_MAP, allocator);
                try {
                    requireSize(row, keys);
                    values.put(pointer(Call.GET_TENSOR_MUTABLE_DATA, row).getByteBuffer(0, (long) keys * Float.BYTES));
                } finally {
                    release(Call.RELEASE_VALUE, row);
                }
            } finally {
                release(Call.RELEASE_VALUE, map);
            }
        }
        return values.flip();
    }

    private void requireSize(Pointer tensor, int elements) throws OrtException {
        Pointer info = pointer(Call.GET_TENSOR_TYPE_AND_SHAPE, tensor);
        try {
            long size = number(Call.GET_TENSOR_SHAPE_ELEMENT_COUNT, info);
            if (size != elements) {
                throw new OrtException("a map has %d classes, the model names %d".formatted(size, elements));
            }
        } finally {
            release(Call.RELEASE_TENSOR_TYPE_AND_SHAPE_INFO, info);
        }
    }

    private static Memory shape(Shape shape) {
        Memory sizes = new Memory(Math.max(1L, shape.rank()) * Long.BYTES);
        sizes.write(0, shape.toArray(), 0, shape.rank());
        return sizes;
    }

    private Function function(Call call) {
        return Objects.requireNonNull(functions.get(call));
    }

    private void check(Call call, Object... arguments) throws OrtException {
        Pointer status = function(call).invokePointer(arguments);
        if (status != null) {
            String message = function(Call.GET_ERROR_MESSAGE)
                    .invokePointer(new Object[] {status})
                    .getString(0, StandardCharsets.UTF_8.name());
            release(Call.RELEASE_STATUS, status);
            throw new OrtException(message);
        }
    }

    /** What a function gives by its last argument. */
    private Pointer pointer(Call call, Object... arguments) throws OrtException {
        try (Memory result = new Memory(Native.POINTER_SIZE)) {
            check(call, and(arguments, result));
            return result.getPointer(0);
        }
    }

    /** The same, for a number of up to eight bytes. */
    private long number(Call call, Object... arguments) throws OrtException {
        try (Memory result = new Memory(Long.BYTES)) {
            result.clear();
            check(call, and(arguments, result));
            return result.getLong(0);
        }
    }

    private void release(Call call, Pointer object) {
        function(call).invokeVoid(new Object[] {object});
    }

    private static Object[] and(Object[] arguments, Object last) {
        List<Object> all = new ArrayList<>(arguments.length + 1);
        Collections.addAll(all, arguments);
        all.add(last);
        return all.toArray();
    }
}
