package io.atelier.nvidia;

import java.util.Set;

/**
 * What an Xid, NVIDIA's number of a fault, says of the GPU.
 *
 * @see <a href="https://docs.nvidia.com/deploy/xid-errors/">Xid errors</a>
 */
public final class Xids {
    /**
     * Faults of the GPU itself: stopped (46), memory that failed uncorrected (48, 95) or cannot be replaced (64), a
     * halted controller (62), off the bus (79), firmware that does not answer (119, 120). The others are faults of one
     * program, which its own calls report, or things to know.
     */
    private static final Set<Integer> FATAL = Set.of(46, 48, 62, 64, 79, 95, 119, 120);

    private static final int HIGHEST = 255;

    private Xids() {}

    /** Whether no program can trust the GPU after it. */
    public static boolean isFatal(int xid) {
        return FATAL.contains(xid);
    }

    /** The number, as a label of a metric: bounded, whatever a driver reports. */
    public static String label(int xid) {
        return xid >= 0 && xid <= HIGHEST ? String.valueOf(xid) : "other";
    }
}
