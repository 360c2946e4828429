package io.atelier.serving.jobs;

import io.atelier.core.ServingException.Overloaded;
import io.atelier.core.Ticker;
import io.atelier.core.Timer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * A {@link JobStore} that dies with its process. A job counts as at least {@value #LEAST_BYTES} bytes, so that there is
 * always room to say that there was none. Thread-safe: one lock guards the jobs and the sum of their bytes.
 */
public final class InMemoryJobStore implements JobStore {
    private static final long LEAST_BYTES = 1024;
    private static final long SOON_NANOS = Duration.ofSeconds(1).toNanos();

    private final int maxJobs;
    private final long maxBytes;
    private final Timer timer;
    private final Ticker ticker;
    private final Map<String, Entry> entries = new HashMap<>();
    private long bytes;

    private record Entry(Job job, long untilNanos, Timer.Alarm alarm) {}

    public InMemoryJobStore(int maxJobs, long maxBytes, Timer timer, Ticker ticker) {
        this.maxJobs = maxJobs;
        this.maxBytes = maxBytes;
        this.timer = timer;
        this.ticker = ticker;
    }

    @Override
    public synchronized CompletionStage<Void> add(Job job, Duration life) {
        if (entries.size() >= maxJobs) {
            return full("the job store is full: it holds " + maxJobs + " jobs");
        }
        if (bytes(job) > maxBytes - bytes) {
            return full(tooLarge(job));
        }
        put(job, life);
        return CompletableFuture.completedStage(null);
    }

    @Override
    public synchronized CompletionStage<Boolean> replace(Job job, Duration life) {
        Entry old = entries.get(job.id());
        if (old == null) {
            return CompletableFuture.completedStage(false);
        }
        if (bytes(job) > maxBytes - (bytes - bytes(old.job()))) {
            return full(tooLarge(job));
        }
        take(job.id());
        put(job, life);
        return CompletableFuture.completedStage(true);
    }

    @Override
    public synchronized CompletionStage<Optional<Job>> find(String id) {
        return CompletableFuture.completedStage(
                Optional.ofNullable(entries.get(id)).map(Entry::job));
    }

    @Override
    public synchronized CompletionStage<Optional<Job>> remove(String id) {
        return CompletableFuture.completedStage(take(id));
    }

    /** Jobs that are not forgotten. */
    public synchronized int size() {
        return entries.size();
    }

    /** What they hold. */
    public synchronized long sizeBytes() {
        return bytes;
    }

    private void put(Job job, Duration life) {
        long nanos = life.toNanos();
        Timer.Alarm alarm = timer.schedule(nanos, () -> expire(job));
        entries.put(job.id(), new Entry(job, ticker.nanoTime() + nanos, alarm));
        bytes += bytes(job);
    }

    private Optional<Job> take(String id) {
        Entry entry = entries.remove(id);
        if (entry == null) {
            return Optional.empty();
        }
        entry.alarm().cancel();
        bytes -= bytes(entry.job());
        return Optional.of(entry.job());
    }

    private synchronized void expire(Job job) {
        Entry entry = entries.get(job.id());
        if (entry != null && entry.job().equals(job)) { // not one that took its place meanwhile
            take(job.id());
        }
    }

    private static long bytes(Job job) {
        return Math.max(LEAST_BYTES, job.sizeBytes());
    }

    private String tooLarge(Job job) {
        return "the job store has no room for %d bytes: it holds %d of %d".formatted(bytes(job), bytes, maxBytes);
    }

    /** Room comes when the next finished job is forgotten; sooner if its caller deletes it. */
    private <T> CompletionStage<T> full(String detail) {
        long soonest = entries.values().stream()
                .filter(entry -> entry.job().isFinished())
                .mapToLong(entry -> entry.untilNanos() - ticker.nanoTime())
                .min()
                .orElse(SOON_NANOS);
        return CompletableFuture.failedStage(new Overloaded(detail, Duration.ofNanos(Math.max(SOON_NANOS, soonest))));
    }
}
