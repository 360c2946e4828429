package io.atelier.metrics;

import io.atelier.core.DeviceId;
import io.atelier.core.DeviceState;
import io.atelier.core.ModelId;
import io.atelier.core.ServingException;
import io.atelier.core.ServingListener;
import io.atelier.core.Ticker;
import io.atelier.core.Ticket;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Counts and times everything that is served, in Micrometer.
 *
 * <p>Labels are bounded: models are those that were loaded, outcomes and reasons come from enums; a request for an
 * unknown model is counted under an empty model name. Thread-safe.
 */
public final class MetricsListener implements ServingListener {
    /** What an outcome is called when the caller got its result. */
    private static final String SUCCESS = "success";

    private static final Duration[] LATENCY_BUCKETS = {
        Duration.ofNanos(500_000), Duration.ofMillis(1), Duration.ofMillis(2), Duration.ofMillis(5),
        Duration.ofMillis(10), Duration.ofMillis(20), Duration.ofMillis(50), Duration.ofMillis(100),
        Duration.ofMillis(200), Duration.ofMillis(500), Duration.ofSeconds(1), Duration.ofSeconds(2),
        Duration.ofSeconds(5), Duration.ofSeconds(10), Duration.ofSeconds(30), Duration.ofSeconds(60)
    };
    private static final double[] ROW_BUCKETS = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};

    private final MeterRegistry registry;
    private final Ticker ticker;
    private final Map<Outcome, Counter> outcomes = new ConcurrentHashMap<>();
    private final Map<ModelId, ModelMeters> models = new ConcurrentHashMap<>();
    private final Map<DeviceId, DeviceMeters> devices = new ConcurrentHashMap<>();

    private record Outcome(@Nullable ModelId model, String outcome) {}

    private record ModelMeters(Timer duration, Timer queued, DistributionSummary rows, StageMeters stages) {}

    /** Time of a model's executions, by stage. */
    private record StageMeters(LongAdder input, LongAdder infer, LongAdder output) {}

    public MetricsListener(MeterRegistry registry, Ticker ticker) {
        this.registry = registry;
        this.ticker = ticker;
    }

    @Override
    public void onRefused(@Nullable ModelId model, ServingException reason) {
        count(model, reason);
    }

    @Override
    public void onSettled(Ticket ticket, @Nullable ServingException failure) {
        ModelId model = ticket.request().model();
        count(model, failure);
        ModelMeters meters = models.computeIfAbsent(model, this::modelMeters);
        meters.duration.record(ticker.nanoTime() - ticket.arrivedNanos(), TimeUnit.NANOSECONDS);
        if (ticket.attempts() > 0) {
            meters.queued.record(ticket.startedNanos() - ticket.arrivedNanos(), TimeUnit.NANOSECONDS);
        }
    }

    @Override
    public void onExecutionStarted(Execution execution) {
        device(execution.device()).inflight.incrementAndGet();
    }

    @Override
    public void onExecuted(Execution execution, Stages stages) {
        StageMeters meters = models.computeIfAbsent(execution.model(), this::modelMeters).stages;
        meters.input.add(stages.inputNanos());
        meters.infer.add(stages.inferNanos());
        meters.output.add(stages.outputNanos());
    }

    @Override
    public void onExecutionFinished(Execution execution, long durationNanos, @Nullable Throwable failure) {
        DeviceMeters device = device(execution.device());
        device.inflight.decrementAndGet();
        device.busyNanos.add(durationNanos);
        device.execution.record(durationNanos, TimeUnit.NANOSECONDS);
        models.computeIfAbsent(execution.model(), this::modelMeters).rows.record(execution.rows());
    }

    @Override
    public void onSharingStopped(ModelId model, String reason) {
        Counter.builder("atelier.batching.stopped")
                .description(
                        "Times that a model's requests ceased to share executions, since an output lost their rows")
                .tag("model", model.name())
                .tag("version", model.version())
                .register(registry)
                .increment();
    }

    @Override
    public void onDeviceState(DeviceId device, DeviceState state, String reason) {
        DeviceMeters meters = device(device);
        meters.up.set(state == DeviceState.READY || state == DeviceState.DRAINING ? 1 : 0);
        if (state == DeviceState.QUARANTINED) {
            Counter.builder("atelier.device.quarantined")
                    .description("Times that a device was taken out of service")
                    .tag("device", device.toString())
                    .tag("reason", reason)
                    .register(registry)
                    .increment();
        }
    }

    /** The GPUs' own metrics, beside what is counted here. */
    public GpuMetrics gpus() {
        return new GpuMetrics(registry);
    }

    /** Shows whether requests are welcome; the supplier is called at each scrape. */
    public void showReadiness(BooleanSupplier ready) {
        Gauge.builder("atelier.ready", ready, answer -> answer.getAsBoolean() ? 1 : 0)
                .description("1 while requests are welcome")
                .strongReference(true)
                .register(registry);
    }

    /** Shows how many executions a device may run at once. */
    public void showDevice(DeviceId device, int slots) {
        Gauge.builder("atelier.device.slots", () -> slots)
                .description("Executions that the device may run at once")
                .tag("device", device.toString())
                .register(registry);
    }

    /** Shows a queue, in place of one of the same model; the suppliers are called at each scrape. */
    public void showQueue(ModelId model, IntSupplier depth, LongSupplier predictedWaitNanos) {
        hideQueue(model); // else the old queue's would stay
        Gauge.builder("atelier.queue.predicted.wait", predictedWaitNanos, wait -> wait.getAsLong() / 1e9)
                .description("Wait to expect of a request that comes now")
                .baseUnit("seconds")
                .tag("model", model.name())
                .tag("version", model.version())
                .strongReference(true)
                .register(registry);
        Gauge.builder("atelier.queue.depth", depth, IntSupplier::getAsInt)
                .description("Requests that wait")
                .tag("model", model.name())
                .tag("version", model.version())
                .strongReference(true)
                .register(registry);
    }

    /** Shows a model's queue no more. */
    public void hideQueue(ModelId model) {
        Tags tags = Tags.of("model", model.name(), "version", model.version());
        for (String name : List.of("atelier.queue.predicted.wait", "atelier.queue.depth")) {
            registry.find(name).tags(tags).gauges().forEach(registry::remove);
        }
    }

    /** Shows the store of jobs; the suppliers are called at each scrape. */
    public void showJobs(IntSupplier stored, LongSupplier bytes) {
        Gauge.builder("atelier.jobs.stored", stored, IntSupplier::getAsInt)
                .description("Asynchronous requests that are not forgotten yet")
                .strongReference(true)
                .register(registry);
        Gauge.builder("atelier.jobs.stored.bytes", bytes, LongSupplier::getAsLong)
                .description("Tensors and answers that they hold")
                .strongReference(true)
                .register(registry);
    }

    private void count(@Nullable ModelId model, @Nullable ServingException failure) {
        String outcome = failure == null ? SUCCESS : failure.code().name().toLowerCase(Locale.ROOT);
        outcomes.computeIfAbsent(new Outcome(model, outcome), this::outcomeCounter)
                .increment();
    }

    private Counter outcomeCounter(Outcome outcome) {
        ModelId model = outcome.model();
        return Counter.builder("atelier.requests")
                .description("Requests, by what became of them")
                .tag("model", model == null ? "" : model.name())
                .tag("version", model == null ? "" : model.version())
                .tag("outcome", outcome.outcome())
                .register(registry);
    }

    private ModelMeters modelMeters(ModelId model) {
        return new ModelMeters(
                Timer.builder("atelier.request.duration")
                        .description("From a request's arrival to its settlement")
                        .tag("model", model.name())
                        .tag("version", model.version())
                        .serviceLevelObjectives(LATENCY_BUCKETS)
                        .register(registry),
                Timer.builder("atelier.queue.duration")
                        .description("From a request's arrival to the start of its execution")
                        .tag("model", model.name())
                        .tag("version", model.version())
                        .serviceLevelObjectives(LATENCY_BUCKETS)
                        .register(registry),
                DistributionSummary.builder("atelier.batch.rows")
                        .description("Rows of one execution")
                        .tag("model", model.name())
                        .tag("version", model.version())
                        .serviceLevelObjectives(ROW_BUCKETS)
                        .register(registry),
                new StageMeters(stage(model, "input"), stage(model, "infer"), stage(model, "output")));
    }

    private LongAdder stage(ModelId model, String stage) {
        LongAdder nanos = new LongAdder();
        FunctionCounter.builder("atelier.execution.stage.seconds", nanos, sum -> sum.sum() / 1e9)
                .description("Time of executions that gave outputs, by stage")
                .tag("model", model.name())
                .tag("version", model.version())
                .tag("stage", stage)
                .register(registry);
        return nanos;
    }

    private DeviceMeters device(DeviceId device) {
        return devices.computeIfAbsent(device, id -> new DeviceMeters(id, registry));
    }

    /** What is measured of one device. */
    private static final class DeviceMeters {
        final AtomicInteger up = new AtomicInteger();
        final AtomicInteger inflight = new AtomicInteger();
        final LongAdder busyNanos = new LongAdder();
        final Timer execution;

        DeviceMeters(DeviceId device, MeterRegistry registry) {
            String name = device.toString();
            Gauge.builder("atelier.device.up", up, AtomicInteger::get)
                    .description("1 while the device takes work")
                    .tag("device", name)
                    .register(registry);
            Gauge.builder("atelier.device.inflight", inflight, AtomicInteger::get)
                    .description("Executions that have not returned")
                    .tag("device", name)
                    .register(registry);
            FunctionCounter.builder("atelier.device.busy.seconds", busyNanos, nanos -> nanos.sum() / 1e9)
                    .description("Time that executions have held the device")
                    .tag("device", name)
                    .register(registry);
            execution = Timer.builder("atelier.execution.duration")
                    .description("One native execution")
                    .tag("device", name)
                    .serviceLevelObjectives(LATENCY_BUCKETS)
                    .register(registry);
        }
    }
}
