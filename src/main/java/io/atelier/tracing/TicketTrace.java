package io.atelier.tracing;

import io.atelier.core.ErrorCode;
import io.atelier.core.ModelId;
import io.atelier.core.ServingException;
import io.atelier.core.ServingListener.Execution;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import org.jspecify.annotations.Nullable;

/**
 * A ticket on its way, as spans below its request: {@code queue} while it waits, {@code execute} while it runs, and the
 * same again where it is executed again. Whoever settles it ends what is open; what is heard later is too late.
 *
 * <p>Thread-safe: the object's lock guards the open span. A span that is never ended is never exported: that of a ticket
 * that was refused, or that did not wait again after its execution.
 */
final class TicketTrace implements SpanTrace {
    private final Tracer tracer;
    private final Context request;
    private @Nullable Span waiting;
    private @Nullable Span executing;
    private @Nullable Execution execution;
    private boolean settled;

    /** Begins to wait. */
    TicketTrace(Tracer tracer, Context request) {
        this.tracer = tracer;
        this.request = request;
        this.waiting = begin(Names.QUEUE);
    }

    @Override
    public Context request() {
        return request;
    }

    /** Runs, as a part of this batch. Where an earlier execution has not returned, it is not waited for any more. */
    synchronized void began(Execution next, SpanContext batch) {
        if (settled) {
            return;
        }
        if (waiting != null) {
            waiting.setAllAttributes(Names.of(next.model())).end();
            waiting = null;
        }
        if (executing != null) {
            executing.setAttribute(Names.OUTCOME, Names.NO_RESULT).end();
        }
        execution = next;
        executing = begin(Names.EXECUTE)
                .addLink(batch)
                .setAllAttributes(Names.of(next.model()))
                .setAttribute(Names.DEVICE, next.device().toString());
    }

    /** The execution has given outputs. */
    synchronized void succeeded(Execution over) {
        if (over.equals(execution) && executing != null) {
            Names.outcome(executing, null);
            executing.end();
            executing = null;
        }
    }

    /** The execution has returned; if without outputs, the ticket may wait again. */
    synchronized void returned(Execution over, @Nullable ServingException failure) {
        if (over.equals(execution) && executing != null) {
            if (failure == null) {
                executing.setAttribute(Names.OUTCOME, Names.NO_RESULT);
            } else {
                Names.outcome(executing, failure);
            }
            executing.end();
            executing = null;
            waiting = begin(Names.QUEUE);
        }
    }

    synchronized void settled(ModelId model, @Nullable ServingException failure) {
        settled = true;
        if (executing != null) {
            Names.outcome(executing, failure);
            executing.end();
            executing = null;
        }
        if (waiting != null && failure != null && failure.code() != ErrorCode.ENGINE_FAILURE) {
            Names.outcome(waiting.setAllAttributes(Names.of(model)), failure);
            waiting.end();
        }
        waiting = null;
    }

    private Span begin(String name) {
        return tracer.spanBuilder(name).setParent(request).startSpan();
    }
}
