package io.atelier.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A tensor's element type. A value is a {@link Boolean}, a {@link BigInteger}, a {@link Float}, a {@link Double} or a
 * {@link String}; of the 16-bit floats, which have no form in JSON, its bits as a {@link BigInteger}.
 */
enum Datatype {
    BOOL(1),
    UINT8(1),
    UINT16(2),
    UINT32(4),
    UINT64(8),
    INT8(1),
    INT16(2),
    INT32(4),
    INT64(8),
    FP16(2),
    BF16(2),
    FP32(4),
    FP64(8),
    BYTES(0);

    private final int sizeBytes;

    Datatype(int sizeBytes) {
        this.sizeBytes = sizeBytes;
    }

    boolean isBinaryOnly() {
        return this == FP16 || this == BF16;
    }

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Six values that every server should carry; the ends of the type's range among them where a double is exact. */
    List<Object> sample() {
        return switch (this) {
            case BOOL -> List.of(true, false, false, true, true, false);
            case UINT8 -> integers("0", "1", "127", "128", "254", "255");
            case UINT16 -> integers("0", "1", "32767", "32768", "65534", "65535");
            case UINT32 -> integers("0", "1", "2147483647", "2147483648", "4294967294", "4294967295");
            case UINT64, INT64 -> integers("0", "1", "2", "255", "65536", "4294967296");
            case INT8 -> integers("0", "1", "-1", "-128", "126", "127");
            case INT16 -> integers("0", "1", "-1", "-32768", "32766", "32767");
            case INT32 -> integers("0", "1", "-1", "-2147483648", "2147483646", "2147483647");
            case FP16 -> integers("0", "15360", "49152", "31743", "1", "13653"); // 0, 1, -2, 65504, 6e-8, 0.3333
            case BF16 -> integers("0", "16256", "49152", "32639", "1", "16043"); // 0, 1, -2, 3.4e38, 9e-41, 0.334
            case FP32 -> List.of(0f, 1f, -1.5f, 0.25f, 1024f, -65536f);
            case FP64 -> List.of(0d, 1d, -1.5d, 0.25d, 1024d, -65536d);
            case BYTES -> List.of("a", "", "two words", "\"quoted\"", "back\\slash", "line\nbreak");
        };
    }

    static List<Object> integers(String... texts) {
        List<Object> values = new ArrayList<>();
        for (String text : texts) {
            values.add(new BigInteger(text));
        }
        return values;
    }

    /** Flat. */
    ArrayNode json(List<Object> values) {
        ArrayNode data = JsonNodeFactory.instance.arrayNode();
        for (Object value : values) {
            if (value instanceof Boolean bool) {
                data.add(bool);
            } else if (value instanceof BigInteger integer) {
                data.add(integer);
            } else if (value instanceof Float number) {
                data.add(number);
            } else if (value instanceof Double number) {
                data.add(number);
            } else {
                data.add((String) value);
            }
        }
        return data;
    }

    /** The values of flat or nested data. */
    List<Object> values(JsonNode data) {
        List<Object> values = new ArrayList<>();
        collect(data, values);
        return values;
    }

    private void collect(JsonNode data, List<Object> values) {
        if (data.isArray()) {
            data.forEach(element -> collect(element, values));
        } else {
            values.add(value(data));
        }
    }

    private Object value(JsonNode node) {
        boolean fits = switch (this) {
            case BOOL -> node.isBoolean();
            case BYTES -> node.isTextual();
            default -> node.isNumber();
        };
        if (!fits) {
            throw new Failure(this + " as JSON", node.toString());
        }
        return switch (this) {
            case BOOL -> node.booleanValue();
            case BYTES -> node.textValue();
            case FP32 -> node.decimalValue().floatValue();
            case FP64 -> node.decimalValue().doubleValue();
            default -> integer(node.decimalValue());
        };
    }

    private Object integer(BigDecimal number) {
        try {
            return number.toBigIntegerExact();
        } catch (ArithmeticException fraction) {
            throw new Failure(this + " without a fraction", number.toString());
        }
    }

    /** Row-major, little-endian. */
    byte[] raw(List<Object> values) {
        ByteArrayOutputStream raw = new ByteArrayOutputStream();
        for (Object value : values) {
            raw.writeBytes(raw(value));
        }
        return raw.toByteArray();
    }

    private byte[] raw(Object value) {
        if (this == BYTES) {
            byte[] text = ((String) value).getBytes(StandardCharsets.UTF_8);
            byte[] raw = new byte[Integer.BYTES + text.length];
            ByteBuffer.wrap(raw)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(text.length)
                    .put(text);
            return raw;
        }
        long bits = value instanceof Boolean bool ? (bool ? 1 : 0) : bits(value);
        byte[] raw = new byte[sizeBytes];
        for (int i = 0; i < sizeBytes; i++) {
            raw[i] = (byte) (bits >>> (Byte.SIZE * i));
        }
        return raw;
    }

    private static long bits(Object value) {
        if (value instanceof Float number) {
            return Float.floatToRawIntBits(number);
        }
        return value instanceof Double number ? Double.doubleToRawLongBits(number) : ((BigInteger) value).longValue();
    }

    /** The values in a raw tensor. */
    List<Object> values(byte[] raw) {
        ByteBuffer in = ByteBuffer.wrap(raw).order(ByteOrder.LITTLE_ENDIAN);
        List<Object> values = new ArrayList<>();
        while (in.hasRemaining()) {
            if (in.remaining() < Math.max(sizeBytes, this == BYTES ? Integer.BYTES : 1)) {
                throw new Failure("whole elements of " + this, in.remaining() + " bytes at the end");
            }
            values.add(value(in));
        }
        return values;
    }

    private Object value(ByteBuffer in) {
        if (this == BOOL) {
            return in.get() != 0;
        }
        if (this == BYTES) {
            int size = in.getInt();
            if (size < 0 || size > in.remaining()) {
                throw new Failure("an element of at most " + in.remaining() + " bytes", size + " bytes");
            }
            byte[] text = new byte[size];
            in.get(text);
            return new String(text, StandardCharsets.UTF_8);
        }
        byte[] bigEndian = new byte[sizeBytes];
        for (int i = sizeBytes - 1; i >= 0; i--) {
            bigEndian[i] = in.get();
        }
        boolean signed = name().startsWith("INT");
        BigInteger integer = signed ? new BigInteger(bigEndian) : new BigInteger(1, bigEndian);
        return switch (this) {
            case FP32 -> Float.intBitsToFloat(integer.intValue());
            case FP64 -> Double.longBitsToDouble(integer.longValue());
            default -> integer;
        };
    }
}
