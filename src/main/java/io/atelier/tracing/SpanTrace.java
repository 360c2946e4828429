package io.atelier.tracing;

import io.atelier.core.Trace;
import io.opentelemetry.context.Context;

/** A trace that has spans. */
sealed interface SpanTrace extends Trace permits RequestTrace, TicketTrace {
    /** Holds the span of the caller's request. */
    Context request();
}
