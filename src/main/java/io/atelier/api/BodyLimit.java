package io.atelier.api;

import io.atelier.core.ErrorCode;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;

/**
 * Refuses a body whose declared length is too large before a byte of it is read, with the same problem as any other
 * refusal. Quarkus' own check, which comes next, would answer without a body; so its limit is the one that counts here.
 */
@Singleton
public class BodyLimit {
    /** Runs before Quarkus' own check of the length, whose route has the order -2. */
    private static final int BEFORE_UPLOAD_LIMIT = 100;

    private final Vertx vertx;
    private final long maxBodyBytes;

    @Inject
    public BodyLimit(Vertx vertx, RequestBodyReader bodies) {
        this.vertx = vertx;
        this.maxBodyBytes = bodies.maxBytes();
    }

    void limitBodies(@Observes Filters filters) {
        filters.register(this::refuseLargeBody, BEFORE_UPLOAD_LIMIT);
    }

    private void refuseLargeBody(RoutingContext context) {
        if (isStream(context)) {
            context.request().headers().remove(HttpHeaders.CONTENT_LENGTH); // else Quarkus' own check would refuse it
            context.next();
            return;
        }
        if (declaredBytes(context) <= maxBodyBytes) {
            context.next();
            return;
        }
        LingeringClose.of(vertx, context.request());
        Problem.of(ErrorCode.PAYLOAD_TOO_LARGE, "the body is larger than " + maxBodyBytes + " bytes", null)
                .send(context.request());
    }

    /** Of a stream of lines each line has a limit of its own, the body has none. */
    private static boolean isStream(RoutingContext context) {
        String path = context.request().path();
        return path != null && path.startsWith("/v2/models/") && path.endsWith("/map");
    }

    /** The declared length; HTTP's own checks have refused what is no number. */
    private static long declaredBytes(RoutingContext context) {
        String declared = context.request().getHeader(HttpHeaders.CONTENT_LENGTH);
        if (declared == null) {
            return 0;
        }
        try {
            return Long.parseLong(declared.strip());
        } catch (NumberFormatException e) {
            return Long.MAX_VALUE;
        }
    }
}
