package io.atelier.scheduling;

import io.atelier.core.InferenceRequest;
import io.atelier.core.ModelId;
import io.atelier.core.QueueTimeout;
import io.atelier.core.ServingException.DeadlineExceeded;
import io.atelier.core.ServingException.NotReady;
import io.atelier.core.ServingException.Overloaded;
import io.atelier.core.ServingException.WaitedTooLong;
import io.atelier.core.Sharing;
import io.atelier.core.Ticker;
import io.atelier.core.Ticket;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The one bounded waiting line of a model version; every device that holds the model pulls from it.
 *
 * <p>Order: a request of priority 1 stands where it came; each level below stands as if it had come {@link
 * BatchPolicy#priorityStep} later. So requests of one priority leave in the order in which they came, a better priority
 * overtakes, and none starves. A batch is formed around the first ticket, of tickets with its key, in this order. Groups
 * that were put back run before all, as they are. A ticket that has waited longer than its model lets it
 * ({@link BatchPolicy#queueTimeout}) leaves the line unanswered, or stands behind all that have not.
 *
 * <p>A ticket that settles while it waits is taken out at once, so it neither counts against the bound nor reaches a
 * device.
 *
 * <p>Thread-safe: one lock guards line, groups and predictor; nothing foreign is called under it but the pullers' two
 * counts, which must not block.
 */
public final class ModelQueue {
    private static final Comparator<Place> ORDER = Comparator.comparing(Place::delayed)
            .thenComparingLong(Place::rankNanos)
            .thenComparingLong(Place::sequence);
    private static final Comparator<Place> EXPIRY =
            Comparator.comparingLong(Place::expiryNanos).thenComparingLong(Place::sequence);

    private final ModelId model;
    private final BatchPolicy policy;
    private volatile Sharing sharing;
    private final ExecutionTimes times;
    private final Ticker ticker;
    private final AtomicInteger turn = new AtomicInteger();
    private final AtomicInteger depth = new AtomicInteger();
    private final AtomicLong arrivals = new AtomicLong();
    private volatile List<Puller> pullers = List.of();

    private final ReentrantLock lock = new ReentrantLock();
    private final TreeSet<Place> line = new TreeSet<>(ORDER);
    private final TreeSet<Place> expiring = new TreeSet<>(EXPIRY);
    private final Map<Object, TreeSet<Place>> byKey = new HashMap<>();
    private final Map<Ticket, Place> places = new HashMap<>();
    private final Deque<List<Ticket>> groups = new ArrayDeque<>();
    private final List<Executing> executing = new ArrayList<>();
    private final WaitPredictor predictor = new WaitPredictor();
    private long sequence;
    private long queuedElements;
    private long queuedRows;
    private final long[] queuedRowsAtLevel = new long[InferenceRequest.LOWEST_PRIORITY + 1];
    private long unsettled;
    private final CompletableFuture<Void> drained = new CompletableFuture<>();
    private boolean closed;

    /** A device that pulls from this queue. */
    public interface Puller {
        /** Takes a free slot, if there is one, and pulls soon; false if every slot is taken. Never blocks. */
        boolean wake();

        /** Slots that are free now. */
        int freeSlots();

        /** Slots that there are, free or taken, while the device pulls at all; else 0. */
        int slots();
    }

    /**
     * A ticket in the line.
     *
     * @param delayed     whether it has waited too long, and stands behind those that have not
     * @param expiryNanos when it will have; {@link Pull#NEVER} if it has, or may wait up to its deadline
     */
    private record Place(Ticket ticket, boolean delayed, long rankNanos, long expiryNanos, long sequence) {}

    /** An execution of this model that has not returned; a handle for {@link #returned}. */
    public record Executing(long expectedEndNanos, long number) {}

    /** @param sharing whether requests share executions; else each is a batch of its own, and waits for no company */
    public ModelQueue(ModelId model, BatchPolicy policy, Sharing sharing, ExecutionTimes times, Ticker ticker) {
        this.model = model;
        this.sharing = sharing;
        this.policy = policy;
        this.times = times;
        this.ticker = ticker;
    }

    /** Whether requests share executions now. */
    public Sharing sharing() {
        return sharing;
    }

    /**
     * From now on each request is a batch of its own, also those that wait, whatever was shown before.
     *
     * @param reason for people
     * @return whether requests shared executions until now
     */
    public boolean stopSharing(String reason) {
        lock.lock();
        try {
            boolean shared = sharing.isAllowed();
            sharing = shared ? Sharing.none(reason) : sharing;
            return shared;
        } finally {
            lock.unlock();
        }
    }

    /** Most rows in one execution; of a request that runs by itself whatever it has. */
    private int mostRows() {
        return sharing.isAllowed() ? policy.maxBatchSize() : 1;
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
     * @throws Overloaded       if {@code maxQueueSize} tickets wait already, or half as many and the ticket is less urgent
     *     than the model's own level; or the ticket would probably not be answered
     *     by its deadline; it carries the wait expected now
     * @throws DeadlineExceeded if the deadline is nearer than the fastest execution ever seen
     * @throws NotReady         if the queue was closed, or no device pulls from it
     */
    public void offer(Ticket ticket) {
        lock.lock();
        try {
            long remaining = ticket.deadline().remainingNanos();
            requireServed();
            if (remaining < times.fastestNanos()) {
                throw new DeadlineExceeded("the request's timeout is shorter than the model's fastest execution");
            }
            int level = level(ticket);
            long modelWait = modelWaitNanos(level);
            long expectedWait = predictor.expectedNanos(modelWait);
            if (depth.get() >= room(level)) {
                throw new Overloaded(
                        "the queue of model '" + model.name()
                                + (level > policy.priority() ? "' has no room for priority " + level : "' is full")
                                + ": " + depth.get() + " wait",
                        Duration.ofNanos(expectedWait));
            }
            if (modelWait > 0 && predictor.pessimisticNanos(modelWait) + batchNanos(ticket) > remaining) {
                throw new Overloaded(
                        "the request would wait for model '" + model.name() + "' about " + expectedWait / 1_000_000
                                + " ms, more than its timeout allows",
                        Duration.ofNanos(expectedWait));
            }
            ticket.predictWait(modelWait);
            enter(ticket);
            unsettled++;
        } finally {
            lock.unlock();
        }
        var unused = ticket.settled().whenComplete((result, failure) -> settled(ticket));
        wakeOne();
    }

    /** Wakes a device with a free slot, if anything waits; for whoever was woken and cannot do the work. */
    public void wake() {
        if (!isEmpty()) {
            wakeOne();
        }
    }

    /** How long a ticket that came now would wait for its turn, as far as is known; in nanoseconds. */
    public long predictedWaitNanos() {
        lock.lock();
        try {
            return predictor.expectedNanos(modelWaitNanos(policy.priority()));
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
                    count(ticket);
                }
            }
            if (group.isEmpty()) {
                return;
            }
            groups.addLast(group);
        } finally {
            lock.unlock();
        }
        wakeOne();
    }

    /**
     * Forms a batch around the first ticket and claims it.
     *
     * @param freeSlots slots that are free for this model now, the asking one included: what waits is shared out among
     *                  them rather than taken by the first
     */
    public Pull pull(int freeSlots) {
        List<Ticket> late = new ArrayList<>(0);
        List<Ticket> expired = new ArrayList<>(0);
        lock.lock();
        try {
            long now = ticker.nanoTime(); // under the lock: waiting for it must not make a late ticket look timely
            expire(now, expired);
            while (!groups.isEmpty()) {
                List<Ticket> batch = claim(groups.removeFirst(), now, late);
                if (!batch.isEmpty()) {
                    return new Pull(batch, late, expired, Pull.NEVER);
                }
            }
            while (!line.isEmpty()) {
                Place first = line.first();
                List<Ticket> candidates = candidates(first.ticket().shape().key(), freeSlots);
                long due = dueNanos(candidates);
                if (due > now) {
                    return new Pull(List.of(), late, expired, due);
                }
                if (dropHopeless(candidates, now, late)) {
                    continue;
                }
                candidates.forEach(this::unlink);
                List<Ticket> batch = claim(candidates, now, late);
                if (!batch.isEmpty()) {
                    return new Pull(batch, late, expired, Pull.NEVER);
                }
            }
            return new Pull(List.of(), late, expired, Pull.NEVER);
        } finally {
            lock.unlock();
        }
    }

    /** What a ticket is told that has waited as long as this model lets it. */
    public WaitedTooLong refusal(Ticket ticket) {
        return new WaitedTooLong(
                model.name(),
                policy.queueTimeout()
                        .map(timeout -> timeout.of(ticket.request()))
                        .orElse(Duration.ZERO));
    }

    /** An execution of a pulled batch begins, and is expected to take so long. */
    public Executing began(long expectedNanos) {
        lock.lock();
        try {
            Executing entry = new Executing(ticker.nanoTime() + expectedNanos, sequence++);
            executing.add(entry);
            return entry;
        } finally {
            lock.unlock();
        }
    }

    /** The execution has truly returned. */
    public void returned(Executing entry) {
        lock.lock();
        try {
            executing.remove(entry);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Refuses every further ticket; those that wait are still pulled.
     *
     * @return completes when every ticket that was ever taken in is settled
     */
    public CompletableFuture<Void> close() {
        boolean none;
        lock.lock();
        try {
            closed = true;
            none = unsettled == 0;
        } finally {
            lock.unlock();
        }
        if (none) {
            drained.complete(null);
        }
        return drained.copy();
    }

    /** Whether the queue refuses every further ticket. */
    public boolean isClosed() {
        lock.lock();
        try {
            return closed;
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

    /** Slots of the devices that pull from this queue. */
    public int slots() {
        int slots = 0;
        for (Puller puller : pullers) {
            slots += puller.slots();
        }
        return slots;
    }

    /**
     * The priority of the first ticket, bettered by one level for each {@link BatchPolicy#priorityStep} that it has
     * waited; {@link Integer#MAX_VALUE} if none waits. Lower is more urgent.
     */
    public int urgency() {
        lock.lock();
        try {
            Ticket first = groups.isEmpty()
                    ? line.isEmpty() ? null : line.first().ticket()
                    : groups.peekFirst().get(0);
            if (first == null) {
                return Integer.MAX_VALUE;
            }
            long steps = (ticker.nanoTime() - first.arrivedNanos())
                    / policy.priorityStep().toNanos();
            return (int) Math.max(1, level(first) - steps);
        } finally {
            lock.unlock();
        }
    }

    /** A ticket that settles while it waits leaves the line at once. */
    private void settled(Ticket ticket) {
        boolean last;
        lock.lock();
        try {
            takeOut(ticket);
            if (ticket.deadline().hasPassed() && waitedTooLong(ticket)) {
                predictor.missed(ticket.predictedWaitNanos());
            }
            unsettled--;
            last = closed && unsettled == 0;
        } finally {
            lock.unlock();
        }
        if (last) {
            drained.complete(null);
        }
    }

    /** Whether it expired in the line or in an execution that began too late, rather than in one that hung. */
    private boolean waitedTooLong(Ticket ticket) {
        long left = ticket.deadline().atNanos() - ticket.startedNanos();
        long perRow = Math.max(1, ticket.shape().elements() / ticket.shape().rows());
        return ticket.attempts() == 0 || left < 2 * times.expectedNanos(perRow * mostRows());
    }

    private void takeOut(Ticket ticket) {
        if (places.containsKey(ticket)) {
            unlink(ticket);
            discount(ticket);
            return;
        }
        for (List<Ticket> group : groups) {
            if (group.remove(ticket)) {
                discount(ticket);
                groups.removeIf(List::isEmpty);
                return;
            }
        }
    }

    private void requireServed() {
        if (closed) {
            throw new NotReady("model '" + model.name() + "' is being unloaded", Duration.ofSeconds(1));
        }
        List<Puller> all = pullers;
        if (!all.isEmpty() && all.stream().allMatch(puller -> puller.slots() == 0)) {
            throw new NotReady("no healthy device serves model '" + model.name() + "'", Duration.ofSeconds(5));
        }
    }

    private int level(Ticket ticket) {
        int asked = ticket.request().priority();
        return asked == 0 ? policy.priority() : asked;
    }

    private void enter(Ticket ticket) {
        long rank =
                ticker.nanoTime() + (level(ticket) - 1) * policy.priorityStep().toNanos();
        long expiry = policy.queueTimeout()
                .map(timeout ->
                        ticket.arrivedNanos() + timeout.of(ticket.request()).toNanos())
                .orElse(Pull.NEVER);
        link(new Place(ticket, false, rank, expiry, sequence++));
        count(ticket);
    }

    private void link(Place place) {
        Ticket ticket = place.ticket();
        line.add(place);
        byKey.computeIfAbsent(ticket.shape().key(), key -> new TreeSet<>(ORDER)).add(place);
        places.put(ticket, place);
        if (place.expiryNanos() != Pull.NEVER) {
            expiring.add(place);
        }
    }

    /** How many may wait for one more to be let in: what is less urgent than usual leaves half of the line to the rest. */
    private int room(int level) {
        return level > policy.priority() ? Math.max(1, policy.maxQueueSize() / 2) : policy.maxQueueSize();
    }

    /** Rows that a ticket of this level would wait for; one that has waited longer may be ahead as well. */
    private long rowsAhead(int level) {
        long rows = 0;
        for (int ahead = 1; ahead <= level; ahead++) {
            rows += queuedRowsAtLevel[ahead];
        }
        return rows;
    }

    /** The predictor's model of now: which slot gets the batch that a ticket of this level would be in, and when. */
    private long modelWaitNanos(int level) {
        int waiting = depth.get();
        int slots = slots();
        int free = freeSlots();
        if (slots == 0 || free > waiting) {
            return 0;
        }
        long now = ticker.nanoTime();
        long rows = Math.max(1, queuedRows);
        long perRow = Math.max(1, queuedElements / rows);
        long batchNanos = times.expectedNanos(perRow * Math.min(rows, mostRows()));
        long[] residuals = new long[slots];
        Arrays.fill(residuals, Math.min(free, slots), slots, batchNanos / 2);
        for (int i = 0; i < Math.min(executing.size(), slots - Math.min(free, slots)); i++) {
            // an execution that is late already will be late as much again
            residuals[slots - 1 - i] = Math.abs(executing.get(i).expectedEndNanos() - now);
        }
        Arrays.sort(residuals);
        return WaitPredictor.modelNanos(residuals, rowsAhead(level) / mostRows(), batchNanos);
    }

    /** How long the batch will take that a ticket which comes now is in: with company, where others wait. */
    private long batchNanos(Ticket ticket) {
        long elements = queuedElements + ticket.shape().elements();
        long rows = queuedRows + ticket.shape().rows();
        return times.expectedNanos(elements * Math.min(rows, mostRows()) / rows);
    }

    private List<Ticket> candidates(Object key, int freeSlots) {
        TreeSet<Place> sameKey = byKey.getOrDefault(key, new TreeSet<>(ORDER));
        int share = (sameKey.size() + freeSlots - 1) / Math.max(1, freeSlots);
        int mostRows = mostRows();
        List<Ticket> candidates = new ArrayList<>(Math.min(share, mostRows));
        int rows = 0;
        for (Place place : sameKey) {
            Ticket ticket = place.ticket();
            if (!candidates.isEmpty()
                    && (candidates.size() >= share || rows + ticket.shape().rows() > mostRows)) {
                break;
            }
            candidates.add(ticket);
            rows += ticket.shape().rows();
        }
        return candidates;
    }

    /**
     * Drops those whose deadline is nearer than any execution of this size has lately taken, while others wait: they
     * would take the places of requests that can be answered, and at a load above the capacity of nearly all of them.
     * When nothing else waits they are tried, so that a device that has become faster is found out.
     */
    private boolean dropHopeless(List<Ticket> candidates, long now, List<Ticket> late) {
        long least = times.leastNanos(candidates.stream()
                .mapToLong(ticket -> ticket.shape().elements())
                .sum());
        List<Ticket> hopeless = candidates.stream()
                .filter(ticket -> ticket.deadline().atNanos() - now < least)
                .toList();
        if (hopeless.isEmpty() || hopeless.size() == line.size()) {
            return false;
        }
        for (Ticket ticket : hopeless) {
            unlink(ticket);
            discount(ticket);
            predictor.missed(ticket.predictedWaitNanos());
            late.add(ticket);
        }
        return true;
    }

    /** Takes those out of the line that have waited too long, or puts them behind the others. */
    private void expire(long now, List<Ticket> expired) {
        while (!expiring.isEmpty() && expiring.first().expiryNanos() <= now) {
            Place place = expiring.first();
            Ticket ticket = place.ticket();
            unlink(ticket);
            if (policy.queueTimeout().orElseThrow().action() == QueueTimeout.Action.DELAY) {
                link(new Place(ticket, true, place.rankNanos(), Pull.NEVER, place.sequence()));
            } else {
                discount(ticket);
                expired.add(ticket);
            }
        }
    }

    /** How long a ticket may wait for company: at most half of the wait that its model lets it, so as not to expire. */
    private long companyNanos(Ticket ticket) {
        long delay = policy.maxQueueDelay().toNanos();
        return policy.queueTimeout()
                .map(timeout -> Math.min(delay, timeout.of(ticket.request()).toNanos() / 2))
                .orElse(delay);
    }

    /** When the batch must start: now if it is full or may not wait, else in time for the nearest deadline. */
    private long dueNanos(List<Ticket> candidates) {
        if (policy.maxQueueDelay().isZero()) {
            return Long.MIN_VALUE;
        }
        int rows = 0;
        long elements = 0;
        long alone = Long.MAX_VALUE;
        long nearestDeadline = Long.MAX_VALUE;
        for (Ticket ticket : candidates) {
            rows += ticket.shape().rows();
            elements += ticket.shape().elements();
            alone = Math.min(alone, ticket.arrivedNanos() + companyNanos(ticket));
            nearestDeadline = Math.min(nearestDeadline, ticket.deadline().atNanos());
        }
        if (rows >= mostRows()) {
            return Long.MIN_VALUE;
        }
        return Math.min(alone, nearestDeadline - 2 * times.expectedNanos(elements));
    }

    private List<Ticket> claim(List<Ticket> tickets, long now, List<Ticket> late) {
        List<Ticket> batch = new ArrayList<>(tickets.size());
        for (Ticket ticket : tickets) {
            discount(ticket);
            boolean claimed = ticket.claim(now);
            if (claimed) {
                batch.add(ticket);
            } else if (!ticket.isSettled()) {
                late.add(ticket);
            }
            if (claimed && ticket.attempts() == 1 && level(ticket) <= policy.priority()) { // others are overtaken
                predictor.met(ticket.predictedWaitNanos(), now - ticket.arrivedNanos());
            }
        }
        return batch;
    }

    private void count(Ticket ticket) {
        depth.incrementAndGet();
        arrivals.incrementAndGet();
        queuedElements += ticket.shape().elements();
        queuedRows += ticket.shape().rows();
        queuedRowsAtLevel[level(ticket)] += ticket.shape().rows();
    }

    private void discount(Ticket ticket) {
        depth.decrementAndGet();
        queuedElements -= ticket.shape().elements();
        queuedRows -= ticket.shape().rows();
        queuedRowsAtLevel[level(ticket)] -= ticket.shape().rows();
    }

    private void unlink(Ticket ticket) {
        @Nullable Place place = places.remove(ticket);
        if (place == null) {
            return;
        }
        line.remove(place);
        expiring.remove(place);
        TreeSet<Place> sameKey = byKey.get(ticket.shape().key());
        if (sameKey != null && sameKey.remove(place) && sameKey.isEmpty()) {
            byKey.remove(ticket.shape().key());
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
