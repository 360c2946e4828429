package io.atelier.tracing;

import io.atelier.core.Trace;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A caller's request, a span of kind server. Its stages and tickets are spans below it, up to a bound: a stream has as
 * many as it has lines. Thread-safe.
 */
final class RequestTrace implements SpanTrace {
    /** More spans than this would show nothing more, and no viewer likes such a trace. */
    static final int MOST_PARTS = 1000;

    private final Tracer tracer;
    private final Span span;
    private final Context request;
    private final AtomicInteger parts = new AtomicInteger();

    /** @param span the request's, which has begun */
    RequestTrace(Tracer tracer, Span span) {
        this.tracer = tracer;
        this.span = span;
        this.request = Context.root().with(span);
    }

    @Override
    public Context request() {
        return request;
    }

    @Override
    public <T> T stage(String name, Supplier<T> work) {
        if (!hasRoom()) {
            return work.get();
        }
        Span stage = tracer.spanBuilder(name).setParent(request).startSpan();
        try {
            return work.get();
        } catch (RuntimeException | Error failure) {
            Names.outcome(stage, failure);
            throw failure;
        } finally {
            stage.end();
        }
    }

    @Override
    public Trace ofTicket() {
        return hasRoom() ? new TicketTrace(tracer, request) : Trace.NONE;
    }

    @Override
    public void end(int status, @Nullable Throwable failure) {
        Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
        Names.outcome(span, status, cause);
        span.end();
    }

    private boolean hasRoom() {
        return parts.get() < MOST_PARTS && parts.incrementAndGet() <= MOST_PARTS;
    }
}
