package io.atelier.api;

import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Sees to it that a compressed body that nobody asks for loses nobody an answer: Vert.x closes the connection of one that is
 * broken, whatever is on its way. The body of a method that takes none is thrown away before the request goes on. One of a
 * POST that is refused unread is told of as {@link BodyCoding} does; whoever reads it takes that over.
 */
@Singleton
public class UnreadBodies {
    /** Behind {@link BodyLimit}. */
    private static final int AFTER_THE_LIMIT = 90;

    private final Vertx vertx;
    private final Duration readTimeout;

    @Inject
    public UnreadBodies(
            Vertx vertx,
            @ConfigProperty(name = "quarkus.http.read-timeout", defaultValue = "60s") Duration readTimeout) {
        this.vertx = vertx;
        this.readTimeout = readTimeout;
    }

    void watch(@Observes Filters filters) {
        filters.register(this::watch, AFTER_THE_LIMIT);
    }

    private void watch(RoutingContext context) {
        HttpServerRequest request = context.request();
        if (!request.method().equals(HttpMethod.POST) && RequestBodyReader.isAnnounced(request)) {
            throwAway(context, request);
        } else {
            request.exceptionHandler(cause -> BodyCoding.answerIfBroken(request, cause));
            context.next();
        }
    }

    private void throwAway(RoutingContext context, HttpServerRequest request) {
        long timer = vertx.setTimer(Math.max(1, readTimeout.toMillis()), fired -> late(request));
        request.handler(chunk -> {})
                .endHandler(nothing -> {
                    if (vertx.cancelTimer(timer)) {
                        context.next();
                    }
                })
                .exceptionHandler(cause -> {
                    if (vertx.cancelTimer(timer)) {
                        BodyCoding.answerIfBroken(request, cause);
                    }
                })
                .resume();
    }

    private void late(HttpServerRequest request) {
        LingeringClose.of(vertx, request);
        Problem.http(408).send(request);
    }
}
