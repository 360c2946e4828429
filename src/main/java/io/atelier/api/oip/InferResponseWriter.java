package io.atelier.api.oip;

import com.fasterxml.jackson.core.JsonGenerator;
import io.atelier.api.Json;
import io.atelier.core.DataType;
import io.atelier.core.InferenceResult;
import io.atelier.core.ServingException.EngineFailure;
import io.atelier.core.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Writes the JSON body of an infer response, {@code data} flat. A float is the shortest text that reads back as the
 * same bits; what JSON has no numbers for is {@code "NaN"}, {@code "Infinity"}, {@code "-Infinity"}.
 */
final class InferResponseWriter {
    private static final int BYTES_AROUND_DATA = 512;
    private static final int BYTES_PER_NUMBER = 13;

    private InferResponseWriter() {}

    /**
     * @param id the caller's own mark, echoed; null if it gave none
     * @throws EngineFailure if a byte string is no text, which JSON cannot carry
     */
    static byte[] write(InferenceResult result, @Nullable String id) {
        return Json.write(expectedBytes(result), json -> {
            json.writeStartObject();
            json.writeStringField("model_name", result.model().name());
            json.writeStringField("model_version", result.model().version());
            if (id != null) {
                json.writeStringField("id", id);
            }
            json.writeArrayFieldStart("outputs");
            for (Tensor output : result.outputs()) {
                write(output, json);
            }
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    private static int expectedBytes(InferenceResult result) {
        long expected = BYTES_AROUND_DATA;
        for (Tensor output : result.outputs()) {
            DataType type = output.dataType();
            expected += type.isFixedSize()
                    ? (long) output.sizeBytes() / type.sizeBytes() * BYTES_PER_NUMBER
                    : output.sizeBytes();
        }
        return (int) Math.min(expected, Integer.MAX_VALUE - Byte.MAX_VALUE);
    }

    private static void write(Tensor tensor, JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("name", tensor.name());
        json.writeStringField("datatype", tensor.dataType().name());
        json.writeFieldName("shape");
        long[] shape = tensor.shape().toArray();
        json.writeArray(shape, 0, shape.length);
        json.writeArrayFieldStart("data");
        ByteBuffer data = tensor.data();
        switch (tensor.dataType()) {
            case BOOL -> {
                while (data.hasRemaining()) {
                    json.writeBoolean(data.get() != 0);
                }
            }
            case INT8 -> {
                while (data.hasRemaining()) {
                    json.writeNumber(data.get());
                }
            }
            case UINT8 -> {
                while (data.hasRemaining()) {
                    json.writeNumber(Byte.toUnsignedInt(data.get()));
                }
            }
            case INT16 -> {
                while (data.hasRemaining()) {
                    json.writeNumber(data.getShort());
                }
            }
            case UINT16 -> {
                while (data.hasRemaining()) {
                    json.writeNumber(Short.toUnsignedInt(data.getShort()));
                }
            }
            case INT32 -> {
                while (data.hasRemaining()) {
                    json.writeNumber(data.getInt());
                }
            }
            case UINT32 -> {
                while (data.hasRemaining()) {
                    json.writeNumber(Integer.toUnsignedLong(data.getInt()));
                }
            }
            case INT64 -> {
                while (data.hasRemaining()) {
                    json.writeNumber(data.getLong());
                }
            }
            case UINT64 -> {
                while (data.hasRemaining()) {
                    json.writeNumber(Long.toUnsignedString(data.getLong()));
                }
            }
            case FP32 -> {
                while (data.hasRemaining()) {
                    json.writeNumber(data.getFloat());
                }
            }
            case FP64 -> {
                while (data.hasRemaining()) {
                    json.writeNumber(data.getDouble());
                }
            }
            case BYTES -> {
                for (int index = 0; data.hasRemaining(); index++) {
                    json.writeString(text(tensor, index, data));
                }
            }
            case FP16, BF16 -> throw new IllegalStateException(tensor + " has no JSON form"); // refused by the reader
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static String text(Tensor tensor, int index, ByteBuffer data) {
        int size = data.getInt();
        ByteBuffer bytes = data.slice(data.position(), size);
        data.position(data.position() + size);
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
        } catch (CharacterCodingException e) {
            throw new EngineFailure(
                    "output '%s' element %d is not UTF-8 and has no JSON form".formatted(tensor.name(), index), e);
        }
    }
}
