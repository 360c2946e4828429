package io.atelier.api.oip;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.exc.InputCoercionException;
import io.atelier.api.Json;
import io.atelier.core.DataType;
import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.Shape;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Reads the {@code data} of one tensor from JSON into the raw layout, without an object for each element.
 *
 * <p>Takes a flat list, or lists nested exactly as the shape says. Integers are exact to the last bit and may have no
 * fraction; a float is rounded once, as {@link Float#parseFloat} does. Floats that JSON has no numbers for are the
 * strings {@code "NaN"}, {@code "Infinity"} and {@code "-Infinity"}; a number too large for its type is refused.
 *
 * <p>Used once, by one thread.
 */
public final class TensorDataReader {
    private static final int SHOWN_CHARACTERS = 40;
    private static final String NAN = "NaN";
    private static final String INFINITY = "Infinity";
    private static final String NEGATIVE_INFINITY = "-Infinity";

    private final JsonParser json;
    private final String tensor;
    private final DataType type;
    private final Shape shape;
    private final int elements;
    private final long min;
    private final long max;
    private int index;

    /**
     * @param json     stands at the list's opening bracket; or at the value itself of a scalar, where callers allow one
     * @param elements the product of the shape, known to be justified by the size of the body
     */
    public TensorDataReader(JsonParser json, String tensor, DataType type, Shape shape, int elements) {
        this.json = json;
        this.tensor = tensor;
        this.type = type;
        this.shape = shape;
        this.elements = elements;
        this.min = min(type);
        this.max = max(type);
    }

    /** The elements, as a direct little-endian buffer of exactly their size. */
    public ByteBuffer read() throws IOException {
        return type.isFixedSize() ? readNumbers(room(tensor, type, elements)) : readBytes();
    }

    /**
     * An empty direct buffer for so many numbers.
     *
     * @throws InvalidInput if they do not fit one
     */
    public static ByteBuffer room(String tensor, DataType type, int elements) {
        long size = (long) elements * type.sizeBytes();
        if (size > Integer.MAX_VALUE) {
            throw new InvalidInput("input '%s' is larger than 2 GiB".formatted(tensor));
        }
        return ByteBuffer.allocateDirect((int) size).order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * The elements of a type of fixed size.
     *
     * @param out {@link #room} for them; whatever it holds is overwritten
     */
    public ByteBuffer readNumbers(ByteBuffer out) throws IOException {
        out.clear();
        list(token -> number(token, out));
        return out.flip();
    }

    /** The elements of BYTES, as a direct little-endian buffer of exactly their size. */
    ByteBuffer readBytes() throws IOException {
        ByteArrayOutputStream raw = new ByteArrayOutputStream();
        list(token -> string(token, raw));
        ByteBuffer out = ByteBuffer.allocateDirect(raw.size()).order(ByteOrder.LITTLE_ENDIAN);
        return out.put(raw.toByteArray()).flip();
    }

    @FunctionalInterface
    private interface Element {
        void take(JsonToken token) throws IOException;
    }

    private void list(Element element) throws IOException {
        if (json.currentToken() != JsonToken.START_ARRAY) {
            element.take(json.currentToken());
            return;
        }
        JsonToken first = json.nextToken();
        if (first == JsonToken.START_ARRAY && shape.rank() > 1) {
            nested(first, 0, element);
        } else {
            row(first, elements, element);
        }
    }

    private void nested(JsonToken first, int axis, Element element) throws IOException {
        long expected = shape.dimension(axis);
        if (axis == shape.rank() - 1) {
            row(first, expected, element);
            return;
        }
        long count = 0;
        for (JsonToken token = first; token != JsonToken.END_ARRAY; token = json.nextToken()) {
            if (token != JsonToken.START_ARRAY) {
                throw invalid("element %d: %s where shape %s needs a list".formatted(index, shown(token), shape));
            }
            if (count == expected) {
                throw invalid("element %d: more than the %d lists on axis %d of shape %s"
                        .formatted(index, expected, axis, shape));
            }
            nested(json.nextToken(), axis + 1, element);
            count++;
        }
        if (count < expected) {
            throw invalid("element %d: %d lists instead of %d on axis %d of shape %s"
                    .formatted(index, count, expected, axis, shape));
        }
    }

    private void row(JsonToken first, long expected, Element element) throws IOException {
        long count = 0;
        for (JsonToken token = first; token != JsonToken.END_ARRAY; token = json.nextToken()) {
            if (token == JsonToken.START_ARRAY) {
                throw invalid("element %d: a list where shape %s needs a value".formatted(index, shape));
            }
            if (count == expected) {
                throw invalid(
                        expected == elements
                                ? "has more data than the %d elements of shape %s".formatted(elements, shape)
                                : "element %d: more than the %d values on the last axis of shape %s"
                                        .formatted(index, expected, shape));
            }
            element.take(token);
            count++;
            index++;
        }
        if (count < expected) {
            throw invalid(
                    expected == elements
                            ? "has %d elements of data, shape %s needs %d".formatted(count, shape, elements)
                            : "element %d: %d values instead of %d on the last axis of shape %s"
                                    .formatted(index, count, expected, shape));
        }
    }

    private void number(JsonToken token, ByteBuffer out) throws IOException {
        switch (type) {
            case BOOL -> out.put((byte) (bool(token) ? 1 : 0));
            case INT8, UINT8 -> out.put((byte) integer(token));
            case INT16, UINT16 -> out.putShort((short) integer(token));
            case INT32, UINT32 -> out.putInt((int) integer(token));
            case INT64 -> out.putLong(integer(token));
            case UINT64 -> out.putLong(unsigned64(token));
            case FP32 -> out.putFloat(float32(token));
            case FP64 -> out.putDouble(float64(token));
            default -> throw new IllegalStateException(type + " has no JSON form");
        }
    }

    private boolean bool(JsonToken token) throws IOException {
        return switch (token) {
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            default -> throw wrong(token, "true or false");
        };
    }

    private long integer(JsonToken token) throws IOException {
        if (token != JsonToken.VALUE_NUMBER_INT) {
            throw wrong(token, "an integer");
        }
        long value;
        try {
            value = json.getLongValue();
        } catch (InputCoercionException e) {
            throw tooLarge(token);
        }
        if (value < min || value > max) {
            throw tooLarge(token);
        }
        return value;
    }

    private long unsigned64(JsonToken token) throws IOException {
        if (token != JsonToken.VALUE_NUMBER_INT) {
            throw wrong(token, "an integer");
        }
        if (json.getNumberType() != JsonParser.NumberType.BIG_INTEGER) {
            return integer(token);
        }
        BigInteger value = json.getBigIntegerValue();
        if (value.signum() < 0 || value.bitLength() > Long.SIZE) {
            throw tooLarge(token);
        }
        return value.longValue();
    }

    private float float32(JsonToken token) throws IOException {
        float value = switch (token) {
            case VALUE_NUMBER_FLOAT -> json.getFloatValue();
            case VALUE_NUMBER_INT ->
                switch (json.getNumberType()) {
                    case INT, LONG -> isNegativeZero() ? -0f : (float) json.getLongValue();
                    default -> json.getBigIntegerValue().floatValue();
                };
            case VALUE_STRING -> (float) nonFinite(token);
            default -> throw wrong(token, "a number");
        };
        if (Float.isInfinite(value) && token != JsonToken.VALUE_STRING) {
            throw tooLarge(token);
        }
        return value;
    }

    private double float64(JsonToken token) throws IOException {
        double value = switch (token) {
            case VALUE_NUMBER_FLOAT -> json.getDoubleValue();
            case VALUE_NUMBER_INT ->
                switch (json.getNumberType()) {
                    case INT, LONG -> isNegativeZero() ? -0d : (double) json.getLongValue();
                    default -> json.getBigIntegerValue().doubleValue();
                };
            case VALUE_STRING -> nonFinite(token);
            default -> throw wrong(token, "a number");
        };
        if (Double.isInfinite(value) && token != JsonToken.VALUE_STRING) {
            throw tooLarge(token);
        }
        return value;
    }

    /** The literal {@code -0} is an integer to the parser, and a float with a sign to us. */
    private boolean isNegativeZero() throws IOException {
        return json.getLongValue() == 0 && json.getTextCharacters()[json.getTextOffset()] == '-';
    }

    private double nonFinite(JsonToken token) throws IOException {
        return switch (json.getText()) {
            case NAN -> Double.NaN;
            case INFINITY -> Double.POSITIVE_INFINITY;
            case NEGATIVE_INFINITY -> Double.NEGATIVE_INFINITY;
            default -> throw wrong(token, "a number");
        };
    }

    private void string(JsonToken token, ByteArrayOutputStream raw) throws IOException {
        if (token != JsonToken.VALUE_STRING) {
            throw wrong(token, "a string");
        }
        ByteBuffer bytes;
        try {
            bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(json.getText()));
        } catch (CharacterCodingException e) {
            throw invalid("element %d: half of a surrogate pair".formatted(index));
        }
        int length = bytes.remaining();
        raw.write(length);
        raw.write(length >>> 8);
        raw.write(length >>> 16);
        raw.write(length >>> 24);
        raw.write(bytes.array(), bytes.arrayOffset() + bytes.position(), length);
    }

    private InvalidInput wrong(JsonToken token, String expected) throws IOException {
        return invalid("element %d: %s is not %s, which %s needs".formatted(index, shown(token), expected, type));
    }

    private InvalidInput tooLarge(JsonToken token) throws IOException {
        return invalid("element %d: %s does not fit %s".formatted(index, shown(token), type));
    }

    private InvalidInput invalid(String detail) {
        return new InvalidInput("input '%s' %s".formatted(tensor, detail));
    }

    private String shown(JsonToken token) throws IOException {
        if (token.isNumeric()) {
            String text = json.getText();
            return text.length() <= SHOWN_CHARACTERS ? text : text.substring(0, SHOWN_CHARACTERS) + "…";
        }
        return Json.describe(token);
    }

    private static long min(DataType type) {
        return switch (type) {
            case INT8 -> Byte.MIN_VALUE;
            case INT16 -> Short.MIN_VALUE;
            case INT32 -> Integer.MIN_VALUE;
            case INT64 -> Long.MIN_VALUE;
            default -> 0;
        };
    }

    private static long max(DataType type) {
        return switch (type) {
            case INT8 -> Byte.MAX_VALUE;
            case UINT8 -> 0xFF;
            case INT16 -> Short.MAX_VALUE;
            case UINT16 -> 0xFFFF;
            case INT32 -> Integer.MAX_VALUE;
            case UINT32 -> 0xFFFF_FFFFL;
            default -> Long.MAX_VALUE;
        };
    }
}
