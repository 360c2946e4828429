package io.atelier.engine.djl;

import io.atelier.core.DataType;
import io.atelier.core.Shape;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An input or output of a session as ONNX Runtime describes it. Immutable.
 *
 * @param elementType ONNX's number of the elements' type; 0 if it is no tensor
 * @param shape       {@link Shape#UNKNOWN} if the model does not tell it
 * @param axisNames   one for each dimension, empty where it has none
 */
record SessionValue(String name, Kind kind, int elementType, Shape shape, List<String> axisNames) {
    /** What a value can be, in the order of ONNX Runtime's numbers. */
    enum Kind {
        UNKNOWN,
        TENSOR,
        SEQUENCE,
        MAP,
        OPAQUE,
        SPARSE_TENSOR,
        OPTIONAL;

        static Kind of(int number) {
            return number >= 0 && number < values().length ? values()[number] : UNKNOWN;
        }

        /** For people. */
        String word() {
            return name().toLowerCase(Locale.ROOT).replace('_', ' ');
        }
    }

    /** ONNX's names of the element types by their numbers, and what they are here; null where nothing carries them. */
    private enum Element {
        UNDEFINED(null),
        FLOAT(DataType.FP32),
        UINT8(DataType.UINT8),
        INT8(DataType.INT8),
        UINT16(DataType.UINT16),
        INT16(DataType.INT16),
        INT32(DataType.INT32),
        INT64(DataType.INT64),
        STRING(DataType.BYTES),
        BOOL(DataType.BOOL),
        FLOAT16(DataType.FP16),
        DOUBLE(DataType.FP64),
        UINT32(DataType.UINT32),
        UINT64(DataType.UINT64),
        COMPLEX64(null),
        COMPLEX128(null),
        BFLOAT16(DataType.BF16),
        FLOAT8E4M3FN(null),
        FLOAT8E4M3FNUZ(null),
        FLOAT8E5M2(null),
        FLOAT8E5M2FNUZ(null),
        UINT4(null),
        INT4(null),
        FLOAT4E2M1(null);

        private final Optional<DataType> type;

        Element(@Nullable DataType type) {
            this.type = Optional.ofNullable(type);
        }
    }

    /** What the elements are here; empty for a type that is not carried. */
    Optional<DataType> dataType() {
        return elementType < Element.values().length ? Element.values()[elementType].type : Optional.empty();
    }

    /** The elements' type in ONNX's words. */
    String typeName() {
        return elementType < Element.values().length ? Element.values()[elementType].name() : "number " + elementType;
    }

    /** ONNX's number of a type. */
    static int number(DataType type) {
        Element[] elements = Element.values();
        for (int number = 0; number < elements.length; number++) {
            if (elements[number].type.equals(Optional.of(type))) {
                return number;
            }
        }
        throw new IllegalArgumentException(type + " has no number");
    }
}
