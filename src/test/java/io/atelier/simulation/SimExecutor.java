package io.atelier.simulation;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * A pool with so many virtual threads: tasks begin in the order in which they came, when a thread is free and has been
 * scheduled. A native call keeps its thread until it returns.
 */
final class SimExecutor extends AbstractExecutorService {
    private final SimWorld world;
    private final int size;
    private final Deque<Runnable> tasks = new ArrayDeque<>();
    private int active;
    private int blocked;
    private long lateUntilNanos;
    private boolean shutdown;
    private boolean forgets;
    private int taken;

    SimExecutor(SimWorld world, int size) {
        this.world = world;
        this.size = size;
    }

    @Override
    public void execute(Runnable task) {
        if (shutdown) {
            throw new RejectedExecutionException("shut down");
        }
        if (tasks.isEmpty()) {
            lateUntilNanos = world.now() + world.lateness();
        }
        if (!forgets || ++taken % 9 != 0) {
            tasks.add(task);
        }
        world.preempt();
    }

    /** From now on every ninth task is lost. */
    void forget() {
        forgets = true;
    }

    /** A native call begins on one of the threads. */
    void block() {
        blocked++;
    }

    /** It has returned, and what the thread does with the answer is done. */
    void unblock() {
        blocked--;
    }

    boolean isReady(long now) {
        return !tasks.isEmpty() && active + blocked < size && lateUntilNanos <= now;
    }

    /** Whether a thread is free and will take the first task up, only not yet. */
    boolean isLate(long now) {
        return !tasks.isEmpty() && active + blocked < size && lateUntilNanos > now;
    }

    long lateUntilNanos() {
        return lateUntilNanos;
    }

    void runFirst() {
        Runnable task = tasks.remove();
        active++;
        world.runAs(this, task);
        active--;
    }

    @Override
    public void shutdown() {
        shutdown = true;
    }

    @Override
    public List<Runnable> shutdownNow() {
        shutdown = true;
        List<Runnable> left = List.copyOf(tasks);
        tasks.clear();
        return left;
    }

    @Override
    public boolean isShutdown() {
        return shutdown;
    }

    @Override
    public boolean isTerminated() {
        return shutdown && tasks.isEmpty() && active + blocked == 0;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
        while (isReady(Long.MAX_VALUE)) {
            runFirst();
        }
        return isTerminated();
    }
}
