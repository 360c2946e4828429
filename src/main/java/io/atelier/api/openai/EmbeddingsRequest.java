package io.atelier.api.openai;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.exc.InputCoercionException;
import io.atelier.api.Json;
import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.TaskInput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an embeddings request's body says. Immutable.
 *
 * @param dimensions the vector's size that the caller wants; null if it did not say
 * @param base64     whether vectors are wanted as text of little-endian floats
 * @param prompt     name of what is to be written before each text; null for what is usual with the model
 */
record EmbeddingsRequest(
        String model,
        List<String> texts,
        @Nullable Integer dimensions,
        boolean base64,
        @Nullable String prompt) {
    private static final int MAX_TEXTS = 2048;

    EmbeddingsRequest {
        texts = List.copyOf(texts);
    }

    /** The texts, as the task is asked. */
    List<TaskInput> values() {
        return List.copyOf(
                texts.stream().map(text -> new TaskInput.Text(text, prompt)).toList());
    }

    /**
     * The request in the first {@code length} bytes of {@code body}; fields that we do not know are ignored.
     *
     * @throws InvalidInput if they are not an embeddings request
     */
    static EmbeddingsRequest read(byte[] body, int length) {
        Reader reader = new Reader();
        Json.readObject(body, 0, length, reader::read);
        return reader.finish();
    }

    /** Used once, by one thread. */
    private static final class Reader {
        private final List<String> texts = new ArrayList<>();
        private @Nullable String model;
        private @Nullable Integer dimensions;
        private @Nullable String prompt;
        private boolean base64;
        private boolean hasInput;

        void read(JsonParser json) throws IOException {
            Json.members(json, (field, value) -> {
                switch (field) {
                    case "model" -> model = Json.label(json, "model");
                    case "input" -> input(json, value);
                    case "dimensions" -> dimensions = dimensions(json, value);
                    case "encoding_format" -> base64 = isBase64(Json.label(json, "encoding_format"));
                    case "prompt_name" -> prompt = Json.label(json, "prompt_name");
                    default -> json.skipChildren();
                }
            });
        }

        EmbeddingsRequest finish() {
            if (model == null) {
                throw new InvalidInput("model is missing");
            }
            if (!hasInput) {
                throw new InvalidInput("input is missing");
            }
            return new EmbeddingsRequest(model, texts, dimensions, base64, prompt);
        }

        private void input(JsonParser json, JsonToken value) throws IOException {
            hasInput = true;
            if (value == JsonToken.VALUE_STRING) {
                add(json, "input");
                return;
            }
            if (value != JsonToken.START_ARRAY) {
                throw new InvalidInput(
                        "input is %s, not a string or a list of strings".formatted(Json.describe(value)));
            }
            while (json.nextToken() != JsonToken.END_ARRAY) {
                String place = "input[" + texts.size() + "]";
                JsonToken element = json.currentToken();
                if (element.isNumeric() || element == JsonToken.START_ARRAY) {
                    throw new InvalidInput(place + ": token ids are not supported, send text");
                }
                if (texts.size() == MAX_TEXTS) {
                    throw new InvalidInput("input has more than " + MAX_TEXTS + " texts");
                }
                add(json, place);
            }
            if (texts.isEmpty()) {
                throw new InvalidInput("input is an empty list");
            }
        }

        private void add(JsonParser json, String place) throws IOException {
            String text = text(json, place);
            if (text.isEmpty()) {
                throw new InvalidInput(place + " is an empty string");
            }
            texts.add(text);
        }

        private static Integer dimensions(JsonParser json, JsonToken value) throws IOException {
            if (value != JsonToken.VALUE_NUMBER_INT) {
                throw new InvalidInput("dimensions is not an integer");
            }
            try {
                return json.getIntValue();
            } catch (InputCoercionException e) {
                throw new InvalidInput("dimensions is too large");
            }
        }

        private static boolean isBase64(String format) {
            return switch (format) {
                case "float" -> false;
                case "base64" -> true;
                default -> throw new InvalidInput("encoding_format is '" + format + "', not float or base64");
            };
        }

        private static String text(JsonParser json, String place) throws IOException {
            JsonToken value = json.currentToken();
            if (value != JsonToken.VALUE_STRING) {
                throw new InvalidInput("%s is %s, not a string".formatted(place, Json.describe(value)));
            }
            return json.getText();
        }
    }
}
