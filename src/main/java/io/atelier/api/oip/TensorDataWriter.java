package io.atelier.api.oip;

import com.fasterxml.jackson.core.JsonGenerator;
import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Writes elements of a tensor as JSON. A float is the shortest text that reads back as the same bits; what JSON has no
 * numbers for is {@code "NaN"}, {@code "Infinity"}, {@code "-Infinity"}.
 */
public final class TensorDataWriter {
    private TensorDataWriter() {}

    /**
     * Writes the elements from the position of {@code data} on, which moves behind them.
     *
     * @param data the tensor's own
     * @param most most elements that are written
     * @throws EngineFailure if a byte string is no text, which JSON cannot carry
     */
    public static void write(Tensor tensor, ByteBuffer data, int most, JsonGenerator json) throws IOException {
        switch (tensor.dataType()) {
            case BOOL -> {
                for (int i = 0; i < most && data.hasRemaining(); i++) {
                    json.writeBoolean(data.get() != 0);
                }
            }
            case INT8 -> {
                for (int i = 0; i < most && data.hasRemaining(); i++) {
                    json.writeNumber(data.get());
                }
            }
            case UINT8 -> {
                for (int i = 0; i < most && data.hasRemaining(); i++) {
                    json.writeNumber(Byte.toUnsignedInt(data.get()));
                }
            }
            case INT16 -> {
                for (int i = 0; i < most && data.hasRemaining(); i++) {
                    json.writeNumber(data.getShort());
                }
            }
            case UINT16 -> {
                for (int i = 0; i < most && data.hasRemaining(); i++) {
                    json.writeNumber(Short.toUnsignedInt(data.getShort()));
                }
            }
            case INT32 -> {
                for (int i = 0; i < most && data.hasRemaining(); i++) {
                    json.writeNumber(data.getInt());
                }
            }
            case UINT32 -> {
                for (int i = 0; i < most && data.hasRemaining(); i++) {
                    json.writeNumber(Integer.toUnsignedLong(data.getInt()));
                }
            }
            case INT64 -> {
                for (int i = 0; i < most && data.hasRemaining(); i++) {
                    json.writeNumber(data.getLong());
                }
            }
            case UINT64 -> {
                for (int i = 0; i < most && data.hasRemaining(); i++) {
                    json.writeNumber(Long.toUnsignedString(data.getLong()));
                }
            }
            case FP32 -> {
                for (int i = 0; i < most && data.hasRemaining(); i++) {
                    json.writeNumber(data.getFloat());
                }
            }
            case FP64 -> {
                for (int i = 0; i < most && data.hasRemaining(); i++) {
                    json.writeNumber(data.getDouble());
                }
            }
            case BYTES -> {
                for (int i = 0; i < most && data.hasRemaining(); i++) {
                    json.writeString(text(tensor, data));
                }
            }
            case FP16, BF16 -> throw new IllegalStateException(tensor + " has no JSON form"); // refused by the reader
        }
    }

    private static String text(Tensor tensor, ByteBuffer data) {
        int size = data.getInt();
        ByteBuffer text = data.slice(data.position(), size);
        data.position(data.position() + size);
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(text).toString();
        } catch (CharacterCodingException bytes) {
            throw new InvalidInput(
                    "output '%s' holds bytes that are not UTF-8, which travel in binary only: ask with binary_data_output"
                            .formatted(tensor.name()));
        }
    }
}
