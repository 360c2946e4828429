package io.atelier.scheduling;

import io.atelier.core.ModelId;
import io.atelier.core.ServingException.NotReady;
import io.atelier.core.ServingException.Overloaded;
import io.atelier.core.Ticker;
import io.atelier.core.Ticket;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The one bounded waiting line of a model version; every device that holds the model pulls from it.
 *
 * <p>Tickets leave in the order in which they came, among those that may share a batch. A ticket that settles while it
 * waits is taken out at once, so it neither counts against the bound nor reaches a device. Groups that were put back run
 * first, as they are.
 *
 * <p>Thread-safe: one lock guards the line; nothing foreign is called under it.
 */
public final class ModelQueue {
    private final ModelId model;
    private final BatchPolicy policy;
    private final Ticker ticker;
    private final ExecutionTimes times;
    private final AtomicInteger turn = new AtomicInteger();

    private final ReentrantLock lock = new ReentrantLock();
    private final LinkedHashSet<Ticket> line = new LinkedHashSet<>();
    private final Map<Object, LinkedHashSet<Ticket>> byKey = new HashMap<>();
    private final Deque<List<Ticket>> groups = new ArrayDeque<>();
    private boolean closed;
    private long queuedElements;
    private final AtomicInteger depth = new AtomicInteger();
    private final AtomicLong arrivals = new AtomicLong();
    private volatile List<Puller> pullers = List.of();

    /** A device that pulls from this queue. */
    public interface Puller {
        /** Takes a free slot, if there is one, and pulls soon; false if every slot is taken. Never blocks. */
        boolean wake();

        /** Slots that are free now. */
        int freeSlots();

        /** Slots that there are, free or taken, while the device pulls at all; else 0. */
        int slots();
    }

    public ModelQueue(ModelId model, BatchPolicy policy, ExecutionTimes times, Ticker ticker) {
        this.model = model;
        this.policy = policy;
        this.times = times;
        this.ticker = ticker;
    }

    public ModelId model() {
        return model;
    }

    public BatchPolicy policy() {
        return policy;
    }

    /** What is known of the model's speed; devices write it, admission reads it. */
    public ExecutionTimes times() {
        return times;
    }

    /** Adds a device that is woken when there is work. */
    public void attach(Puller puller) {
        lock.lock();
        try {
            List<Puller> more = new ArrayList<>(pullers);
            more.add(puller);
            pullers = List.copyOf(more);
        } finally {
            lock.unlock();
        }
        puller.wake();
    }

    /** Takes a device away; it pulls no more. */
    public void detach(Puller puller) {
        lock.lock();
        try {
            List<Puller> fewer = new ArrayList<>(pullers);
            fewer.remove(puller);
            pullers = List.copyOf(fewer);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Takes the ticket in, or refuses it, at once; the bounds are checked by the insert. Then wakes a device.
     *
     * @throws Overloaded if {@code maxQueueSize} tickets wait already, or the ticket's deadline would pass before its
     *     turn; it carries the wait predicted now
     * @throws NotReady   if the queue was closed
     */
    public void offer(Ticket ticket) {
        lock.lock();
        try {
            if (closed) {
                throw new NotReady("model '" + model.name() + "' is being unloaded", Duration.ofSeconds(1));
            }
            long wait = predictedWaitNanos();
            if (depth.get() >= policy.maxQueueSize()) {
                throw new Overloaded(
                        "the queue of model '%s' is full: %d wait".formatted(model.name(), depth.get()),
                        Duration.ofNanos(wait));
            }
            if (wait + times.fastestNanos() > ticket.deadline().remainingNanos() && wait > 0) {
                throw new Overloaded(
                        "the queue of model '%s' is %d ms long, more than the request may wait"
                                .formatted(model.name(), wait / 1_000_000),
                        Duration.ofNanos(wait));
            }
            line.add(ticket);
            byKey.computeIfAbsent(ticket.shape().key(), key -> new LinkedHashSet<>())
                    .add(ticket);
            entered(ticket);
        } finally {
            lock.unlock();
        }
        wakeOne();
    }

    /** How long a ticket that came now would wait for its turn, as far as is known; in nanoseconds. */
    public long predictedWaitNanos() {
        lock.lock();
        try {
            int waiting = depth.get();
            int slots = 0;
            int free = 0;
            for (Puller puller : pullers) {
                slots += puller.slots();
                free += puller.freeSlots();
            }
            if (slots == 0 || free > waiting) {
                return 0;
            }
            long batchElements =
                    waiting == 0 ? 1 : Math.max(1, queuedElements / waiting) * Math.min(waiting, policy.maxBatchSize());
            long batchNanos = times.expectedNanos(batchElements);
            long batchesAhead = (queuedElements + batchElements - 1) / batchElements;
            return batchNanos / 2 / slots + batchesAhead * batchNanos / slots;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Puts claimed tickets back to the front, to run as a group of their own. Tickets that have settled meanwhile are
     * left out.
     */
    public void putBack(List<Ticket> tickets) {
        List<Ticket> group = new ArrayList<>(tickets.size());
        lock.lock();
        try {
            for (Ticket ticket : tickets) {
                if (ticket.requeue()) {
                    group.add(ticket);
                }
            }
            if (group.isEmpty()) {
                return;
            }
            groups.addLast(group);
            group.forEach(this::entered);
        } finally {
            lock.unlock();
        }
        wakeOne();
    }

    /**
     * Forms a batch around the oldest ticket and claims it.
     *
     * @param freeSlots slots that are free for this model now, the asking one included: what waits is shared out among
     *                  them rather than taken by the first
     */
    public Pull pull(int freeSlots) {
        List<Ticket> late = new ArrayList<>(0);
        lock.lock();
        try {
            long now = ticker.nanoTime(); // under the lock: waiting for it must not make a late ticket look timely
            while (!groups.isEmpty()) {
                List<Ticket> batch = claim(groups.removeFirst(), now, late);
                if (!batch.isEmpty()) {
                    return new Pull(batch, late, Pull.NEVER);
                }
            }
            while (!line.isEmpty()) {
                Ticket oldest = line.iterator().next();
                List<Ticket> candidates = candidates(oldest.shape().key(), freeSlots);
                long due = dueNanos(oldest, candidates);
                if (due > now) {
                    return new Pull(List.of(), late, due);
                }
                for (Ticket ticket : candidates) {
                    unlink(ticket);
                }
                List<Ticket> batch = claim(candidates, now, late);
                if (!batch.isEmpty()) {
                    return new Pull(batch, late, Pull.NEVER);
                }
            }
            return new Pull(List.of(), late, Pull.NEVER);
        } finally {
            lock.unlock();
        }
    }

    /** Takes out a ticket that settled while it waited; harmless if it does not wait here. */
    public void remove(Ticket ticket) {
        lock.lock();
        try {
            if (line.contains(ticket)) {
                unlink(ticket);
                left(ticket);
                return;
            }
            for (List<Ticket> group : groups) {
                if (group.remove(ticket)) {
                    left(ticket);
                    return;
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** Refuses every further ticket; those that wait are still pulled. */
    public void close() {
        lock.lock();
        try {
            closed = true;
        } finally {
            lock.unlock();
        }
    }

    /** Tickets that wait. */
    public int depth() {
        return depth.get();
    }

    public boolean isEmpty() {
        return depth.get() == 0;
    }

    /** A count that grows with every ticket that comes in or comes back; tells whether there is news since a pull. */
    public long arrivals() {
        return arrivals.get();
    }

    /** Slots that could serve this model now. */
    public int freeSlots() {
        int free = 0;
        for (Puller puller : pullers) {
            free += puller.freeSlots();
        }
        return free;
    }

    /** When the oldest waiting ticket arrived; {@link Long#MAX_VALUE} if none waits. */
    public long oldestArrivalNanos() {
        lock.lock();
        try {
            long oldest =
                    line.isEmpty() ? Long.MAX_VALUE : line.iterator().next().arrivedNanos();
            for (List<Ticket> group : groups) {
                for (Ticket ticket : group) {
                    oldest = Math.min(oldest, ticket.arrivedNanos());
                }
            }
            return oldest;
        } finally {
            lock.unlock();
        }
    }

    private List<Ticket> candidates(Object key, int freeSlots) {
        LinkedHashSet<Ticket> sameKey = byKey.getOrDefault(key, new LinkedHashSet<>());
        int share = (sameKey.size() + freeSlots - 1) / Math.max(1, freeSlots);
        List<Ticket> candidates = new ArrayList<>(Math.min(share, policy.maxBatchSize()));
        int rows = 0;
        for (Ticket ticket : sameKey) {
            if (!candidates.isEmpty()
                    && (candidates.size() >= share || rows + ticket.shape().rows() > policy.maxBatchSize())) {
                break;
            }
            candidates.add(ticket);
            rows += ticket.shape().rows();
        }
        return candidates;
    }

    /** When the batch must start: now if it is full or may not wait, else before the nearest deadline. */
    private long dueNanos(Ticket oldest, List<Ticket> candidates) {
        if (policy.maxQueueDelay().isZero()) {
            return Long.MIN_VALUE;
        }
        int rows = 0;
        long elements = 0;
        long nearestDeadline = Long.MAX_VALUE;
        for (Ticket ticket : candidates) {
            rows += ticket.shape().rows();
            elements += ticket.shape().elements();
            nearestDeadline = Math.min(nearestDeadline, ticket.deadline().atNanos());
        }
        long due = Math.min(
                oldest.arrivedNanos() + policy.maxQueueDelay().toNanos(),
                nearestDeadline - 2 * times.expectedNanos(elements));
        return rows >= policy.maxBatchSize() ? Long.MIN_VALUE : due;
    }

    private List<Ticket> claim(List<Ticket> tickets, long now, List<Ticket> late) {
        List<Ticket> batch = new ArrayList<>(tickets.size());
        for (Ticket ticket : tickets) {
            if (ticket.claim(now)) {
                batch.add(ticket);
            } else if (!ticket.isSettled()) {
                late.add(ticket);
            }
        }
        tickets.forEach(this::left);
        return batch;
    }

    private void entered(Ticket ticket) {
        depth.incrementAndGet();
        arrivals.incrementAndGet();
        queuedElements += ticket.shape().elements();
    }

    private void left(Ticket ticket) {
        depth.decrementAndGet();
        queuedElements -= ticket.shape().elements();
    }

    private void unlink(Ticket ticket) {
        line.remove(ticket);
        LinkedHashSet<Ticket> sameKey = byKey.get(ticket.shape().key());
        if (sameKey != null) {
            sameKey.remove(ticket);
            if (sameKey.isEmpty()) {
                byKey.remove(ticket.shape().key());
            }
        }
    }

    /** Wakes one device with a free slot; by turns, so that none is preferred. */
    private void wakeOne() {
        List<Puller> all = pullers;
        int count = all.size();
        int first = turn.getAndIncrement();
        for (int i = 0; i < count; i++) {
            if (all.get(Math.floorMod(first + i, count)).wake()) {
                return;
            }
        }
    }
}
