package io.atelier.tracing;

import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.trace.data.LinkData;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import io.opentelemetry.sdk.trace.samplers.SamplingDecision;
import io.opentelemetry.sdk.trace.samplers.SamplingResult;
import java.util.List;

/** Samples a batch because its requests are sampled; anything else as the other sampler says. Immutable. */
final class LinkedSampler implements Sampler {
    private static final SamplingResult SAMPLED = SamplingResult.create(SamplingDecision.RECORD_AND_SAMPLE);

    private final Sampler other;

    LinkedSampler(Sampler other) {
        this.other = other;
    }

    @Override
    public SamplingResult shouldSample(
            Context parent, String traceId, String name, SpanKind kind, Attributes attributes, List<LinkData> links) {
        boolean root = !Span.fromContext(parent).getSpanContext().isValid();
        return root && links.stream().anyMatch(link -> link.getSpanContext().isSampled())
                ? SAMPLED
                : other.shouldSample(parent, traceId, name, kind, attributes, links);
    }

    @Override
    public String getDescription() {
        return "linked, else " + other.getDescription();
    }
}
