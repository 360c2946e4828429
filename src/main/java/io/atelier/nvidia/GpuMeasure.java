package io.atelier.nvidia;

/** What can be measured of a GPU. A driver, or a slice of a GPU, may not tell all of it. */
public enum GpuMeasure {
    /** Share of the last moments in which something ran on the GPU, whosever; 0 to 1. */
    UTILIZATION,
    /** Bytes taken, by whatever process. */
    MEMORY_USED,
    /** Bytes there are. */
    MEMORY_TOTAL,
    /** Degrees Celsius. */
    TEMPERATURE,
    /** Watts. */
    POWER,
    /** Memory errors that were corrected, since the driver was loaded. */
    ECC_CORRECTED,
    /** Memory errors that were not. */
    ECC_UNCORRECTED
}
