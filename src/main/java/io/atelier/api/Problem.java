package io.atelier.api;

import io.atelier.core.ErrorCode;
import io.atelier.core.ServingException;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.eclipse.microprofile.faulttolerance.exceptions.BulkheadException;
import org.eclipse.microprofile.faulttolerance.exceptions.CircuitBreakerOpenException;
import org.eclipse.microprofile.faulttolerance.exceptions.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Why there is no answer, as callers read it: an RFC 9457 body whose extension member {@code error} is what clients of
 * the Open Inference Protocol or of OpenAI look for. Immutable.
 *
 * @param code       a stable word for programs
 * @param retryAfter when it is worth asking again; null where that is not known
 * @see <a href="https://www.rfc-editor.org/rfc/rfc9457">RFC 9457</a>
 */
public record Problem(
        int status,
        String code,
        String title,
        String detail,
        @Nullable Duration retryAfter) {
    public static final String MEDIA_TYPE = "application/problem+json";

    private static final String OPENAI_PATHS = "/v1/";
    private static final String KSERVE_VERB = ":predict";
    private static final String TYPE_PREFIX = "urn:atelier:problem:";
    private static final Duration SOON = Duration.ofSeconds(1);

    /**
     * What a failure tells callers; null if it is none that anybody foresaw, and so tells nothing.
     *
     * <p>HTTP's own failures are none of these: see {@link #http}.
     */
    static @Nullable Problem of(Throwable failure) {
        Throwable cause = unwrap(failure);
        if (cause instanceof ProblemException known) {
            return known.problem();
        }
        if (cause instanceof ServingException serving) {
            return of(serving.code(), serving.detail(), serving.retryAfter().orElse(null));
        }
        if (cause instanceof TimeoutException) {
            return of(ErrorCode.DEADLINE_EXCEEDED, "no result in time", null);
        }
        if (cause instanceof BulkheadException) {
            return of(ErrorCode.OVERLOADED, "too many requests at once", SOON);
        }
        if (cause instanceof CircuitBreakerOpenException) {
            return of(ErrorCode.NOT_READY, "recovering from failures", SOON);
        }
        return null;
    }

    static Problem of(ErrorCode code, String detail, @Nullable Duration retryAfter) {
        return new Problem(code.status(), code.name(), code.title(), detail, retryAfter);
    }

    /** What HTTP itself refuses: no such path, no such method. */
    static Problem http(int status) {
        return switch (status) {
            case 400 -> of(ErrorCode.INVALID_INPUT, "malformed request", null);
            case 401 -> of(ErrorCode.UNAUTHENTICATED, "credentials are missing or wrong", null);
            case 403 -> of(ErrorCode.FORBIDDEN, "not allowed with these credentials", null);
            case 404 -> new Problem(status, "NOT_FOUND", "Not found", "nothing is served at this path", null);
            case 405 ->
                new Problem(status, "METHOD_NOT_ALLOWED", "Method not allowed", "this path has no such method", null);
            case 406 ->
                new Problem(status, "NOT_ACCEPTABLE", "Not acceptable", "the answer has no such media type", null);
            case 408 ->
                new Problem(status, "REQUEST_TIMEOUT", "Request timeout", "the body took too long to arrive", null);
            case 413 -> of(ErrorCode.PAYLOAD_TOO_LARGE, "the body is too large", null);
            case 415 -> of(ErrorCode.UNSUPPORTED_MEDIA_TYPE, "no such body is read here", null);
            default ->
                status >= 400 && status < 500
                        ? new Problem(status, "REQUEST_REFUSED", "Request refused", "malformed request", null)
                        : internal();
        };
    }

    /** A bug: the log knows more, the caller need not. */
    static Problem internal() {
        return new Problem(500, "INTERNAL_ERROR", "Internal error", "an unexpected failure", null);
    }

    static Throwable unwrap(Throwable failure) {
        Throwable cause = failure;
        while ((cause instanceof CompletionException || cause instanceof ExecutionException)
                && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }

    /** Whole seconds for the header {@code Retry-After}, at least 1; null if there is none. */
    @Nullable
    String retryAfterSeconds() {
        return retryAfter == null
                ? null
                : Long.toString(
                        Math.max(1, retryAfter.plusSeconds(1).minusNanos(1).toSeconds()));
    }

    /**
     * The body.
     *
     * @param path where the request went; decides which clients must understand the member {@code error}
     */
    byte[] json(String path) {
        return Json.write(512, json -> {
            json.writeStartObject();
            json.writeStringField("type", TYPE_PREFIX + word().replace('_', '-'));
            json.writeStringField("title", title);
            json.writeNumberField("status", status);
            json.writeStringField("detail", detail);
            json.writeStringField("code", code);
            if (path.startsWith(OPENAI_PATHS) && !path.endsWith(KSERVE_VERB)) {
                json.writeObjectFieldStart("error");
                json.writeStringField("message", detail);
                json.writeStringField("type", openAiType());
                json.writeNullField("param");
                json.writeStringField("code", word());
                json.writeEndObject();
            } else {
                json.writeStringField("error", detail);
            }
            json.writeEndObject();
        });
    }

    /** Answers a request that no resource answers. */
    void send(HttpServerRequest request) {
        String path = request.path();
        request.response()
                .setStatusCode(status)
                .putHeader(HttpHeaders.CONTENT_TYPE, MEDIA_TYPE)
                .end(Buffer.buffer(json(path == null ? "" : path)));
    }

    private String word() {
        return code.toLowerCase(Locale.ROOT);
    }

    private String openAiType() {
        return switch (status) {
            case 401 -> "authentication_error";
            case 403 -> "permission_error";
            case 429 -> "rate_limit_error";
            default -> status < 500 ? "invalid_request_error" : "server_error";
        };
    }
}
