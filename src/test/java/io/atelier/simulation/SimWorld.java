package io.atelier.simulation;

import io.atelier.core.Ticker;
import io.atelier.core.Timer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * A virtual machine for the core: its clock, its timer, and its thread pools, all on the calling thread.
 *
 * <p>Everything that is ready runs in an order drawn from the seed; when nothing is ready, the clock moves to the next
 * event. Where the core hands something over, the seed may let another thread go first (a preemption): the task then runs
 * before the hand-over returns. Those points lie outside every lock, so whatever happens could happen with real threads.
 */
final class SimWorld implements Ticker, Timer {
    private static final int DEEPEST_PREEMPTION = 3;
    private static final int MOST_STEPS_AT_ONCE = 20_000;

    /** What the seed decides about threads: how often they are late, and how often they overtake each other. */
    record Threads(boolean late, boolean preempted) {}

    private static final class Event {
        final long atNanos;
        final int tie;
        final boolean timer;

        @Nullable
        Runnable task;

        Event(long atNanos, int tie, boolean timer, Runnable task) {
            this.atNanos = atNanos;
            this.tie = tie;
            this.timer = timer;
            this.task = task;
        }
    }

    private final SplittableRandom random;
    private final Threads threads;
    private final Invariants invariants;
    private final PriorityQueue<Event> events = new PriorityQueue<>(
            Comparator.<Event>comparingLong(event -> event.atNanos).thenComparingInt(event -> event.tie));
    private final List<SimExecutor> executors = new ArrayList<>();
    private long now = 1_000_000_000;
    private int preemptions;
    private boolean timerBusy;
    private boolean preemptNextReading;
    private boolean quiet;
    private @Nullable SimExecutor current;

    SimWorld(SplittableRandom random, Threads threads, Invariants invariants) {
        this.random = random;
        this.threads = threads;
        this.invariants = invariants;
    }

    /** A pool of so many threads. */
    SimExecutor executor(int size) {
        SimExecutor executor = new SimExecutor(this, size);
        executors.add(executor);
        return executor;
    }

    @Override
    public long nanoTime() {
        if (preemptNextReading) {
            preemptNextReading = false;
            preempt();
            quiet = true;
        }
        return now;
    }

    /** The time, for the simulation itself. */
    long now() {
        return now;
    }

    /**
     * Lets other threads go first when the core next reads the clock, and then nobody until {@link #quiet}; only before
     * a call that reads it under no lock.
     */
    void preemptAtNextReading() {
        preemptNextReading = threads.preempted();
    }

    /** Whether nothing overtakes for a while. */
    void quiet(boolean nothingOvertakes) {
        quiet = nothingOvertakes;
    }

    @Override
    public Alarm schedule(long delayNanos, Runnable task) {
        Alarm alarm = alarm(delayNanos, task);
        preempt();
        return alarm;
    }

    /**
     * The same, and nothing overtakes. Between the device's last look at its state and the native call lies the guard; a
     * quarantine in that moment is harmless, since the launch is known by then.
     */
    Alarm alarm(long delayNanos, Runnable task) {
        Event event = new Event(now + Math.max(0, delayNanos), random.nextInt(), true, task);
        events.add(event);
        return () -> event.task = null;
    }

    /** Something that happens outside the core. */
    void at(long atNanos, Runnable task) {
        events.add(new Event(atNanos, random.nextInt(), false, task));
    }

    /** Runs everything up to this time, and checks every invariant on the way. */
    void run(long untilNanos) {
        int steps = 0;
        while (true) {
            if (runOne()) {
                invariants.afterEvent();
                if (++steps > MOST_STEPS_AT_ONCE) {
                    invariants.broken(Invariants.Name.PROGRESS, "the core is busy and time stands still");
                }
                invariants.check();
                continue;
            }
            steps = 0;
            if (executors.stream().noneMatch(executor -> executor.isLate(now))) {
                invariants.atRest();
                invariants.check();
            }
            long next = nextNanos();
            if (next > untilNanos) {
                now = untilNanos;
                return;
            }
            now = next;
        }
    }

    /** Lets another thread go first, if the seed says so. */
    void preempt() {
        if (threads.preempted() && !quiet && preemptions < DEEPEST_PREEMPTION && random.nextInt(6) == 0) {
            preemptions++;
            runOne();
            preemptions--;
        }
    }

    /** How late the next task of a pool is taken up. */
    long lateness() {
        return threads.late() && random.nextInt(4) == 0 ? random.nextLong(300_000) : 0;
    }

    @Nullable
    SimExecutor current() {
        return current;
    }

    void runAs(@Nullable SimExecutor executor, Runnable task) {
        SimExecutor before = current;
        current = executor;
        try {
            task.run();
        } catch (RuntimeException | AssertionError failure) {
            invariants.broken(Invariants.Name.PROGRESS, "a task failed: " + failure, failure);
        } finally {
            current = before;
        }
    }

    private boolean runOne() {
        int ready = 0;
        for (SimExecutor executor : executors) {
            if (executor.isReady(now)) {
                ready++;
            }
        }
        Event due = due();
        int choices = ready + (due == null ? 0 : 1);
        if (choices == 0) {
            return false;
        }
        int choice = random.nextInt(choices);
        if (due != null && choice-- == 0) {
            runEvent(due);
            return true;
        }
        for (SimExecutor executor : executors) {
            if (executor.isReady(now) && choice-- == 0) {
                executor.runFirst();
                return true;
            }
        }
        throw new IllegalStateException("nothing was chosen");
    }

    private void runEvent(Event event) {
        events.remove(event);
        Runnable task = event.task;
        if (task == null) {
            return;
        }
        boolean busyBefore = timerBusy;
        timerBusy |= event.timer;
        runAs(null, task);
        timerBusy = busyBefore;
    }

    private @Nullable Event due() {
        dropCancelled();
        Event first = events.peek();
        return first != null && first.atNanos <= now && !(first.timer && timerBusy) ? first : null;
    }

    private long nextNanos() {
        dropCancelled();
        Event first = events.peek();
        long next = first == null ? Long.MAX_VALUE : first.atNanos;
        for (SimExecutor executor : executors) {
            if (executor.isLate(now)) {
                next = Math.min(next, executor.lateUntilNanos());
            }
        }
        return next;
    }

    private void dropCancelled() {
        Event first = events.peek();
        while (first != null && first.task == null) {
            events.poll();
            first = events.peek();
        }
    }
}
