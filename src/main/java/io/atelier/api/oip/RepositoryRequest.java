package io.atelier.api.oip;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.atelier.api.Json;
import io.atelier.api.ReceivedBody;
import io.atelier.core.ServingException.InvalidInput;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * What a request to the model repository says; an empty body says nothing. Immutable.
 *
 * @param readyOnly whether only models that serve are asked for
 * @param config    JSON that stands above the folder's configuration; null if there is none
 * @param withSteps whether the steps of an ensemble are to be unloaded too ({@code unload_dependents})
 */
record RepositoryRequest(boolean readyOnly, @Nullable String config, boolean withSteps) {
    /** @throws InvalidInput if the body is no such request */
    static RepositoryRequest read(ReceivedBody body) {
        Reader reader = new Reader();
        if (body.length() > 0) {
            Json.readObject(body.bytes(), 0, body.length(), reader::request);
        }
        return new RepositoryRequest(reader.ready, reader.config, reader.withSteps);
    }

    /** Used once, by one thread. */
    private static final class Reader {
        private boolean ready;
        private @Nullable String config;
        private boolean withSteps;

        void request(JsonParser json) throws IOException {
            Json.members(json, (field, value) -> {
                switch (field) {
                    case "ready" -> ready = flag(value, "ready");
                    case "parameters" -> parameters(json, value);
                    default -> json.skipChildren();
                }
            });
        }

        private void parameters(JsonParser json, JsonToken value) throws IOException {
            if (value != JsonToken.START_OBJECT) {
                throw new InvalidInput("parameters is " + Json.describe(value) + ", not an object");
            }
            Json.members(json, (name, parameter) -> {
                if (name.startsWith("file:")) {
                    throw new InvalidInput("parameters." + name + ": models are loaded from the repository alone");
                }
                switch (name) {
                    case "config" -> config = text(json, parameter);
                    case "unload_dependents" -> withSteps = flag(parameter, "parameters.unload_dependents");
                    default -> json.skipChildren();
                }
            });
        }

        private static String text(JsonParser json, JsonToken value) throws IOException {
            if (value != JsonToken.VALUE_STRING) {
                throw new InvalidInput(
                        "parameters.config is " + Json.describe(value) + ", not a string that holds JSON");
            }
            return json.getText();
        }

        private static boolean flag(JsonToken value, String place) {
            if (!value.isBoolean()) {
                throw new InvalidInput(place + " is " + Json.describe(value) + ", not true or false");
            }
            return value == JsonToken.VALUE_TRUE;
        }
    }
}
