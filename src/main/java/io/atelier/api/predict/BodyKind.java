package io.atelier.api.predict;

import io.atelier.api.ReceivedBody;
import io.atelier.core.ServingException.UnsupportedMediaType;
import io.atelier.core.TaskKind;
import io.atelier.serving.ModelView;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What a plain body holds. */
enum BodyKind {
    IMAGE("image/jpeg, image/png"),
    TEXT("text/plain"),
    JSON("application/json");

    private final String types;

    BodyKind(String types) {
        this.types = types;
    }

    /**
     * The kind that the header names; where it names none, which is what {@code curl} does with {@code -d} and
     * {@code --data-binary}, the kind that the body looks like.
     *
     * @param contentType the header; null if it is absent
     * @throws UnsupportedMediaType if the model does not take it; the message lists what it takes
     */
    static BodyKind of(@Nullable String contentType, ReceivedBody body, ModelView model) {
        Set<BodyKind> taken = takenBy(model);
        String[] parts = (contentType == null ? "" : contentType).split(";", -1);
        BodyKind kind = switch (parts[0].strip().toLowerCase(Locale.ROOT)) {
            case "", "application/octet-stream", "application/x-www-form-urlencoded" -> seen(body, taken);
            case "image/jpeg", "image/png" -> IMAGE;
            case "text/plain" -> TEXT;
            case "application/json" -> JSON;
            default -> null;
        };
        if (kind == null || !taken.contains(kind)) {
            throw new UnsupportedMediaType("model '%s' takes %s, the body is %s"
                    .formatted(
                            model.id().name(),
                            taken.stream().map(one -> one.types).collect(Collectors.joining(", ")),
                            contentType == null ? "without a Content-Type" : shown(contentType)));
        }
        return kind;
    }

    private static Set<BodyKind> takenBy(ModelView model) {
        if (model.task() == null) {
            return EnumSet.of(JSON);
        }
        return model.task().medium() == TaskKind.Medium.IMAGE ? EnumSet.of(IMAGE, JSON) : EnumSet.of(TEXT, JSON);
    }

    private static BodyKind seen(ReceivedBody body, Set<BodyKind> taken) {
        int first = ' ';
        for (int i = 0; i < body.length() && Character.isWhitespace(first); i++) {
            first = body.bytes()[i] & 0xFF;
        }
        if (taken.contains(IMAGE)) {
            return first == '{' ? JSON : IMAGE;
        }
        return taken.contains(TEXT) && first != '{' ? TEXT : JSON;
    }

    private static String shown(String contentType) {
        String line = contentType.replaceAll("[^\\x20-\\x7E]", "?");
        return line.length() <= 100 ? line : line.substring(0, 100) + "…";
    }
}
