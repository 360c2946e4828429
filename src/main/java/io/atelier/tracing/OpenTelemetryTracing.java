package io.atelier.tracing;

import io.atelier.core.ServingListener;
import io.atelier.core.Trace;
import io.atelier.core.Tracing;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.SpanLimits;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Traces requests with OpenTelemetry's SDK. A caller's W3C trace context is gone on with, and decides whether a request
 * is sampled; of those without one, a share is. Thread-safe.
 */
public final class OpenTelemetryTracing implements Tracing, AutoCloseable {
    private static final String SCOPE = "io.atelier";
    private static final int MOST_LINKS = 1024;

    /** The longest that the end of the service waits for the last spans. */
    private static final Duration LAST_WAIT = Duration.ofSeconds(2);

    private static final TextMapGetter<Head> HEADERS = new TextMapGetter<>() {
        @Override
        public Iterable<String> keys(Head head) {
            return List.of();
        }

        @Override
        public @Nullable String get(@Nullable Head head, String name) {
            return head == null ? null : head.header(name);
        }
    };

    private final SdkTracerProvider provider;
    private final Tracer tracer;

    /**
     * @param spans       takes what has ended
     * @param sampleRatio share of the requests without a trace context that is sampled
     * @param resource    attributes of this process
     */
    public OpenTelemetryTracing(SpanProcessor spans, double sampleRatio, Map<String, String> resource) {
        var attributes = Attributes.builder();
        resource.forEach(attributes::put);
        this.provider = SdkTracerProvider.builder()
                .addSpanProcessor(spans)
                .setSampler(new LinkedSampler(Sampler.parentBased(Sampler.traceIdRatioBased(sampleRatio))))
                .setSpanLimits(
                        SpanLimits.builder().setMaxNumberOfLinks(MOST_LINKS).build())
                .setResource(Resource.getDefault().merge(Resource.create(attributes.build())))
                .build();
        this.tracer = provider.get(SCOPE);
    }

    @Override
    public Trace begin(Head head) {
        Context caller = W3CTraceContextPropagator.getInstance().extract(Context.root(), head, HEADERS);
        String route = head.route();
        SpanBuilder builder = tracer.spanBuilder(route == null ? head.method() : head.method() + " " + route)
                .setParent(caller)
                .setSpanKind(SpanKind.SERVER)
                .setAttribute(Names.METHOD, head.method())
                .setAttribute(Names.PATH, head.path());
        if (route != null) {
            builder.setAttribute(Names.ROUTE, route);
        }
        Span span = builder.startSpan();
        return span.getSpanContext().isSampled() ? new RequestTrace(tracer, span) : Trace.NONE;
    }

    @Override
    public ServingListener observing(ServingListener others) {
        return new TracingListener(tracer, others);
    }

    /** Sends what has ended, and ends. */
    @Override
    public void close() {
        provider.shutdown().join(LAST_WAIT.toMillis(), TimeUnit.MILLISECONDS);
    }
}
