package io.atelier.nvidia;

import io.atelier.core.DeviceId;
import io.atelier.core.Ticker;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.ObjIntConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How the GPUs of this process are. They are read once a second on a thread of its own, so that a driver that hangs
 * holds up nobody who asks. Thread-safe.
 */
public final class GpuTelemetry implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(GpuTelemetry.class);
    private static final Duration INTERVAL = Duration.ofSeconds(1);

    /** Nothing is known by a reading that is older. */
    private static final Duration STALE = Duration.ofSeconds(10);

    private final Nvml nvml;
    private final Map<DeviceId, Nvml.Gpu> gpus;
    private final ObjIntConsumer<DeviceId> onXid;
    private final Ticker ticker;
    private final ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "atelier-nvml");
        thread.setDaemon(true);
        return thread;
    });
    private volatile Readings readings;

    private record Readings(Map<DeviceId, Map<GpuMeasure, Double>> values, long atNanos) {}

    private GpuTelemetry(Nvml nvml, Map<DeviceId, Nvml.Gpu> gpus, ObjIntConsumer<DeviceId> onXid, Ticker ticker) {
        this.nvml = nvml;
        this.gpus = gpus;
        this.onXid = onXid;
        this.ticker = ticker;
        this.readings = readAll();
        gpus.values().forEach(nvml::watch);
    }

    /**
     * Finds the GPUs among these devices, and begins to read them.
     *
     * @param onXid hears the number of each Xid of a device, on the telemetry's thread; must not block
     * @return empty where none of them is a GPU, or where there is no NVML
     */
    public static Optional<GpuTelemetry> start(
            Collection<DeviceId> devices, ObjIntConsumer<DeviceId> onXid, Ticker ticker) {
        if (devices.stream().noneMatch(device -> device.kind() == DeviceId.Kind.GPU)) {
            return Optional.empty();
        }
        Optional<GpuTelemetry> telemetry =
                open(Nvml.LIBRARY, CudaDriver.ask(CudaDriver.LIBRARY), devices, onXid, ticker);
        telemetry.ifPresent(found -> {
            var unused = found.executor.scheduleWithFixedDelay(
                    found::read, INTERVAL.toNanos(), INTERVAL.toNanos(), TimeUnit.NANOSECONDS);
        });
        return telemetry;
    }

    /** The same, read only when {@link #read} is called. */
    static Optional<GpuTelemetry> open(
            String library,
            CudaDriver driver,
            Collection<DeviceId> devices,
            ObjIntConsumer<DeviceId> onXid,
            Ticker ticker) {
        Optional<Nvml> nvml = Nvml.open(library);
        if (nvml.isEmpty()) {
            LOG.debug("{} cannot be used: no telemetry of GPUs", library);
            return Optional.empty();
        }
        Map<DeviceId, Nvml.Gpu> gpus = new LinkedHashMap<>();
        for (DeviceId device : devices) {
            if (device.kind() == DeviceId.Kind.GPU
                    && device.index() < driver.devices().size()) {
                UUID uuid = driver.devices().get(device.index());
                nvml.get().gpu(uuid).ifPresent(gpu -> gpus.put(device, gpu));
            }
        }
        return Optional.of(new GpuTelemetry(nvml.get(), gpus, onXid, ticker));
    }

    /** The GPUs, and what the driver tells of each. */
    public Map<DeviceId, Set<GpuMeasure>> measures() {
        Map<DeviceId, Set<GpuMeasure>> measures = new LinkedHashMap<>();
        readings.values().forEach((device, values) -> measures.put(device, values.keySet()));
        return measures;
    }

    /** The latest reading, a second old at most; empty while the driver does not answer. */
    public OptionalDouble value(DeviceId device, GpuMeasure measure) {
        Readings latest = readings;
        Double value = latest.values().getOrDefault(device, Map.of()).get(measure);
        boolean stale = ticker.nanoTime() - latest.atNanos() > STALE.toNanos();
        return value == null || stale ? OptionalDouble.empty() : OptionalDouble.of(value);
    }

    /** Reads everything anew, and tells of the Xids since the last time. */
    void read() {
        readings = readAll();
        for (Nvml.Xid xid : nvml.xids()) {
            gpus.forEach((device, gpu) -> {
                if (gpu.board().equals(xid.board())) {
                    LOG.warn("the driver reports Xid {} of {}", xid.number(), device);
                    onXid.accept(device, (int) xid.number());
                }
            });
        }
    }

    /** Ends the readings; the library stays open, since a call may be on its way. */
    @Override
    public void close() {
        executor.shutdown();
    }

    private Readings readAll() {
        Map<DeviceId, Map<GpuMeasure, Double>> values = new LinkedHashMap<>();
        gpus.forEach((device, gpu) -> values.put(device, nvml.read(gpu)));
        return new Readings(values, ticker.nanoTime());
    }
}
