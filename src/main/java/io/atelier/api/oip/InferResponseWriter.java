package io.atelier.api.oip;

import com.fasterxml.jackson.core.JsonGenerator;
import io.atelier.api.Json;
import io.atelier.api.ResponseBody;
import io.atelier.core.DataType;
import io.atelier.core.InferenceResult;
import io.atelier.core.ServingException.EngineFailure;
import io.atelier.core.Tensor;
import jakarta.ws.rs.core.MediaType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes an infer response: {@code data} flat in the JSON, or raw behind it, where the buffers of the result are sent as
 * they are. A float in JSON is the shortest text that reads back as the same bits; what JSON has no numbers for is
 * {@code "NaN"}, {@code "Infinity"}, {@code "-Infinity"}.
 */
final class InferResponseWriter {
    private static final int BYTES_AROUND_DATA = 512;
    private static final int BYTES_PER_NUMBER = 13;

    private InferResponseWriter() {}

    /**
     * The answer in the forms that its request asks for.
     *
     * @throws EngineFailure if a byte string is no text, which JSON cannot carry
     */
    static ResponseBody write(PredictRequest predict, InferenceResult result) {
        List<OutputForm> forms = predict.forms();
        List<Tensor> outputs = new ArrayList<>(forms.size());
        List<ByteBuffer> parts = new ArrayList<>();
        boolean binary = false;
        for (int i = 0; i < forms.size(); i++) {
            Tensor output = result.outputs().get(i);
            Classification classification = forms.get(i).classification();
            outputs.add(classification == null ? output : classification.of(output));
            if (forms.get(i).binary()) {
                parts.addAll(outputs.get(i).parts());
                binary = true;
            }
        }
        byte[] json = json(
                new InferenceResult(result.model(), outputs),
                forms,
                predict.request().id());
        if (!binary) {
            return ResponseBody.json(json);
        }
        parts.add(0, ByteBuffer.wrap(json));
        return new ResponseBody(
                MediaType.APPLICATION_OCTET_STREAM, Map.of(BinarySection.HEADER, Integer.toString(json.length)), parts);
    }

    /**
     * The answer in JSON, whatever the form that was asked for.
     *
     * @param id the caller's own mark, echoed; null if it gave none
     * @throws EngineFailure if a byte string is no text, which JSON cannot carry
     */
    static byte[] write(InferenceResult result, @Nullable String id) {
        return json(result, Collections.nCopies(result.outputs().size(), OutputForm.JSON), id);
    }

    private static byte[] json(InferenceResult result, List<OutputForm> forms, @Nullable String id) {
        return Json.write(expectedBytes(result, forms), json -> {
            json.writeStartObject();
            json.writeStringField("model_name", result.model().name());
            json.writeStringField("model_version", result.model().version());
            if (id != null) {
                json.writeStringField("id", id);
            }
            json.writeArrayFieldStart("outputs");
            for (int i = 0; i < forms.size(); i++) {
                write(result.outputs().get(i), forms.get(i).binary(), json);
            }
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    private static int expectedBytes(InferenceResult result, List<OutputForm> forms) {
        long expected = BYTES_AROUND_DATA;
        for (int i = 0; i < forms.size(); i++) {
            if (forms.get(i).binary()) {
                continue;
            }
            Tensor output = result.outputs().get(i);
            DataType type = output.dataType();
            expected += type.isFixedSize()
                    ? (long) output.sizeBytes() / type.sizeBytes() * BYTES_PER_NUMBER
                    : output.sizeBytes();
        }
        return (int) Math.min(expected, Integer.MAX_VALUE - Byte.MAX_VALUE);
    }

    private static void write(Tensor tensor, boolean binary, JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("name", tensor.name());
        json.writeStringField("datatype", tensor.dataType().name());
        json.writeFieldName("shape");
        long[] shape = tensor.shape().toArray();
        json.writeArray(shape, 0, shape.length);
        if (binary) {
            json.writeObjectFieldStart("parameters");
            json.writeNumberField("binary_data_size", tensor.sizeBytes());
            json.writeEndObject();
        } else {
            writeData(tensor, json);
        }
        json.writeEndObject();
    }

    private static void writeData(Tensor tensor, JsonGenerator json) throws IOException {
        json.writeArrayFieldStart("data");
        TensorDataWriter.write(tensor, tensor.data(), Integer.MAX_VALUE, json);
        json.writeEndArray();
    }
}
