package io.atelier.api.predict;

import com.fasterxml.jackson.core.JsonGenerator;
import io.atelier.api.Json;
import io.atelier.core.TaskAnswer;
import io.atelier.core.TaskAnswer.Box;
import io.atelier.core.TaskAnswer.Embedding;
import io.atelier.core.TaskAnswer.Found;
import io.atelier.core.TaskAnswer.Label;
import io.atelier.core.TaskAnswer.Labels;
import io.atelier.core.TaskAnswer.Objects;
import io.atelier.serving.Prediction;
import java.io.IOException;

/** Writes answers so that people can read them: a vector is a list of numbers, labels are a list of objects. */
final class PredictionWriter {
    private static final int BYTES_PER_NUMBER = 13;
    private static final int BYTES_PER_LABEL = 160;

    private PredictionWriter() {}

    /** About how much data there is to write. */
    static long bytes(Prediction prediction) {
        return prediction.answers().stream().mapToLong(PredictionWriter::bytes).sum();
    }

    /** @param single whether the answer is the first one, not the list of all */
    static byte[] write(Prediction prediction, boolean single) {
        return Json.write((int) Math.min(bytes(prediction) + BYTES_PER_LABEL, 1 << 28), json -> {
            if (single) {
                write(prediction.answers().get(0), json);
                return;
            }
            json.writeStartArray();
            for (TaskAnswer answer : prediction.answers()) {
                write(answer, json);
            }
            json.writeEndArray();
        });
    }

    private static long bytes(TaskAnswer answer) {
        if (answer instanceof Embedding embedding) {
            return (long) embedding.vector().length * BYTES_PER_NUMBER;
        }
        return (long) BYTES_PER_LABEL
                * (answer instanceof Labels labels
                        ? labels.labels().size()
                        : ((Objects) answer).found().size());
    }

    private static void write(TaskAnswer answer, JsonGenerator json) throws IOException {
        json.writeStartArray();
        if (answer instanceof Embedding embedding) {
            for (float number : embedding.vector()) {
                json.writeNumber(number);
            }
        } else if (answer instanceof Labels labels) {
            for (Label label : labels.labels()) {
                begin(label.label(), label.score(), json);
                json.writeEndObject();
            }
        } else if (answer instanceof Objects objects) {
            for (Found found : objects.found()) {
                begin(found.label(), found.score(), json);
                box(found.box(), json);
                json.writeEndObject();
            }
        }
        json.writeEndArray();
    }

    private static void begin(String label, double score, JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("label", label);
        json.writeNumberField("score", (float) score); // the model's precision
    }

    private static void box(Box box, JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("box");
        json.writeNumberField("xmin", (float) box.xmin());
        json.writeNumberField("ymin", (float) box.ymin());
        json.writeNumberField("xmax", (float) box.xmax());
        json.writeNumberField("ymax", (float) box.ymax());
        json.writeEndObject();
    }
}
