package io.atelier.app;

import io.atelier.chaos.ChaosEngine;
import io.atelier.chaos.Latencies;
import io.atelier.chaos.PlainFifoInferenceService;
import io.atelier.config.AtelierConfig;
import io.atelier.core.DeviceId;
import io.atelier.engine.ModelLoadException;
import io.atelier.serving.DeviceView;
import io.atelier.serving.InferenceService;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.vertx.http.runtime.filters.Filters;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.QueryParam;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** The levers of chaos, and what a client on the same machine cannot see from outside. */
@Path("/chaos")
@Singleton
public class ChaosResource {
    private static final int SAMPLE_MILLIS = 20;
    private static final int SAMPLES = 1 << 15;

    private final ChaosEngine engine;
    private final Service service;
    private final MeterRegistry registry;
    private final Latencies latencies = new Latencies();
    private final long[] predicted = new long[2 * SAMPLES];
    private int samples;

    ChaosResource(ChaosEngine engine, Service service, MeterRegistry registry) {
        this.engine = engine;
        this.service = service;
        this.registry = registry;
    }

    /** Replaces the default: the real core, or the plain queue to compare with. */
    @Produces
    @Singleton
    InferenceService inference(
            Service real,
            ChaosEngine chaos,
            AtelierConfig config,
            @ConfigProperty(name = "chaos.core", defaultValue = "atelier") String core)
            throws ModelLoadException {
        return switch (core) {
            case "atelier" -> real.inference();
            case "fifo" ->
                new PlainFifoInferenceService(
                        real.inference(),
                        chaos,
                        real.inference().devices().stream()
                                .mapToInt(DeviceView::slots)
                                .sum(),
                        config.batching().maxBatchSize());
            default -> throw new IllegalArgumentException("chaos.core is " + core + ", must be atelier or fifo");
        };
    }

    /** Times every exchange within the server. */
    void time(@Observes Filters filters) {
        filters.register(
                exchange -> {
                    long began = System.nanoTime();
                    exchange.addEndHandler(
                            ended -> latencies.record(exchange.response().getStatusCode(), System.nanoTime() - began));
                    exchange.next();
                },
                1000);
    }

    /** Samples the gauge that operators see. */
    void sample(@Observes StartupEvent event) {
        ScheduledThreadPoolExecutor sampler = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "chaos-sampler");
            thread.setDaemon(true);
            return thread;
        });
        var unused = sampler.scheduleAtFixedRate(this::samplePredictedWait, 0, SAMPLE_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void samplePredictedWait() {
        Gauge gauge = registry.find("atelier.queue.predicted.wait").gauge();
        if (gauge != null) {
            Instant now = Instant.now();
            synchronized (this) {
                int at = 2 * (samples++ % SAMPLES);
                predicted[at] = now.getEpochSecond() * 1_000_000 + now.getNano() / 1000;
                predicted[at + 1] = (long) (gauge.value() * 1e6);
            }
        }
    }

    /** Lets a device be ill for so many milliseconds. */
    @POST
    @Path("/devices/{index}/{fault}")
    public void ail(
            @PathParam("index") int index,
            @PathParam("fault") String fault,
            @QueryParam("millis") long millis,
            @QueryParam("factor") double factor) {
        engine.ail(DeviceId.cpu(index), ChaosEngine.Fault.valueOf(fault), Duration.ofMillis(millis), factor);
    }

    /** From now on an execution takes so many microseconds, and so many more for each row. */
    @POST
    @Path("/speed")
    public void speed(@QueryParam("base") long base, @QueryParam("row") long row) {
        engine.takes(Duration.ofNanos(base * 1000), Duration.ofNanos(row * 1000));
    }

    /** Loads a model anew. */
    @POST
    @Path("/reload/{model}")
    public CompletionStage<Void> reload(@PathParam("model") String model) {
        return service.models().load(model, null);
    }

    @GET
    @Path("/executions")
    public Map<String, ChaosEngine.Executions> executions() {
        return engine.executions();
    }

    /** How long answers took within the server, by status. */
    @GET
    @Path("/latencies")
    public Map<Integer, Latencies.Summary> latencies() {
        return latencies.summaries();
    }

    @DELETE
    @Path("/latencies")
    public void clearLatencies() {
        latencies.clear();
    }

    /** When requests began to execute, as little-endian longs of microseconds since 1970; then forgets it. */
    @GET
    @Path("/started")
    public byte[] started(@QueryParam("from") long from, @QueryParam("count") int count) {
        ByteBuffer starts = ByteBuffer.allocate(count * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (long number = from; number < from + count; number++) {
            starts.putLong(engine.startedMicros(number));
            engine.forget(number);
        }
        return starts.array();
    }

    /** The predicted wait over time: pairs of little-endian longs, microseconds since 1970 and of wait. */
    @GET
    @Path("/predicted")
    public synchronized byte[] predicted() {
        int count = Math.min(samples, SAMPLES);
        ByteBuffer series = ByteBuffer.allocate(count * 2 * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = samples - count; i < samples; i++) {
            series.putLong(predicted[2 * (i % SAMPLES)]).putLong(predicted[2 * (i % SAMPLES) + 1]);
        }
        return series.array();
    }
}
