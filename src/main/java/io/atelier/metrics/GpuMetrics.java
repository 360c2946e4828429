package io.atelier.metrics;

import io.atelier.core.DeviceId;
import io.atelier.nvidia.GpuMeasure;
import io.atelier.nvidia.Xids;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.OptionalDouble;
import java.util.function.Supplier;

/** How the GPUs are, in Micrometer. Thread-safe. */
public final class GpuMetrics {
    private final MeterRegistry registry;

    public GpuMetrics(MeterRegistry registry) {
        this.registry = registry;
    }

    /** Shows what can be measured of a GPU; the supplier is called at each scrape. */
    public void show(DeviceId device, GpuMeasure measure, Supplier<OptionalDouble> value) {
        switch (measure) {
            case UTILIZATION ->
                gauge("utilization.ratio", "Share of time in which anything ran on the GPU", device, value);
            case MEMORY_USED -> gauge("memory.used.bytes", "Memory that any process has taken", device, value);
            case MEMORY_TOTAL -> gauge("memory.total.bytes", "Memory of the GPU", device, value);
            case TEMPERATURE -> gauge("temperature.celsius", "Temperature of the GPU", device, value);
            case POWER -> gauge("power.watts", "Power that the GPU draws", device, value);
            case ECC_CORRECTED -> errors("corrected", device, value);
            case ECC_UNCORRECTED -> errors("uncorrected", device, value);
        }
    }

    /** Counts a fault that the driver reports. */
    public void countXid(DeviceId device, int xid) {
        Counter.builder("atelier.gpu.xid.events")
                .description("Faults that the driver reports")
                .tag("device", device.toString())
                .tag("xid", Xids.label(xid))
                .register(registry)
                .increment();
    }

    private void gauge(String name, String description, DeviceId device, Supplier<OptionalDouble> value) {
        Gauge.builder("atelier.gpu." + name, value, supplier -> supplier.get().orElse(Double.NaN))
                .description(description)
                .tag("device", device.toString())
                .strongReference(true)
                .register(registry);
    }

    private void errors(String type, DeviceId device, Supplier<OptionalDouble> value) {
        // the registry stands for an object that lives as long, since a function's object is held weakly
        FunctionCounter.builder(
                        "atelier.gpu.ecc.errors",
                        registry,
                        unused -> value.get().orElse(Double.NaN))
                .description("Memory errors since the driver was loaded")
                .tag("device", device.toString())
                .tag("type", type)
                .register(registry);
    }
}
