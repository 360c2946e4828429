package io.atelier.api.kserve;

import com.fasterxml.jackson.core.JsonGenerator;
import io.atelier.api.Json;
import io.atelier.core.InferenceResult;
import io.atelier.core.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;

/**
 * Writes an answer as the question came: {@code predictions} row by row, or {@code outputs} as a tensor each. Of one
 * output the bare values, of several by name. Bytes that are not UTF-8 are {@code {"b64": "…"}}.
 */
final class PredictionWriter {
    private static final int BYTES_PER_NUMBER = 13;

    private PredictionWriter() {}

    static byte[] write(InferenceResult result, boolean byRow) {
        List<Tensor> outputs = result.outputs();
        long bytes = outputs.stream().mapToLong(Tensor::sizeBytes).sum() / 4 * BYTES_PER_NUMBER;
        return Json.write((int) Math.min(256 + bytes, 1 << 24), json -> {
            List<ByteBuffer> data = outputs.stream().map(Tensor::data).toList();
            json.writeStartObject();
            if (byRow) {
                json.writeArrayFieldStart("predictions");
                long rows = outputs.get(0).shape().dimension(0);
                for (long row = 0; row < rows; row++) {
                    values(json, outputs, data, 1);
                }
                json.writeEndArray();
            } else {
                json.writeFieldName("outputs");
                values(json, outputs, data, 0);
            }
            json.writeEndObject();
        });
    }

    private static void values(JsonGenerator json, List<Tensor> outputs, List<ByteBuffer> data, int axis)
            throws IOException {
        if (outputs.size() == 1) {
            value(json, outputs.get(0), data.get(0), axis);
            return;
        }
        json.writeStartObject();
        for (int i = 0; i < outputs.size(); i++) {
            json.writeFieldName(outputs.get(i).name());
            value(json, outputs.get(i), data.get(i), axis);
        }
        json.writeEndObject();
    }

    private static void value(JsonGenerator json, Tensor tensor, ByteBuffer data, int axis) throws IOException {
        if (axis == tensor.shape().rank()) {
            element(json, tensor, data);
            return;
        }
        json.writeStartArray();
        for (long i = 0; i < tensor.shape().dimension(axis); i++) {
            value(json, tensor, data, axis + 1);
        }
        json.writeEndArray();
    }

    private static void element(JsonGenerator json, Tensor tensor, ByteBuffer data) throws IOException {
        switch (tensor.dataType()) {
            case BOOL -> json.writeBoolean(data.get() != 0);
            case INT8 -> json.writeNumber(data.get());
            case UINT8 -> json.writeNumber(Byte.toUnsignedInt(data.get()));
            case INT16 -> json.writeNumber(data.getShort());
            case UINT16 -> json.writeNumber(Short.toUnsignedInt(data.getShort()));
            case INT32 -> json.writeNumber(data.getInt());
            case UINT32 -> json.writeNumber(Integer.toUnsignedLong(data.getInt()));
            case INT64 -> json.writeNumber(data.getLong());
            case UINT64 -> json.writeNumber(Long.toUnsignedString(data.getLong()));
            case FP32 -> json.writeNumber(data.getFloat());
            case FP64 -> json.writeNumber(data.getDouble());
            case BYTES -> text(json, data);
            case FP16, BF16 -> throw new IllegalStateException(tensor + " has no JSON form"); // refused by the reader
        }
    }

    private static void text(JsonGenerator json, ByteBuffer data) throws IOException {
        int size = data.getInt();
        byte[] bytes = new byte[size];
        data.get(bytes);
        try {
            json.writeString(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString());
        } catch (CharacterCodingException binary) {
            json.writeStartObject();
            json.writeStringField(BytesReader.BASE64, Base64.getEncoder().encodeToString(bytes));
            json.writeEndObject();
        }
    }
}
