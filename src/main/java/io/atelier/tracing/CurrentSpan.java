package io.atelier.tracing;

import io.opentelemetry.api.trace.Span;
import io.prometheus.client.exemplars.tracer.common.SpanContextSupplier;

/** The span that a value is recorded in, by which an exemplar finds its trace. Stateless. */
public final class CurrentSpan implements SpanContextSupplier {
    @Override
    public String getTraceId() {
        return Span.current().getSpanContext().getTraceId();
    }

    @Override
    public String getSpanId() {
        return Span.current().getSpanContext().getSpanId();
    }

    @Override
    public boolean isSampled() {
        return Span.current().getSpanContext().isSampled();
    }
}
