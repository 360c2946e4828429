package io.atelier.api;

import io.atelier.core.ServingException.Cancelled;
import io.atelier.core.Trace;
import io.atelier.core.Tracing;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerRequest;
import jakarta.inject.Singleton;
import jakarta.ws.rs.WebApplicationException;
import java.util.List;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/** Where the trace of an HTTP request begins and ends. */
@Singleton
class HttpTracing {
    /** Under which Quarkus REST keeps the path's template, for whoever observes. */
    private static final String ROUTE = "UrlPathTemplate";

    private static final int OK = 200;

    private final Tracing tracing;

    HttpTracing(Tracing tracing) {
        this.tracing = tracing;
    }

    /** The trace of a request; to be called on its event loop. */
    Trace begin(HttpServerRequest request) {
        return tracing == Tracing.OFF ? Trace.NONE : tracing.begin(new Head(request, route()));
    }

    /** The same answer, whose coming, or the client's going away, ends the trace. */
    static <T> Uni<T> ended(Trace trace, Uni<T> answer, ToIntFunction<T> status) {
        return trace == Trace.NONE
                ? answer
                : answer.onTermination().invoke((item, failure, gone) -> {
                    if (gone) {
                        Cancelled cancelled = new Cancelled();
                        trace.end(cancelled.code().status(), cancelled);
                    } else if (failure != null) {
                        trace.end(status(failure), Problem.unwrap(failure));
                    } else {
                        trace.end(item == null ? OK : status.applyAsInt(item), null);
                    }
                });
    }

    private static int status(Throwable failure) {
        if (Problem.unwrap(failure) instanceof WebApplicationException http) {
            return http.getResponse().getStatus();
        }
        Problem problem = Problem.of(failure);
        return problem == null ? Problem.internal().status() : problem.status();
    }

    private static @Nullable String route() {
        Context context = Vertx.currentContext();
        return context == null ? null : context.getLocal(ROUTE);
    }

    private record Head(HttpServerRequest request, @Nullable String route) implements Tracing.Head {
        @Override
        public String method() {
            return request.method().name();
        }

        @Override
        public String path() {
            return request.path();
        }

        @Override
        public @Nullable String header(String name) {
            List<String> values = request.headers().getAll(name);
            return values.isEmpty() ? null : String.join(",", values);
        }
    }
}
