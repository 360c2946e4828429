package io.atelier.device;

import java.util.List;
import java.util.Locale;

/**
 * Tells a fault of the device from a fault of the request, by the words of the engines.
 *
 * <p>After most CUDA errors the context is lost: every later call fails too, until the process is replaced.
 *
 * @see <a href="https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__TYPES.html">CUDA's error codes</a>
 */
final class DeviceFaults {
    private static final List<String> WORDS = List.of(
            "cuda error",
            "cudaerror",
            "cuda failure",
            "cublas_status",
            "cublas failure",
            "cudnn_status",
            "cudnn failure",
            "cufft failure",
            "illegal memory access",
            "device-side assert",
            "uncorrectable ecc",
            "unspecified launch failure",
            "gpu has fallen off the bus",
            "context is destroyed");

    /** The device lacks memory for this execution; its context lives on. */
    private static final List<String> NO_MEMORY = List.of("out of memory", "alloc_failed");

    private DeviceFaults() {}

    /** Whether the device cannot be trusted after this failure. */
    static boolean isSticky(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            String text = String.valueOf(cause.getMessage()).toLowerCase(Locale.ROOT);
            if (WORDS.stream().anyMatch(text::contains) && NO_MEMORY.stream().noneMatch(text::contains)) {
                return true;
            }
        }
        return false;
    }
}
