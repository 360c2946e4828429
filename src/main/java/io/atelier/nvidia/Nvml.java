package io.atelier.nvidia;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * NVIDIA's management library: readings of a GPU, and its Xid events. Used by one thread at a time.
 *
 * <p>It numbers GPUs in an order of its own and knows nothing of {@code CUDA_VISIBLE_DEVICES}, so they are found by UUID.
 *
 * @see <a href="https://docs.nvidia.com/deploy/nvml-api/">NVML API reference</a>
 */
final class Nvml implements AutoCloseable {
    static final String LIBRARY = "libnvidia-ml.so.1";

    private static final int TEMPERATURE_OF_GPU = 0;
    private static final int SINCE_THE_DRIVER_WAS_LOADED = 0;
    private static final int CORRECTED = 0;
    private static final int UNCORRECTED = 1;
    private static final long XID_EVENT = 0x8;
    private static final int EVENT_SIZE = 32;

    private final DriverLibrary library;
    private @Nullable Pointer events;

    /**
     * A GPU or a slice of one.
     *
     * @param device what was asked for
     * @param board  the whole GPU, which alone has a temperature, errors and events
     */
    record Gpu(Pointer device, Pointer board) {}

    /** A fault that the driver reports of a whole GPU. */
    record Xid(Pointer board, long number) {}

    private Nvml(DriverLibrary library) {
        this.library = library;
    }

    /** Empty where there is no driver, or where it does not answer. */
    static Optional<Nvml> open(String library) {
        return DriverLibrary.open(library)
                .filter(found -> found.call("nvmlInit_v2") == DriverLibrary.SUCCESS)
                .map(Nvml::new);
    }

    Optional<Gpu> gpu(UUID uuid) {
        return pointer("nvmlDeviceGetHandleByUUID", "GPU-" + uuid)
                .or(() -> pointer("nvmlDeviceGetHandleByUUID", "MIG-" + uuid))
                .map(device -> new Gpu(
                        device,
                        pointer("nvmlDeviceGetDeviceHandleFromMigDeviceHandle", device)
                                .orElse(device)));
    }

    /** All that the driver tells of it now. */
    Map<GpuMeasure, Double> read(Gpu gpu) {
        Map<GpuMeasure, Double> readings = new EnumMap<>(GpuMeasure.class);
        put(readings, GpuMeasure.UTILIZATION, number("nvmlDeviceGetUtilizationRates", gpu.device()), 0.01);
        put(readings, GpuMeasure.TEMPERATURE, number("nvmlDeviceGetTemperature", gpu.board(), TEMPERATURE_OF_GPU), 1);
        put(readings, GpuMeasure.POWER, number("nvmlDeviceGetPowerUsage", gpu.board()), 0.001);
        put(readings, GpuMeasure.ECC_CORRECTED, errors(gpu, CORRECTED), 1);
        put(readings, GpuMeasure.ECC_UNCORRECTED, errors(gpu, UNCORRECTED), 1);
        try (Memory memory = cleared(3 * Long.BYTES)) {
            if (library.call("nvmlDeviceGetMemoryInfo", gpu.device(), memory) == DriverLibrary.SUCCESS) {
                readings.put(GpuMeasure.MEMORY_TOTAL, (double) memory.getLong(0));
                readings.put(GpuMeasure.MEMORY_USED, (double) memory.getLong(2 * Long.BYTES));
            }
        }
        return readings;
    }

    /** Begins to collect a GPU's Xid events. False where the driver does not report them. */
    boolean watch(Gpu gpu) {
        if (events == null) {
            events = pointer("nvmlEventSetCreate").orElse(null);
        }
        return events != null
                && library.call("nvmlDeviceRegisterEvents", gpu.board(), XID_EVENT, events) == DriverLibrary.SUCCESS;
    }

    /** What has happened since the last call; does not wait. */
    List<Xid> xids() {
        List<Xid> xids = new ArrayList<>();
        try (Memory event = cleared(EVENT_SIZE)) {
            while (events != null && library.call("nvmlEventSetWait_v2", events, event, 0) == DriverLibrary.SUCCESS) {
                if ((event.getLong(Long.BYTES) & XID_EVENT) != 0) {
                    xids.add(new Xid(event.getPointer(0), event.getLong(2 * Long.BYTES)));
                }
            }
        }
        return xids;
    }

    @Override
    public void close() {
        if (events != null) {
            library.call("nvmlEventSetFree", events);
        }
        library.call("nvmlShutdown");
    }

    private OptionalDouble errors(Gpu gpu, int type) {
        try (Memory count = cleared(Long.BYTES)) {
            int answer =
                    library.call("nvmlDeviceGetTotalEccErrors", gpu.board(), type, SINCE_THE_DRIVER_WAS_LOADED, count);
            return answer == DriverLibrary.SUCCESS
                    ? OptionalDouble.of((double) count.getLong(0))
                    : OptionalDouble.empty();
        }
    }

    /** The first unsigned number of what a function gives by its last argument. */
    private OptionalDouble number(String function, Object... arguments) {
        try (Memory result = cleared(2 * Integer.BYTES)) {
            return library.call(function, and(arguments, result)) == DriverLibrary.SUCCESS
                    ? OptionalDouble.of((double) Integer.toUnsignedLong(result.getInt(0)))
                    : OptionalDouble.empty();
        }
    }

    private Optional<Pointer> pointer(String function, Object... arguments) {
        try (Memory result = cleared(Long.BYTES)) {
            return library.call(function, and(arguments, result)) == DriverLibrary.SUCCESS
                    ? Optional.of(result.getPointer(0))
                    : Optional.empty();
        }
    }

    private static Object[] and(Object[] arguments, Object last) {
        Object[] all = new Object[arguments.length + 1];
        System.arraycopy(arguments, 0, all, 0, arguments.length);
        all[arguments.length] = last;
        return all;
    }

    private static Memory cleared(long size) {
        Memory memory = new Memory(size);
        memory.clear();
        return memory;
    }

    private static void put(Map<GpuMeasure, Double> readings, GpuMeasure measure, OptionalDouble value, double scale) {
        value.ifPresent(number -> readings.put(measure, number * scale));
    }
}
