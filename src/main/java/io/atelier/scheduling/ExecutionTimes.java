package io.atelier.scheduling;

import io.atelier.core.DeviceId;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntPredicate;

/**
 * How long executions of one model take, learnt while serving: by device, and by size of the batch in powers of two of
 * its input elements (rows times length, so that long sentences count as what they cost).
 *
 * <p>An exponentially weighted mean: a new size learns fast, a known one moves by a tenth of the difference. A sample
 * counts for at most {@value #CLIP} times the mean, so one hang does not spoil the estimate while a lasting change of
 * speed still comes through in a few executions.
 *
 * <p>Thread-safe.
 */
public final class ExecutionTimes {
    private static final double WEIGHT = 0.1;
    private static final double CLIP = 3;

    /** Executions of one size from which the 99th percentile is taken. */
    private static final int RECENT = 200;

    private final Map<DeviceId, Curve> curves = new ConcurrentHashMap<>();

    /** An execution of this many input elements took so long, without failing. */
    public void record(DeviceId device, long elements, long nanos) {
        curves.computeIfAbsent(device, id -> new Curve()).record(elements, nanos);
    }

    /**
     * An execution of this many input elements took so long before the model served: what is expected of sizes that no
     * request has had yet, and nothing else.
     */
    public void foresee(DeviceId device, long elements, long nanos) {
        curves.computeIfAbsent(device, id -> new Curve()).foresee(elements, nanos);
    }

    /** The expected time on a device, in nanoseconds; 0 while nothing is known of it. */
    public long expectedNanos(DeviceId device, long elements) {
        Curve curve = curves.get(device);
        return curve == null ? 0 : curve.expectedNanos(elements);
    }

    /** The expected time on the devices known, their mean, in nanoseconds; 0 while nothing is known. */
    public long expectedNanos(long elements) {
        double sum = 0;
        int count = 0;
        for (Curve curve : curves.values()) {
            sum += curve.expectedNanos(elements);
            count++;
        }
        return count == 0 ? 0 : (long) (sum / count);
    }

    /** What one execution in a hundred exceeds on a device, from the last ones of its size or the nearest known. */
    public long p99Nanos(DeviceId device, long elements) {
        Curve curve = curves.get(device);
        return curve == null ? 0 : curve.p99Nanos(elements);
    }

    /** The fastest execution ever seen, in nanoseconds; 0 while there was none. */
    public long fastestNanos() {
        long fastest = Long.MAX_VALUE;
        for (Curve curve : curves.values()) {
            fastest = Math.min(fastest, curve.fastestNanos());
        }
        return fastest == Long.MAX_VALUE ? 0 : fastest;
    }

    /** The shortest of the last executions of this size on any device; 0 where a device has not run it. */
    public long leastNanos(long elements) {
        long least = Long.MAX_VALUE;
        for (Curve curve : curves.values()) {
            least = Math.min(least, curve.leastNanos(elements));
        }
        return least == Long.MAX_VALUE ? 0 : least;
    }

    /** Time by size on one device. */
    private static final class Curve {
        private final double[] mean = new double[64];
        private final long[] samples = new long[64];
        private final long[][] recent = new long[64][];
        private final double[] foreseen = new double[64];
        private long fastest = Long.MAX_VALUE;

        synchronized void foresee(long elements, long nanos) {
            int bucket = bucket(elements);
            double time = (double) nanos;
            foreseen[bucket] = foreseen[bucket] == 0 ? time : Math.min(foreseen[bucket], time);
        }

        synchronized void record(long elements, long nanos) {
            int bucket = bucket(elements);
            fastest = Math.min(fastest, nanos);
            long seen = ++samples[bucket];
            if (recent[bucket] == null) {
                recent[bucket] = new long[RECENT];
            }
            recent[bucket][(int) ((seen - 1) % RECENT)] = nanos;
            if (seen == 1) {
                mean[bucket] = nanos;
                return;
            }
            double sample = seen < 4 ? (double) nanos : Math.min((double) nanos, CLIP * mean[bucket]);
            mean[bucket] += (sample - mean[bucket]) * Math.max(WEIGHT, 1.0 / seen);
        }

        synchronized long expectedNanos(long elements) {
            int known = nearest(bucket(elements), bucket -> samples[bucket] > 0 || foreseen[bucket] > 0);
            return known < 0
                    ? 0
                    : (long) Math.scalb(samples[known] > 0 ? mean[known] : foreseen[known], bucket(elements) - known);
        }

        synchronized long p99Nanos(long elements) {
            int known = nearestKnown(bucket(elements));
            if (known < 0) {
                return 0;
            }
            int count = (int) Math.min(samples[known], RECENT);
            long[] sorted = Arrays.copyOf(recent[known], count);
            Arrays.sort(sorted);
            return (long) Math.scalb((double) sorted[count - 1 - count / 100], bucket(elements) - known);
        }

        /** A device that has not run this size makes no claim: it may be fast. */
        synchronized long leastNanos(long elements) {
            int bucket = bucket(elements);
            int count = (int) Math.min(samples[bucket], RECENT);
            return count == 0
                    ? 0
                    : Arrays.stream(recent[bucket], 0, count).min().orElse(0);
        }

        /** The bucket itself or the nearest that has samples, the larger first; what it says scales with the size. */
        private int nearestKnown(int bucket) {
            return nearest(bucket, other -> samples[other] > 0);
        }

        private int nearest(int bucket, IntPredicate known) {
            for (int distance = 0; distance < mean.length; distance++) {
                if (bucket + distance < mean.length && known.test(bucket + distance)) {
                    return bucket + distance;
                }
                if (bucket - distance >= 0 && known.test(bucket - distance)) {
                    return bucket - distance;
                }
            }
            return -1;
        }

        synchronized long fastestNanos() {
            return fastest;
        }

        private static int bucket(long elements) {
            return 64 - Long.numberOfLeadingZeros(Math.max(1, elements) - 1);
        }
    }
}
