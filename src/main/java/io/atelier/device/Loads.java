package io.atelier.device;

import io.atelier.core.DeviceId;
import io.atelier.core.ServingException.NotReady;
import io.atelier.core.Timer;
import io.atelier.engine.ModelLoadException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * The loads of one device: so many at once, the others wait in order.
 *
 * <p>A load that takes longer than its limit is given up: whoever waits for it hears so, and its place goes to the next.
 * Its thread stays inside it, since native code cannot be interrupted, and what it gives in the end is freed.
 *
 * <p>Thread-safe: places and the line change under the object's lock, and no load runs under it; a load ends once, by
 * compare-and-set.
 */
final class Loads {
    private final DeviceId device;
    private final Executor threads;
    private final Timer timer;
    private final Queue<Load<?>> waiting = new ArrayDeque<>();
    private int places;

    /**
     * @param places  loads at once
     * @param threads as many as there are loads that have not returned, given up or not
     */
    Loads(DeviceId device, int places, Executor threads, Timer timer) {
        this.device = device;
        this.places = places;
        this.threads = threads;
        this.timer = timer;
    }

    /**
     * Begins a load, when there is a place for it.
     *
     * @param limit from its beginning
     * @param late  frees what a load gives that was given up
     * @return fails with {@link ModelLoadException} if it is given up
     */
    <T> CompletableFuture<T> enter(Callable<T> task, Duration limit, Consumer<? super T> late) {
        Load<T> load = new Load<>(task, limit, late);
        synchronized (this) {
            waiting.add(load);
        }
        beginNext();
        return load.outcome;
    }

    private void beginNext() {
        Load<?> next;
        synchronized (this) {
            if (places == 0 || waiting.isEmpty()) {
                return;
            }
            places--;
            next = waiting.remove();
        }
        try {
            threads.execute(next);
        } catch (RejectedExecutionException closed) {
            next.fail(new NotReady("the device " + device + " is closed", Duration.ofSeconds(1)));
        }
    }

    /** One load. */
    private final class Load<T> implements Runnable {
        final CompletableFuture<T> outcome = new CompletableFuture<>();
        private final Callable<T> task;
        private final Duration limit;
        private final Consumer<? super T> late;
        private final AtomicBoolean over = new AtomicBoolean();

        Load(Callable<T> task, Duration limit, Consumer<? super T> late) {
            this.task = task;
            this.limit = limit;
            this.late = late;
        }

        @Override
        public void run() {
            Timer.Alarm alarm = timer.schedule(limit.toNanos(), () -> threads.execute(this::giveUp));
            T loaded;
            try {
                loaded = task.call();
            } catch (Exception | Error failure) {
                alarm.cancel();
                fail(failure);
                return;
            }
            alarm.cancel();
            if (ends()) {
                outcome.complete(loaded);
            } else {
                late.accept(loaded);
            }
        }

        private void giveUp() {
            fail(new ModelLoadException("not loaded on " + device + " within " + limit.toSeconds() + " s"));
        }

        void fail(Throwable failure) {
            if (ends()) {
                outcome.completeExceptionally(failure);
            }
        }

        /** Gives the place back, before anybody hears of the outcome; true for the first. */
        private boolean ends() {
            if (!over.compareAndSet(false, true)) {
                return false;
            }
            synchronized (Loads.this) {
                places++;
            }
            beginNext();
            return true;
        }
    }
}
