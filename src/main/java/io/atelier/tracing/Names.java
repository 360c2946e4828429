package io.atelier.tracing;

import io.atelier.core.ModelId;
import io.atelier.core.ServingException;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What spans and their attributes are called: OpenTelemetry's semantic conventions where they have a word, else ours.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/semconv/http/http-spans/">Semantic conventions for HTTP spans</a>
 */
final class Names {
    static final String QUEUE = "queue";
    static final String EXECUTE = "execute";
    static final String BATCH = "batch";

    static final AttributeKey<String> METHOD = AttributeKey.stringKey("http.request.method");
    static final AttributeKey<String> ROUTE = AttributeKey.stringKey("http.route");
    static final AttributeKey<String> PATH = AttributeKey.stringKey("url.path");
    static final AttributeKey<Long> STATUS = AttributeKey.longKey("http.response.status_code");
    static final AttributeKey<String> ERROR_TYPE = AttributeKey.stringKey("error.type");

    static final AttributeKey<String> OUTCOME = AttributeKey.stringKey("atelier.outcome");
    static final AttributeKey<String> MODEL = AttributeKey.stringKey("atelier.model.name");
    static final AttributeKey<String> VERSION = AttributeKey.stringKey("atelier.model.version");
    static final AttributeKey<String> DEVICE = AttributeKey.stringKey("atelier.device");
    static final AttributeKey<Long> ROWS = AttributeKey.longKey("atelier.batch.rows");
    static final AttributeKey<Long> REQUESTS = AttributeKey.longKey("atelier.batch.requests");

    /** The outcome of an execution that gave nothing and did not fail: it was ended, or the guard did not let it begin. */
    static final String NO_RESULT = "no_result";

    private static final String SUCCESS = "success";
    private static final String UNFORESEEN = "internal_error";
    private static final int SERVER_ERROR = 500;

    private Names() {}

    static Attributes of(ModelId model) {
        return Attributes.of(MODEL, model.name(), VERSION, model.version());
    }

    /**
     * Says what came of a span, in the words of the metrics' label {@code outcome}. What is the caller's own doing is no
     * error of the service, as HTTP's conventions have it.
     */
    static void outcome(Span span, @Nullable Throwable failure) {
        if (failure == null) {
            span.setAttribute(OUTCOME, SUCCESS);
            return;
        }
        ServingException known = failure instanceof ServingException serving ? serving : null;
        String word = known == null ? UNFORESEEN : known.code().name().toLowerCase(Locale.ROOT);
        span.setAttribute(OUTCOME, word);
        span.setAttribute(ERROR_TYPE, word);
        if (known == null || known.code().status() >= SERVER_ERROR) {
            span.setStatus(StatusCode.ERROR, known == null ? "" : known.detail());
        }
    }

    /** The same of a span of HTTP, whose status says more where the failure is HTTP's own. */
    static void outcome(Span span, int status, @Nullable Throwable failure) {
        span.setAttribute(STATUS, status);
        if (failure == null || failure instanceof ServingException || status >= SERVER_ERROR) {
            outcome(span, failure);
        } else {
            span.setAttribute(ERROR_TYPE, Integer.toString(status));
        }
    }
}
