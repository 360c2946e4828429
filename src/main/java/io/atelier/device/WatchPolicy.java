package io.atelier.device;

import java.time.Duration;

/**
 * When a device is no longer trusted. Immutable.
 *
 * @param hangMultiple   an execution hangs when it has taken this many times the 99th percentile of its kind
 * @param hangFloor      no execution hangs before
 * @param hangCeiling    every execution hangs after; also the limit while nothing is known
 * @param goldenInterval pause between golden checks of a device; zero for none
 * @param probeInterval  pause before a quarantined device is tried again
 */
public record WatchPolicy(
        double hangMultiple,
        Duration hangFloor,
        Duration hangCeiling,
        Duration goldenInterval,
        Duration probeInterval) {
    public WatchPolicy {
        if (!(hangMultiple >= 1)) {
            throw new IllegalArgumentException("hangMultiple is " + hangMultiple + ", must be at least 1");
        }
        if (hangFloor.isNegative() || hangFloor.isZero() || hangCeiling.compareTo(hangFloor) < 0) {
            throw new IllegalArgumentException(
                    "hangFloor is " + hangFloor + " and hangCeiling " + hangCeiling + ", must be 0 < floor <= ceiling");
        }
        if (goldenInterval.isNegative()) {
            throw new IllegalArgumentException("goldenInterval is " + goldenInterval + ", must not be negative");
        }
        if (probeInterval.isNegative() || probeInterval.isZero()) {
            throw new IllegalArgumentException("probeInterval is " + probeInterval + ", must be positive");
        }
    }

    /** How long an execution may take that usually takes at most {@code p99Nanos}; 0 if nothing is known. */
    long hangLimitNanos(long p99Nanos) {
        if (p99Nanos == 0) {
            return hangCeiling.toNanos();
        }
        double limit = Math.min(p99Nanos * hangMultiple, (double) hangCeiling.toNanos());
        return (long) Math.max(limit, (double) hangFloor.toNanos());
    }
}
