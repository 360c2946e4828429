package io.atelier.tracing;

import io.atelier.core.DeviceId;
import io.atelier.core.DeviceState;
import io.atelier.core.ModelId;
import io.atelier.core.ServingException;
import io.atelier.core.ServingException.EngineFailure;
import io.atelier.core.ServingListener;
import io.atelier.core.Ticket;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Makes spans of what it hears, and tells the others with the span in place that they may take as an exemplar: the
 * request's, or the batch's.
 *
 * <p>A batch is a trace of its own, since it belongs to several requests: it has links to those that are traced, and
 * exists where there is one. Thread-safe.
 */
final class TracingListener implements ServingListener {
    private final Tracer tracer;
    private final ServingListener others;
    private final Map<Execution, Span> batches = new ConcurrentHashMap<>();

    TracingListener(Tracer tracer, ServingListener others) {
        this.tracer = tracer;
        this.others = others;
    }

    @Override
    public void onRefused(@Nullable ModelId model, ServingException reason) {
        others.onRefused(model, reason);
    }

    @Override
    public void onAccepted(Ticket ticket) {
        others.onAccepted(ticket);
    }

    @Override
    public void onSettled(Ticket ticket, @Nullable ServingException failure) {
        if (!(ticket.trace() instanceof SpanTrace trace)) {
            others.onSettled(ticket, failure);
            return;
        }
        if (trace instanceof TicketTrace own) {
            own.settled(ticket.request().model(), failure);
        }
        trace.request().wrap(() -> others.onSettled(ticket, failure)).run();
    }

    @Override
    public void onExecutionStarted(Execution execution) {
        List<TicketTrace> traces = traces(execution);
        if (!traces.isEmpty()) {
            Span batch = begin(execution, traces);
            batches.put(execution, batch);
            traces.forEach(trace -> trace.began(execution, batch.getSpanContext()));
        }
        others.onExecutionStarted(execution);
    }

    @Override
    public void onExecuted(Execution execution, Stages stages) {
        Span batch = batches.get(execution);
        if (batch != null) {
            Names.outcome(batch, null);
            traces(execution).forEach(trace -> trace.succeeded(execution));
        }
        others.onExecuted(execution, stages);
    }

    @Override
    public void onExecutionFinished(Execution execution, long durationNanos, @Nullable Throwable failure) {
        Span batch = batches.remove(execution);
        if (batch == null) {
            others.onExecutionFinished(execution, durationNanos, failure);
            return;
        }
        ServingException known = failure == null ? null : known(failure);
        traces(execution).forEach(trace -> trace.returned(execution, known));
        if (known != null) {
            Names.outcome(batch, known);
        }
        batch.end();
        Context.root()
                .with(batch)
                .wrap(() -> others.onExecutionFinished(execution, durationNanos, failure))
                .run();
    }

    @Override
    public void onSharingStopped(ModelId model, String reason) {
        others.onSharingStopped(model, reason);
    }

    @Override
    public void onDeviceState(DeviceId device, DeviceState state, String reason) {
        others.onDeviceState(device, state, reason);
    }

    private Span begin(Execution execution, List<TicketTrace> traces) {
        SpanBuilder batch = tracer.spanBuilder(Names.BATCH)
                .setParent(Context.root())
                .setAllAttributes(Names.of(execution.model()))
                .setAttribute(Names.DEVICE, execution.device().toString())
                .setAttribute(Names.ROWS, (long) execution.rows())
                .setAttribute(Names.REQUESTS, (long) execution.requests())
                .setAttribute(Names.OUTCOME, Names.NO_RESULT);
        traces.stream()
                .map(trace -> Span.fromContext(trace.request()).getSpanContext())
                .distinct()
                .forEach(batch::addLink);
        return batch.startSpan();
    }

    private static ServingException known(Throwable failure) {
        return failure instanceof ServingException known ? known : new EngineFailure("the execution failed", failure);
    }

    private static List<TicketTrace> traces(Execution execution) {
        List<TicketTrace> traces = new ArrayList<>(0);
        for (Ticket ticket : execution.tickets()) {
            if (ticket.trace() instanceof TicketTrace trace) {
                traces.add(trace);
            }
        }
        return traces;
    }
}
