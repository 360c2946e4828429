package io.atelier.nvidia;

import com.sun.jna.Memory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * The GPUs, or slices of one, that CUDA shows to this process, in its order: what {@code gpu:0}, {@code gpu:1} mean.
 *
 * @param devices each one's UUID, by which the driver's other library knows it
 * @param problem why there is none; empty where there is one
 */
public record CudaDriver(List<UUID> devices, String problem) {
    public static final String LIBRARY = "libcuda.so.1";

    /**
     * Asks the driver, which makes no context on any device.
     *
     * @param library its file name or path, {@link #LIBRARY} but in tests
     */
    public static CudaDriver ask(String library) {
        return DriverLibrary.open(library)
                .map(CudaDriver::ask)
                .orElseGet(() -> none(library + " cannot be loaded: there is no NVIDIA driver"));
    }

    private static CudaDriver ask(DriverLibrary cuda) {
        int started = cuda.call("cuInit", 0);
        if (started != DriverLibrary.SUCCESS) {
            return none("the NVIDIA driver answers cuInit with error " + started);
        }
        try (Memory count = new Memory(Integer.BYTES)) {
            int counted = cuda.call("cuDeviceGetCount", count);
            if (counted != DriverLibrary.SUCCESS || count.getInt(0) == 0) {
                return none("CUDA shows no device to this process");
            }
            List<UUID> devices = new ArrayList<>();
            for (int ordinal = 0; ordinal < count.getInt(0); ordinal++) {
                Optional<UUID> uuid = uuid(cuda, ordinal);
                if (uuid.isEmpty()) {
                    return none("CUDA does not identify its device " + ordinal);
                }
                devices.add(uuid.get());
            }
            return new CudaDriver(List.copyOf(devices), "");
        }
    }

    private static Optional<UUID> uuid(DriverLibrary cuda, int ordinal) {
        try (Memory device = new Memory(Integer.BYTES);
                Memory uuid = new Memory(2 * Long.BYTES)) {
            boolean known = cuda.call("cuDeviceGet", device, ordinal) == DriverLibrary.SUCCESS
                    && cuda.call("cuDeviceGetUuid_v2", uuid, device.getInt(0)) == DriverLibrary.SUCCESS;
            return known
                    ? Optional.of(
                            new UUID(Long.reverseBytes(uuid.getLong(0)), Long.reverseBytes(uuid.getLong(Long.BYTES))))
                    : Optional.empty();
        }
    }

    private static CudaDriver none(String problem) {
        return new CudaDriver(List.of(), problem);
    }
}
