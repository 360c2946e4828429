package io.atelier.tracing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.core.BatchShape;
import io.atelier.core.Deadline;
import io.atelier.core.DeviceId;
import io.atelier.core.InferenceRequest;
import io.atelier.core.ModelId;
import io.atelier.core.ServingException;
import io.atelier.core.ServingException.DeadlineExceeded;
import io.atelier.core.ServingException.EngineFailure;
import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.ServingListener;
import io.atelier.core.ServingListener.Execution;
import io.atelier.core.ServingListener.Stages;
import io.atelier.core.Ticker;
import io.atelier.core.Ticket;
import io.atelier.core.Trace;
import io.atelier.core.Tracing;
import io.atelier.testing.FakeEngine;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TracingListenerTest {
    private static final ModelId MODEL = new ModelId("m", "1");
    private static final AttributeKey<String> OUTCOME = AttributeKey.stringKey("atelier.outcome");

    private final InMemorySpanExporter spans = InMemorySpanExporter.create();
    private final OpenTelemetryTracing tracing =
            new OpenTelemetryTracing(SimpleSpanProcessor.create(spans), 1, Map.of());
    private final List<String> current = new ArrayList<>();
    private final ServingListener listener = tracing.observing(new ServingListener() {
        @Override
        public void onSettled(Ticket ticket, @Nullable ServingException failure) {
            current.add(Span.current().getSpanContext().getSpanId());
        }

        @Override
        public void onExecutionFinished(Execution execution, long durationNanos, @Nullable Throwable failure) {
            current.add(Span.current().getSpanContext().getSpanId());
        }
    });

    @AfterEach
    void end() {
        tracing.close();
    }

    @Test
    void anExecutionThatFailedIsFollowedByAnotherWaitAndAnotherExecution() {
        Ticket ticket = ticket(begin().ofTicket());
        Execution first = execution(1, ticket);
        Execution second = execution(2, ticket);

        listener.onExecutionStarted(first);
        listener.onExecutionFinished(first, 1, new IllegalStateException());
        listener.onExecutionStarted(second);
        listener.onExecuted(second, new Stages(1, 1, 1));
        listener.onSettled(ticket, null);
        listener.onExecutionFinished(second, 1, null);

        assertThat(names()).containsExactly("queue", "execute", "batch", "queue", "execute", "batch");
        assertThat(outcomes("execute")).containsExactly("engine_failure", "success");
        assertThat(outcomes("batch")).containsExactly("engine_failure", "success");
    }

    @Test
    void whoFailedAndIsNotTriedAgainHasNotWaitedAgain() {
        Ticket ticket = ticket(begin().ofTicket());
        Execution execution = execution(1, ticket);

        listener.onExecutionStarted(execution);
        listener.onExecutionFinished(execution, 1, new IllegalStateException());
        listener.onSettled(ticket, new EngineFailure("broken", null));

        assertThat(names()).containsExactly("queue", "execute", "batch");
    }

    @Test
    void whoExpiresInItsSecondWaitHasWaitedTwice() {
        Ticket ticket = ticket(begin().ofTicket());
        Execution rejected = execution(1, ticket);

        listener.onExecutionStarted(rejected);
        listener.onExecutionFinished(rejected, 1, null); // the guard's breaker was open: no outputs, and no failure
        listener.onSettled(ticket, new DeadlineExceeded("late"));

        assertThat(names()).containsExactly("queue", "execute", "batch", "queue");
        assertThat(outcomes("execute")).containsExactly("no_result");
        assertThat(outcomes("batch")).containsExactly("no_result");
        assertThat(outcomes("queue")).containsExactly("null", "deadline_exceeded");
    }

    @Test
    void whoExpiresInAHangIsNotWaitedForUntilItReturns() {
        Ticket ticket = ticket(begin().ofTicket());
        Execution hanging = execution(1, ticket);

        listener.onExecutionStarted(hanging);
        listener.onSettled(ticket, new DeadlineExceeded("late"));
        assertThat(names()).containsExactly("queue", "execute");
        assertThat(outcomes("execute")).containsExactly("deadline_exceeded");

        listener.onExecuted(hanging, new Stages(1, 1, 1));
        listener.onExecutionFinished(hanging, 1, null);
        assertThat(names()).containsExactly("queue", "execute", "batch");
        assertThat(outcomes("batch")).containsExactly("success");
    }

    @Test
    void whoIsRetriedElsewhereLeavesTheHangingExecution() {
        Ticket ticket = ticket(begin().ofTicket());
        Execution hanging = execution(1, ticket);
        Execution retry = execution(2, ticket);

        listener.onExecutionStarted(hanging);
        listener.onExecutionStarted(retry);
        listener.onExecuted(hanging, new Stages(1, 1, 1));
        listener.onExecutionFinished(hanging, 1, null);
        assertThat(outcomes("execute")).containsExactly("no_result");

        listener.onExecuted(retry, new Stages(1, 1, 1));
        listener.onSettled(ticket, null);
        assertThat(outcomes("execute")).containsExactly("no_result", "success");
    }

    @Test
    void whatIsHeardOfATicketAfterItsSettlementIsTooLate() {
        Ticket ticket = ticket(begin().ofTicket());
        Execution execution = execution(1, ticket);

        listener.onSettled(ticket, new DeadlineExceeded("late"));
        listener.onExecutionStarted(execution);
        listener.onExecuted(execution, new Stages(1, 1, 1));
        listener.onExecutionFinished(execution, 1, null);

        assertThat(names()).containsExactly("queue", "batch");
    }

    @Test
    void othersAreToldInTheSpanThatAnExemplarNames() {
        Trace request = begin();
        Ticket ticket = ticket(request.ofTicket());
        Execution execution = execution(1, ticket);

        listener.onExecutionStarted(execution);
        listener.onExecuted(execution, new Stages(1, 1, 1));
        listener.onSettled(ticket, null);
        listener.onExecutionFinished(execution, 1, null);
        request.end(200, null);

        assertThat(current).containsExactly(id("POST /route"), id("batch"));
        assertThat(Span.current().getSpanContext().isValid()).isFalse();
    }

    @Test
    void aBatchOfNobodyTracedIsNone() {
        Ticket untraced = ticket(Trace.NONE);
        Execution execution = execution(1, untraced);

        listener.onExecutionStarted(execution);
        listener.onExecuted(execution, new Stages(1, 1, 1));
        listener.onExecutionFinished(execution, 1, null);
        listener.onSettled(untraced, null);

        assertThat(names()).isEmpty();
        assertThat(current).containsOnly("0000000000000000").hasSize(2);
    }

    @Test
    void aBatchIsSampledWhereOneOfItsRequestsIs() {
        try (OpenTelemetryTracing rarely = new OpenTelemetryTracing(SimpleSpanProcessor.create(spans), 0, Map.of())) {
            assertThat(rarely.begin(head(null))).isSameAs(Trace.NONE);
            Trace sampled = rarely.begin(head("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
            Execution execution = execution(1, ticket(Trace.NONE), ticket(sampled.ofTicket()));

            ServingListener rare = rarely.observing(ServingListener.NONE);
            rare.onExecutionStarted(execution);
            rare.onExecutionFinished(execution, 1, null);

            assertThat(names()).containsExactly("queue", "execute", "batch");
            SpanData batch = spans.getFinishedSpanItems().get(2);
            assertThat(batch.getLinks()).hasSize(1);
            assertThat(batch.getAttributes().get(AttributeKey.longKey("atelier.batch.requests")))
                    .isEqualTo(2);
        }
    }

    @Test
    void aTraceHasSoManyPartsAndNoMore() {
        Trace request = begin();
        for (int i = 0; i < RequestTrace.MOST_PARTS - 1; i++) {
            assertThat(request.stage("part", () -> 7)).isEqualTo(7);
        }
        assertThat(request.ofTicket()).isNotSameAs(Trace.NONE);

        assertThat(request.ofTicket()).isSameAs(Trace.NONE);
        assertThat(request.stage("part", () -> 7)).isEqualTo(7);
        assertThat(names()).hasSize(RequestTrace.MOST_PARTS - 1);
    }

    @Test
    void aStageThatFailsSaysSoAndFails() {
        Trace request = begin();
        InvalidInput refusal = new InvalidInput("no");
        IllegalStateException bug = new IllegalStateException();

        assertThatThrownBy(() -> request.stage("decode", () -> {
                    throw refusal;
                }))
                .isSameAs(refusal);
        assertThatThrownBy(() -> request.stage("encode", () -> {
                    throw bug;
                }))
                .isSameAs(bug);

        assertThat(outcomes("decode")).containsExactly("invalid_input");
        assertThat(outcomes("encode")).containsExactly("internal_error");
        assertThat(spans.getFinishedSpanItems())
                .extracting(span -> span.getStatus().getStatusCode())
                .containsExactly(StatusCode.UNSET, StatusCode.ERROR);
    }

    private Trace begin() {
        return tracing.begin(head(null));
    }

    private static Tracing.Head head(@Nullable String parent) {
        return new Tracing.Head() {
            @Override
            public String method() {
                return "POST";
            }

            @Override
            public String path() {
                return "/route";
            }

            @Override
            public String route() {
                return "/route";
            }

            @Override
            public @Nullable String header(String name) {
                return name.equals("traceparent") ? parent : null;
            }
        };
    }

    private static Ticket ticket(Trace trace) {
        Ticker ticker = () -> 0;
        return new Ticket(
                new InferenceRequest(null, MODEL, List.of(FakeEngine.row(1)), List.of("y"), 0),
                new BatchShape(1, 1, "same"),
                Deadline.after(Duration.ofSeconds(1), ticker),
                0,
                trace);
    }

    private static Execution execution(long startedNanos, Ticket... tickets) {
        return new Execution(DeviceId.cpu(0), MODEL, List.of(tickets), tickets.length, startedNanos);
    }

    /** Of the spans that have ended, in the order in which they did. */
    private List<String> names() {
        return spans.getFinishedSpanItems().stream().map(SpanData::getName).toList();
    }

    private List<String> outcomes(String name) {
        return spans.getFinishedSpanItems().stream()
                .filter(span -> span.getName().equals(name))
                .map(span -> String.valueOf(span.getAttributes().get(OUTCOME)))
                .toList();
    }

    private String id(String name) {
        return spans.getFinishedSpanItems().stream()
                .filter(span -> span.getName().equals(name))
                .map(SpanData::getSpanId)
                .findFirst()
                .orElseThrow();
    }
}
