package io.atelier.tracing;

import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporterBuilder;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import java.net.URI;
import java.time.Duration;
import java.util.Map;

/** How spans leave the process: OTLP over HTTP, in batches, on a thread of its own. What finds no room is dropped. */
public final class Otlp {
    private static final String TRACES = "/v1/traces";

    private Otlp() {}

    /**
     * Makes the thread.
     *
     * @param collector OTLP's base address, without {@code /v1/traces}
     * @param headers   of each request to it
     */
    public static SpanProcessor to(URI collector, Map<String, String> headers, Duration timeout) {
        String base = collector.toString();
        OtlpHttpSpanExporterBuilder exporter = OtlpHttpSpanExporter.builder()
                .setEndpoint((base.endsWith("/") ? base.substring(0, base.length() - 1) : base) + TRACES)
                .setCompression("gzip")
                .setTimeout(timeout);
        headers.forEach(exporter::addHeader);
        return BatchSpanProcessor.builder(exporter.build()).build();
    }
}
