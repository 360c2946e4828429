package io.atelier.app;

import static java.util.concurrent.TimeUnit.SECONDS;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import jakarta.enterprise.inject.Alternative;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.Optional;
import org.awaitility.Awaitility;

/** Stands in the place of a collector, where a test's profile enables it. */
@Alternative
@Singleton
public class CollectedSpans {
    private final InMemorySpanExporter spans = InMemorySpanExporter.create();

    @Produces
    @Singleton
    SpanProcessor processor() {
        return SimpleSpanProcessor.create(spans);
    }

    List<SpanData> all() {
        return spans.getFinishedSpanItems();
    }

    /** Those that have ended of this trace, in the order in which they began. */
    List<SpanData> of(String trace) {
        return all().stream()
                .filter(span -> span.getTraceId().equals(trace))
                .sorted((one, other) -> Long.compare(one.getStartEpochNanos(), other.getStartEpochNanos()))
                .toList();
    }

    /** Those of this name in a trace. */
    List<SpanData> of(String trace, String name) {
        return of(trace).stream().filter(span -> span.getName().equals(name)).toList();
    }

    /** The only one of this name in a trace, which the caller's answer does not wait for. */
    SpanData await(String trace, String name) {
        return Awaitility.await()
                .atMost(20, SECONDS)
                .until(() -> of(trace, name), found -> found.size() == 1)
                .get(0);
    }

    /** The batch that an execution was a part of; it ends when its callers may have been answered. */
    SpanData batchOf(SpanData execution) {
        return await(execution.getLinks().get(0).getSpanContext().getTraceId(), "batch");
    }

    static Optional<String> text(SpanData span, String attribute) {
        return Optional.ofNullable(span.getAttributes().get(AttributeKey.stringKey(attribute)));
    }

    static Optional<Long> number(SpanData span, String attribute) {
        return Optional.ofNullable(span.getAttributes().get(AttributeKey.longKey(attribute)));
    }
}
