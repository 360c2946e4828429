package io.atelier.api;

import io.atelier.core.ErrorCode;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import org.jboss.logging.Logger;

/**
 * The same problem body for what fails before a resource is found: a body whose declared length is too large, which
 * Quarkus would answer without a body, and paths that cannot be decoded.
 */
@Singleton
public class ProblemRoutes {
    private static final Logger LOG = Logger.getLogger(ProblemRoutes.class);

    /** Runs before Quarkus' own check of the length, whose route has the order -2. */
    private static final int BEFORE_UPLOAD_LIMIT = 100;

    private final Vertx vertx;
    private final long maxBodyBytes;

    @Inject
    public ProblemRoutes(Vertx vertx, RequestBodyReader bodies) {
        this.vertx = vertx;
        this.maxBodyBytes = bodies.maxBytes();
    }

    void limitBodies(@Observes Filters filters) {
        filters.register(this::refuseLargeBody, BEFORE_UPLOAD_LIMIT);
    }

    void renderFailures(@Observes Router router) {
        router.route().order(Integer.MIN_VALUE).failureHandler(this::render);
    }

    private void refuseLargeBody(RoutingContext context) {
        if (declaredBytes(context) <= maxBodyBytes) {
            context.next();
            return;
        }
        LingeringClose.of(vertx, context.request());
        send(
                context,
                Problem.of(ErrorCode.PAYLOAD_TOO_LARGE, "the body is larger than " + maxBodyBytes + " bytes", null));
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

    private void render(RoutingContext context) {
        if (context.response().ended() || context.response().headWritten()) {
            context.next();
            return;
        }
        int status = context.statusCode();
        boolean refused = status >= 400 && status < 500;
        Throwable failure = context.failure();
        if (!refused && failure != null) {
            LOG.error("unexpected failure", failure);
        }
        send(context, refused ? Problem.http(status) : Problem.internal());
    }

    private static void send(RoutingContext context, Problem problem) {
        String path = context.request().path();
        context.response()
                .setStatusCode(problem.status())
                .putHeader(HttpHeaders.CONTENT_TYPE, Problem.MEDIA_TYPE)
                .end(Buffer.buffer(problem.json(path == null ? "" : path)));
    }
}
