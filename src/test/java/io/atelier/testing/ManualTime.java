package io.atelier.testing;

import io.atelier.core.Ticker;
import io.atelier.core.Timer;
import java.time.Duration;
import java.util.Comparator;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/** A clock and its timer, moved by hand: {@link #advance} runs what has become due, in order, on the calling thread. */
public final class ManualTime implements Ticker, Timer {
    private final PriorityQueue<Entry> entries =
            new PriorityQueue<>(Comparator.comparingLong(Entry::atNanos).thenComparing(Entry::sequence));
    private long now = 1_000_000;
    private long sequence;

    private record Entry(long atNanos, long sequence, Runnable task) {}

    @Override
    public synchronized long nanoTime() {
        return now;
    }

    @Override
    public synchronized Alarm schedule(long delayNanos, Runnable task) {
        Entry entry = new Entry(now + Math.max(0, delayNanos), sequence++, task);
        entries.add(entry);
        return () -> {
            synchronized (ManualTime.this) {
                entries.remove(entry);
            }
        };
    }

    /** Moves on, stopping at each task that falls due. */
    public void advance(Duration by) {
        long until = nanoTime() + by.toNanos();
        for (Entry due = next(until); due != null; due = next(until)) {
            due.task().run();
        }
        synchronized (this) {
            now = until;
        }
    }

    private synchronized @Nullable Entry next(long until) {
        Entry first = entries.peek();
        if (first == null || first.atNanos() > until) {
            return null;
        }
        entries.remove(first);
        now = Math.max(now, first.atNanos());
        return first;
    }
}
