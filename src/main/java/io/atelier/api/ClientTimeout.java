package io.atelier.api;

import io.atelier.core.ServingException.InvalidInput;
import io.vertx.core.http.HttpServerRequest;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** How long a request may take: what the model allows, or less where its caller asks for less. */
public final class ClientTimeout {
    /** Seconds, with a fraction if need be. */
    public static final String HEADER = "Request-Timeout";

    private static final Pattern SECONDS = Pattern.compile("\\d{1,9}(\\.\\d{1,9})?");

    private ClientTimeout() {}

    /**
     * The header's value; null if it is absent.
     *
     * @throws InvalidInput if it is not a positive number of seconds
     */
    public static @Nullable Duration of(HttpServerRequest request) {
        String text = request.getHeader(HEADER);
        return text == null ? null : seconds(text);
    }

    static Duration seconds(String text) {
        if (SECONDS.matcher(text).matches()) {
            BigDecimal seconds = new BigDecimal(text);
            if (seconds.signum() > 0) {
                return Duration.ofNanos(seconds.movePointRight(9).longValueExact());
            }
        }
        throw new InvalidInput("header " + HEADER + " is not a positive number of seconds");
    }

    /** The shortest of these; a caller can only shorten what the model allows. */
    public static Duration shortest(Duration allowed, @Nullable Duration... asked) {
        return Stream.of(asked)
                .filter(timeout -> timeout != null && timeout.compareTo(allowed) < 0)
                .min(Duration::compareTo)
                .orElse(allowed);
    }
}
