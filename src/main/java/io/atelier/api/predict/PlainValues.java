package io.atelier.api.predict;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.atelier.api.Json;
import io.atelier.api.ReceivedBody;
import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.ServingException.UnsupportedMediaType;
import io.atelier.core.TaskInput;
import io.atelier.core.TaskKind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The values in a body for a model's task. Immutable.
 *
 * @param single whether the answer is that of the one value, not a list of answers
 */
record PlainValues(List<TaskInput> values, boolean single) {
    private static final int MOST_TEXTS = 2048;
    private static final int MOST_IMAGES = 64;
    private static final Pattern CHARSET = Pattern.compile("(?i);\\s*charset=\"?([\\w.:-]+)");

    PlainValues {
        values = List.copyOf(values);
    }

    /**
     * @param contentType the header, which may name a text's characters; null if it is absent
     * @throws InvalidInput         if the body does not hold what its kind says
     * @throws UnsupportedMediaType if its characters are not known here
     */
    static PlainValues read(BodyKind kind, TaskKind.Medium medium, @Nullable String contentType, ReceivedBody body) {
        if (body.length() == 0) {
            throw new InvalidInput("the body is empty");
        }
        return switch (kind) {
            case IMAGE ->
                new PlainValues(List.of(new TaskInput.Image(ByteBuffer.wrap(body.bytes(), 0, body.length()))), true);
            case TEXT -> new PlainValues(List.of(new TaskInput.Text(text(contentType, body))), true);
            case JSON -> {
                Reader reader = new Reader(medium == TaskKind.Medium.IMAGE ? "image" : "text", medium);
                Json.readObject(body.bytes(), 0, body.length(), reader::read);
                yield reader.finish();
            }
        };
    }

    private static String text(@Nullable String contentType, ReceivedBody body) {
        Charset charset = charset(contentType == null ? "" : contentType);
        try {
            return charset.newDecoder()
                    .decode(ByteBuffer.wrap(body.bytes(), 0, body.length()))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new InvalidInput("the text is not " + charset.name());
        }
    }

    private static Charset charset(String contentType) {
        Matcher named = CHARSET.matcher(contentType);
        if (!named.find()) {
            return StandardCharsets.UTF_8;
        }
        try {
            return Charset.forName(named.group(1));
        } catch (IllegalArgumentException e) {
            throw new UnsupportedMediaType("the charset of the text is not known, UTF-8 is");
        }
    }

    /** Reads {@code {"text": …}}, {@code {"texts": […]}}, and the same with images. Used once, by one thread. */
    private static final class Reader {
        private final String one;
        private final TaskKind.Medium medium;
        private final List<TaskInput> values = new ArrayList<>();
        private boolean single;

        Reader(String one, TaskKind.Medium medium) {
            this.one = one;
            this.medium = medium;
        }

        void read(JsonParser json) throws IOException {
            Json.members(json, (field, value) -> {
                if (field.equals(one) || field.equals(one + "s")) {
                    if (!values.isEmpty()) {
                        throw new InvalidInput("%s and %ss are both there, allowed is one of them".formatted(one, one));
                    }
                    single = field.equals(one);
                    if (single) {
                        values.add(value(json, one));
                    } else {
                        list(json, value);
                    }
                } else {
                    throw new InvalidInput("'%s' is unknown, the model takes %s or %ss"
                            .formatted(field.length() > 64 ? field.substring(0, 64) + "…" : field, one, one));
                }
            });
        }

        PlainValues finish() {
            if (values.isEmpty()) {
                throw new InvalidInput("%s or %ss is missing".formatted(one, one));
            }
            return new PlainValues(values, single);
        }

        private void list(JsonParser json, JsonToken start) throws IOException {
            if (start != JsonToken.START_ARRAY) {
                throw new InvalidInput("%ss is %s, not a list".formatted(one, Json.describe(start)));
            }
            int most = medium == TaskKind.Medium.IMAGE ? MOST_IMAGES : MOST_TEXTS;
            while (json.nextToken() != JsonToken.END_ARRAY) {
                if (values.size() == most) {
                    throw new InvalidInput("%ss has more than %d elements".formatted(one, most));
                }
                values.add(value(json, "%ss[%d]".formatted(one, values.size())));
            }
            if (values.isEmpty()) {
                throw new InvalidInput(one + "s is an empty list");
            }
        }

        private TaskInput value(JsonParser json, String place) throws IOException {
            JsonToken token = json.currentToken();
            if (token != JsonToken.VALUE_STRING) {
                throw new InvalidInput("%s is %s, not a string".formatted(place, Json.describe(token)));
            }
            String text = json.getText();
            if (text.isEmpty()) {
                throw new InvalidInput(place + " is an empty string");
            }
            return medium == TaskKind.Medium.IMAGE
                    ? new TaskInput.Image(ByteBuffer.wrap(base64(text, place)))
                    : new TaskInput.Text(text);
        }

        /** Base64, also as a data URL, which is what browsers make. */
        private static byte[] base64(String text, String place) {
            int from = text.startsWith("data:") ? text.indexOf(',') + 1 : 0;
            try {
                return Base64.getDecoder().decode(text.substring(from));
            } catch (IllegalArgumentException e) {
                throw new InvalidInput(place + " is not base64");
            }
        }
    }
}
