package io.atelier.app;

import io.atelier.access.ApiKeys;
import io.atelier.config.AtelierConfig;
import io.atelier.core.Ticker;
import io.atelier.core.Tracing;
import io.atelier.engine.Engine;
import io.atelier.engine.djl.DjlEngine;
import io.atelier.engine.djl.NativeLibraries;
import io.atelier.engine.djl.SessionSettings;
import io.atelier.metrics.MetricsListener;
import io.atelier.repository.ModelRepositoryException;
import io.atelier.serving.InferenceService;
import io.atelier.serving.ModelControl;
import io.atelier.serving.ModelStatistics;
import io.atelier.serving.jobs.Jobs;
import io.atelier.serving.map.MapPolicy;
import io.atelier.tracing.CurrentSpan;
import io.atelier.tracing.OpenTelemetryTracing;
import io.micrometer.core.instrument.MeterRegistry;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.prometheus.client.exemplars.DefaultExemplarSampler;
import io.prometheus.client.exemplars.ExemplarSampler;
import io.quarkus.arc.DefaultBean;
import io.quarkus.runtime.ShutdownDelayInitiatedEvent;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.Alternative;
import jakarta.enterprise.inject.Disposes;
import jakarta.enterprise.inject.Instance;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.context.ManagedExecutor;
import org.eclipse.microprofile.context.ThreadContext;
import org.jboss.logging.Logger;

/** Where the parts meet the framework: what is injected elsewhere, and when the service starts and stops. */
@Singleton
class Composition {
    private static final Logger LOG = Logger.getLogger(Composition.class);
    private static final int MOST_WAITING_FOR_WORKERS = 1024;

    @Produces
    @Singleton
    @DefaultBean
    Engine engine(AtelierConfig config) {
        config.nativeLibraries().or(NativeExecutable::libraries).ifPresent(NativeLibraries::loadFrom);
        return new DjlEngine(
                new SessionSettings(config.cpu().intraOpThreads(), config.cpu().allowSpinning()));
    }

    @Produces
    @Singleton
    @DefaultBean
    Ticker ticker() {
        return Ticker.system();
    }

    /** Where the spans go; asked for only where requests are traced. */
    @Produces
    @Singleton
    @DefaultBean
    SpanProcessor spans(AtelierConfig config) {
        return TraceSettings.spans(
                config.tracing().endpoint(),
                config.tracing().headers(),
                config.tracing().timeout());
    }

    @Produces
    @Singleton
    Tracing tracing(AtelierConfig config, Instance<SpanProcessor> spans) {
        return config.tracing().enabled()
                ? new OpenTelemetryTracing(
                        spans.get(),
                        config.tracing().sampleRatio(),
                        TraceSettings.resource(
                                config.tracing().serviceName(), config.tracing().resource(), Service.version()))
                : Tracing.OFF;
    }

    void end(@Disposes Tracing tracing) {
        if (tracing instanceof OpenTelemetryTracing on) {
            on.close();
        }
    }

    /** Takes the place of the extension's own, which has none. */
    @Produces
    @Alternative
    @Priority(1)
    Optional<ExemplarSampler> exemplars(AtelierConfig config) {
        return config.tracing().enabled()
                ? Optional.of(new DefaultExemplarSampler(new CurrentSpan()))
                : Optional.empty();
    }

    @Produces
    @Singleton
    Service service(
            AtelierConfig config,
            Engine engine,
            MeterRegistry registry,
            Tracing tracing,
            ManagedExecutor workers,
            Ticker ticker) {
        // a view of Quarkus' workers: decoding takes a core each, and for each image the memory of its pixels
        ManagedExecutor decoders = ManagedExecutor.builder()
                .maxAsync(Runtime.getRuntime().availableProcessors())
                .maxQueued(MOST_WAITING_FOR_WORKERS)
                .propagated()
                .cleared(ThreadContext.ALL_REMAINING)
                .build();
        return new Service(config, engine, new MetricsListener(registry, ticker), tracing, workers, decoders, ticker);
    }

    @Produces
    @Singleton
    @DefaultBean
    InferenceService inference(Service service) {
        return service.inference();
    }

    @Produces
    @Singleton
    ModelControl models(Service service) {
        return service.control();
    }

    @Produces
    @Singleton
    Jobs jobs(Service service) {
        return service.jobs();
    }

    @Produces
    @Singleton
    ModelStatistics statistics(Service service) {
        return service.statistics();
    }

    @Produces
    @Singleton
    ApiKeys apiKeys(AtelierConfig config) {
        AtelierConfig.Auth auth = config.auth();
        return auth.apiKeys()
                .map(folder -> ApiKeys.of(folder, auth.admins().orElse(Set.of())))
                .orElseGet(ApiKeys::none);
    }

    @Produces
    @Singleton
    MapPolicy mapPolicy(AtelierConfig config) {
        AtelierConfig.Map map = config.map();
        return new MapPolicy(
                map.window(),
                map.windowSize().asLongValue(),
                Math.toIntExact(map.maxLine().asLongValue()),
                map.maxStreams(),
                map.timeout(),
                map.priority());
    }

    void start(@Observes StartupEvent event, Service service) throws ModelRepositoryException {
        TerminationSignal.exitsOrderly();
        var unused = service.start().exceptionally(failure -> {
            LOG.error("loading failed", failure);
            return null;
        });
    }

    /** Between the signal and the end of the pre-stop delay readiness is off and requests are still welcome. */
    void leave(
            @Observes ShutdownDelayInitiatedEvent event,
            Service service,
            @ConfigProperty(name = "quarkus.shutdown.delay", defaultValue = "0S") Duration delay) {
        service.leave(delay);
    }

    void stop(@Observes ShutdownEvent event, Service service) {
        service.stop();
    }
}
