package io.atelier.chaos;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLongArray;

/** How long the service took to answer, by status: from a request's head read to its answer written. Thread-safe. */
public final class Latencies {
    /** Sixteen steps for each power of two of microseconds. */
    private static final int STEPS = 16;

    private static final int SIZE = 32 * STEPS;

    private final Map<Integer, AtomicLongArray> byStatus = new ConcurrentHashMap<>();

    /** Quantiles in milliseconds. */
    public record Summary(long count, double p50, double p99, double p999, double max) {}

    /** An answer of this status took so long. */
    public void record(int status, long nanos) {
        double micros = Math.max(1.0, nanos / 1000.0);
        int step = Math.min(SIZE - 1, (int) (Math.log(micros) / Math.log(2) * STEPS));
        byStatus.computeIfAbsent(status, key -> new AtomicLongArray(SIZE)).incrementAndGet(step);
    }

    /** Forgets everything. */
    public void clear() {
        byStatus.clear();
    }

    /** What was recorded, by status. */
    public Map<Integer, Summary> summaries() {
        Map<Integer, Summary> summaries = new TreeMap<>();
        byStatus.forEach((status, counts) -> summaries.put(status, summary(counts)));
        return summaries;
    }

    private static Summary summary(AtomicLongArray counts) {
        long[] copy = new long[SIZE];
        Arrays.setAll(copy, counts::get);
        return new Summary(
                Arrays.stream(copy).sum(),
                quantile(copy, 0.5),
                quantile(copy, 0.99),
                quantile(copy, 0.999),
                quantile(copy, 1));
    }

    private static double quantile(long[] counts, double share) {
        long rank = (long) Math.ceil(share * Arrays.stream(counts).sum());
        long seen = 0;
        for (int step = 0; step < counts.length; step++) {
            seen += counts[step];
            if (seen >= rank) {
                return Math.pow(2, (step + 1) / (double) STEPS) / 1000;
            }
        }
        return 0;
    }
}
