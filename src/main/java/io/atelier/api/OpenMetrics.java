package io.atelier.api;

import io.atelier.core.Tracing;
import io.micrometer.prometheus.PrometheusMeterRegistry;
import io.prometheus.client.Collector;
import io.prometheus.client.Collector.MetricFamilySamples;
import io.prometheus.client.Collector.MetricFamilySamples.Sample;
import io.prometheus.client.exporter.common.TextFormat;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.MIMEHeader;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Collections;
import java.util.List;

/**
 * Answers a scrape in the format OpenMetrics, the only one with exemplars, where tracing is on and the scraper likes it
 * best. Quarkus' own endpoint answers in the older format whoever takes that one too, as Prometheus does; and Micrometer
 * puts exemplars at counts of histograms as well, for which Prometheus refuses the whole scrape.
 */
@Singleton
@SuppressWarnings("deprecation") // the registry that Quarkus has
class OpenMetrics {
    private static final String PATH = "/q/metrics";
    private static final String SUBTYPE = "openmetrics-text";
    private static final String BUCKET = "_bucket";
    private static final int BEFORE_QUARKUS = -1;
    private static final int EXPECTED_CHARACTERS = 64 << 10;

    private final PrometheusMeterRegistry registry;

    OpenMetrics(PrometheusMeterRegistry registry) {
        this.registry = registry;
    }

    void route(@Observes Router router, Tracing tracing) {
        if (tracing != Tracing.OFF) {
            router.get(PATH).order(BEFORE_QUARKUS).blockingHandler(this::scrape, false);
        }
    }

    private void scrape(RoutingContext scrape) {
        List<MIMEHeader> accepted = scrape.parsedHeaders().accept();
        if (accepted.isEmpty() || !accepted.get(0).subComponent().equals(SUBTYPE)) {
            scrape.next();
            return;
        }
        List<MetricFamilySamples> families =
                Collections.list(registry.getPrometheusRegistry().metricFamilySamples()).stream()
                        .map(OpenMetrics::withExemplarsInBuckets)
                        .toList();
        StringWriter text = new StringWriter(EXPECTED_CHARACTERS);
        try {
            TextFormat.writeOpenMetrics100(text, Collections.enumeration(families));
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        scrape.response()
                .putHeader(HttpHeaders.CONTENT_TYPE, TextFormat.CONTENT_TYPE_OPENMETRICS_100)
                .end(text.toString());
    }

    private static MetricFamilySamples withExemplarsInBuckets(MetricFamilySamples family) {
        return family.type != Collector.Type.HISTOGRAM
                ? family
                : new MetricFamilySamples(
                        family.name,
                        family.unit,
                        family.type,
                        family.help,
                        family.samples.stream()
                                .map(sample -> sample.name.endsWith(BUCKET)
                                        ? sample
                                        : new Sample(sample.name, sample.labelNames, sample.labelValues, sample.value))
                                .toList());
    }
}
