package io.atelier.device;

import java.time.Duration;

/**
 * How executions on a device are guarded. Immutable.
 *
 * @param executionTimeout  longest execution before its callers are answered without it
 * @param failureRatio      share of failed executions at which the circuit breaker opens; in (0, 1]
 * @param volumeThreshold   executions that are looked at
 * @param openDelay         how long an open circuit breaker keeps the device from work
 */
public record GuardPolicy(Duration executionTimeout, double failureRatio, int volumeThreshold, Duration openDelay) {
    public GuardPolicy {
        if (executionTimeout.isNegative() || executionTimeout.isZero()) {
            throw new IllegalArgumentException("executionTimeout is " + executionTimeout + ", must be positive");
        }
        if (!(failureRatio > 0 && failureRatio <= 1)) {
            throw new IllegalArgumentException("failureRatio is " + failureRatio + ", must be in (0, 1]");
        }
        if (volumeThreshold < 1) {
            throw new IllegalArgumentException("volumeThreshold is " + volumeThreshold + ", must be at least 1");
        }
        if (openDelay.isNegative() || openDelay.isZero()) {
            throw new IllegalArgumentException("openDelay is " + openDelay + ", must be positive");
        }
    }
}
