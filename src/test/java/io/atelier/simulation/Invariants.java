package io.atelier.simulation;

import io.atelier.core.DeviceId;
import io.atelier.core.DeviceState;
import io.atelier.core.ErrorCode;
import io.atelier.core.InferenceResult;
import io.atelier.core.ServingException;
import io.atelier.core.ServingListener;
import io.atelier.core.Ticket;
import io.atelier.device.DeviceExecutor;
import io.atelier.scheduling.ModelQueue;
import io.atelier.simulation.SimCall.Outcome;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the core promises, in one place. Each promise has a {@link Name}; the first one that is broken ends the schedule.
 *
 * <p>Seen from outside the core: by its listener, by the engine, and by the clients' futures.
 */
final class Invariants implements ServingListener {
    /** The promises. */
    enum Name {
        /** A ticket settles once, and its caller is answered then. */
        ONE_SETTLEMENT,
        /** Every accepted ticket settles at its deadline at the latest; exact, as the clock is virtual. */
        SETTLED_BY_DEADLINE,
        /** Native calls on a device that have not returned are at most its permits. */
        PERMITS,
        /** Whoever enters the guard finds a place in its bulkhead. */
        GUARD_NEVER_FULL,
        /** No call begins with a request whose deadline has passed. */
        NO_LATE_START,
        /** On a quarantined or closed device nothing begins but golden checks. */
        NO_WORK_ON_UNTRUSTED_DEVICE,
        /** A request whose caller went while it was queued is never computed. */
        NO_START_AFTER_CANCEL,
        /** First executions of one model, key and priority begin in the order of arrival, but for those that are late. */
        FIFO,
        /** A batch has one model, one key, and at most the rows that it may have, unless it is one request. */
        BATCH,
        /** A request runs twice at once only if its first device was put out of service. */
        ONE_EXECUTION,
        /** A request begins at most 2 (log2 n + 1) times for batches of n, plus what the guard rejected. */
        BOUNDED_ATTEMPTS,
        /**
         * An answer is right, and is the last call's. Excused is a wrong answer of a call that returned before a golden
         * check could tell. From a wrong golden answer or a sticky error on, nothing that the device was computing is
         * believed.
         */
        TRUE_ANSWER,
        /** After a sticky error a request is not tried again on the same device while it is in service. */
        RETRY_ELSEWHERE,
        /**
         * Each failure has a reason that the outside knows too. Late before its deadline is only what exceeded the
         * guard's limit, or had less time left than an execution has taken.
         */
        HONEST_FAILURE,
        /** A request that breaks batches fails; its neighbours do not for its sake. */
        POISON_ALONE,
        /**
         * With nothing on its way, no device is idle while a request waits that it could run. Where a queue waits for
         * company, twice its delay is excused: once for the request, once for a better one that came and went.
         */
        WORK_CONSERVING,
        /** With nothing on its way, a running request is in a call, or waits for a check of its device. */
        NO_ORPHAN,
        /** The queue's depth is the number of tickets that wait in it. */
        DEPTH,
        /** A call that runs longer than the hang ceiling has put its device out of service. */
        WATCHDOG,
        /** A quarantined device comes back only when each of its models has given its right golden answer since. */
        READMITTED_BY_GOLDEN,
        /** When nothing is wrong any more, every device comes back. */
        RECOVERY,
        /** A model is freed once, when nothing of it runs, and nothing of it runs after. */
        NEVER_CLOSED_UNDER_A_RUN,
        /** At the end all is settled, every queue empty, every permit back, every model freed. */
        NO_LOSS,
        /** A drain is over by the last deadline; so is a reload. */
        DRAIN,
        /** Nothing throws, and nothing spins. */
        PROGRESS
    }

    /** A promise that was broken. */
    static final class Broken extends AssertionError {
        private static final long serialVersionUID = 1;

        final transient Name name;

        Broken(Name name, String detail, @Nullable Throwable cause) {
            super(name + ": " + detail, cause);
            this.name = name;
        }
    }

    private final List<SimRequest> requests;
    private final List<SimRequest> open = new ArrayList<>();
    private final List<SimCall> running = new ArrayList<>();
    private final List<SimInstance> instances = new ArrayList<>();
    private final List<ModelQueue> queues = new ArrayList<>();
    private final Map<DeviceId, DeviceExecutor> devices = new HashMap<>();
    private final Map<DeviceId, Long> limits = new HashMap<>();
    private final Map<DeviceId, Long> outOfServiceNanos = new HashMap<>();
    private final Map<DeviceId, Long> quarantinedNanos = new HashMap<>();
    private final Map<Integer, SimCall> calls = new HashMap<>();
    private final StringBuilder log = new StringBuilder();
    private final boolean logging;
    private @Nullable SimWorld world;
    private @Nullable Broken first;
    private long hangCeilingNanos;
    private long longestNanos;
    private int accepted;

    /** @param logging whether the story is kept, for whoever reads a failure */
    Invariants(List<SimRequest> requests, boolean logging) {
        this.requests = requests;
        this.logging = logging;
    }

    void watch(SimWorld ofWorld, long ceilingNanos) {
        this.world = ofWorld;
        this.hangCeilingNanos = ceilingNanos;
    }

    /** @param limitNanos the guard's, for one execution */
    void watch(DeviceExecutor device, long limitNanos) {
        limits.put(device.id(), limitNanos);
        devices.put(device.id(), device);
    }

    void watch(ModelQueue queue) {
        queues.add(queue);
    }

    void watch(SimInstance instance) {
        instances.add(instance);
    }

    String story() {
        return log.toString();
    }

    /** Notes that a promise was broken; the first one counts. */
    void broken(Name name, String detail) {
        broken(name, detail, null);
    }

    void broken(Name name, String detail, @Nullable Throwable cause) {
        log("BROKEN %s: %s", name, detail);
        if (first == null) {
            first = new Broken(name, detail, cause);
        }
    }

    /** Ends the schedule if a promise was broken. */
    void check() {
        if (first != null) {
            throw first;
        }
    }

    // what happens

    void began(SimCall call, int rows) {
        SimInstance instance = call.instance;
        DeviceExecutor device = device(call.device);
        log("begins %s, %s", call, call.requests);
        calls.put(call.number, call);
        running.add(call);
        instance.running++;
        if (instance.closed) {
            broken(Name.NEVER_CLOSED_UNDER_A_RUN, call + " began on a model that was freed");
        }
        if (running.stream().filter(other -> other.device.equals(call.device)).count() > device.limit()) {
            broken(Name.PERMITS, running + " on " + device.limit() + " permits");
        }
        if (call.golden) {
            instance.goldenBeganNanos = now();
            instance.goldenRight = false;
            return;
        }
        if (device.state() != DeviceState.READY && device.state() != DeviceState.DRAINING) {
            broken(Name.NO_WORK_ON_UNTRUSTED_DEVICE, call + ", device is " + device.state());
        }
        batch(call, rows);
        for (SimRequest request : call.requests) {
            begins(request, call);
            request.calls.add(call);
        }
    }

    private void batch(SimCall call, int rows) {
        if (rows > call.instance.queue.policy().maxBatchSize() && call.requests.size() > 1) {
            broken(Name.BATCH, call + " has " + rows + " rows");
        }
        for (SimRequest request : call.requests) {
            if (request.queue != call.instance.queue
                    || !ticket(request)
                            .shape()
                            .key()
                            .equals(ticket(call.requests.get(0)).shape().key())) {
                broken(Name.BATCH, call + " mixes " + call.requests);
            }
        }
    }

    private void begins(SimRequest request, SimCall call) {
        Ticket ticket = ticket(request);
        if (ticket.deadline().atNanos() - now() <= 0) {
            broken(Name.NO_LATE_START, call + " began late with " + request);
        }
        if (request.goneWhileQueued) {
            broken(Name.NO_START_AFTER_CANCEL, call + " began with " + request);
        }
        for (SimCall other : request.calls) {
            if (!other.returned && !other.untrusted) {
                broken(Name.ONE_EXECUTION, call + " began while " + request + " was still in " + other);
            }
        }
        int most = 2
                * (33
                        - Integer.numberOfLeadingZeros(
                                call.instance.queue.policy().maxBatchSize() - 1));
        if (request.calls.size() >= most) {
            broken(Name.BOUNDED_ATTEMPTS, request + " began more than " + most + " times");
        }
        SimCall last = request.calls.isEmpty() ? null : request.calls.get(request.calls.size() - 1);
        if (last != null
                && last.outcome == Outcome.STICKY
                && last.device.equals(call.device)
                && outOfServiceNanos.getOrDefault(call.device, 0L) < last.beganNanos) {
            broken(Name.RETRY_ELSEWHERE, request + " began on the same device");
        }
        if (ticket.attempts() == 1) {
            for (SimRequest other : open) {
                if (isOvertaken(other, request)) {
                    broken(Name.FIFO, request + " began before " + other);
                }
            }
        }
    }

    private boolean isOvertaken(SimRequest other, SimRequest by) {
        Ticket waiting = ticket(other);
        Ticket begun = ticket(by);
        return other.acceptedAs < by.acceptedAs
                && other.queue == by.queue
                && waiting.attempts() == 0
                && waiting.state() == Ticket.State.QUEUED
                && waiting.shape().key().equals(begun.shape().key())
                && waiting.request().priority() == begun.request().priority()
                && waiting.deadline().atNanos() - now() >= longestNanos;
    }

    void returned(SimCall call) {
        log("returns %s", call);
        call.returned = true;
        call.instance.running--;
        running.remove(call);
        longestNanos = Math.max(longestNanos, now() - call.beganNanos);
        if (call.golden && call.outcome == Outcome.RIGHT) {
            call.instance.goldenRight = true;
        } else if (call.golden || call.outcome == Outcome.STICKY) {
            running.forEach(other -> other.disproved |= other.device.equals(call.device));
        }
    }

    void closed(SimInstance instance) {
        log("frees a model on %s", instance.device());
        if (instance.closed || instance.running > 0) {
            broken(
                    Name.NEVER_CLOSED_UNDER_A_RUN,
                    "freed on " + instance.device() + " with " + instance.running + " running");
        }
    }

    @Override
    public void onAccepted(Ticket ticket) {
        SimRequest request =
                requests.get(Integer.parseInt(String.valueOf(ticket.request().id())));
        log("accepts %d until %d us", request.number, ticket.deadline().atNanos() / 1000);
        request.ticket = ticket;
        request.queue = queues.stream()
                .filter(queue -> queue.model().equals(ticket.request().model()))
                .reduce((older, newer) -> newer)
                .orElseThrow();
        if (world != null) {
            world.quiet(false);
        }
        request.acceptedAs = accepted++;
        if (!ticket.isSettled()) {
            open.add(request);
        }
    }

    @Override
    public void onSettled(Ticket ticket, @Nullable ServingException failure) {
        SimRequest request =
                requests.get(Integer.parseInt(String.valueOf(ticket.request().id())));
        log("settles %d: %s", request.number, failure == null ? "answered" : failure.detail());
        open.remove(request);
        request.failure = failure;
        if (++request.settlements > 1) {
            broken(Name.ONE_SETTLEMENT, request + " settled twice");
        }
        if (ticket.deadline().atNanos() - now() < 0) {
            broken(Name.SETTLED_BY_DEADLINE, request + " settled after its deadline");
        }
        if (failure != null) {
            failed(request, failure);
        }
    }

    /** The client hears. */
    void answered(SimRequest request, @Nullable InferenceResult result) {
        if (request.settlements != 1) {
            broken(Name.ONE_SETTLEMENT, request + " answered after " + request.settlements + " settlements");
        }
        if (result != null) {
            succeeded(request, result);
        }
    }

    private void succeeded(SimRequest request, InferenceResult result) {
        float value = result.outputs().get(0).data().getFloat(0);
        SimCall by = calls.get(result.outputs().get(1).data().getInt(0));
        if (request.poison) {
            broken(Name.POISON_ALONE, request + " was answered");
        }
        if (by == null || !request.calls.contains(by)) {
            broken(Name.TRUE_ANSWER, request + " got the answer of " + by);
        } else if (value != request.number + 1 && by.disproved) {
            broken(Name.TRUE_ANSWER, request + " got a wrong answer of a device that had been found out, from " + by);
        } else if (value != request.number + 1 && by.outcome != Outcome.WRONG) {
            broken(Name.TRUE_ANSWER, request + " got " + value);
        } else if (by != request.calls.get(request.calls.size() - 1)) {
            broken(Name.TRUE_ANSWER, request + " got the answer of a call that was given up, " + by);
        }
    }

    private void failed(SimRequest request, ServingException failure) {
        ErrorCode code = failure.code();
        if (code == ErrorCode.DEADLINE_EXCEEDED) {
            boolean limit = request.calls.stream()
                    .anyMatch(call -> now() - call.beganNanos >= limits.getOrDefault(call.device, 0L));
            boolean hopeless = ticket(request).deadline().atNanos() - now() < longestNanos;
            if (ticket(request).deadline().atNanos() > now() && !limit && !hopeless) {
                broken(Name.HONEST_FAILURE, request + " failed as late before its deadline");
            }
        } else if (code == ErrorCode.QUEUE_TIMEOUT) {
            if (!request.calls.isEmpty()) {
                broken(Name.HONEST_FAILURE, request + " had begun and failed for its wait in the queue");
            }
        } else if (code == ErrorCode.CANCELLED) {
            if (!request.gone) {
                broken(Name.HONEST_FAILURE, request + " failed as cancelled");
            }
        } else if (code == ErrorCode.ENGINE_FAILURE) {
            boolean own = request.poison
                    && request.calls.stream()
                            .anyMatch(call -> call.requests.size() == 1 && call.outcome == Outcome.POISONED);
            boolean device = request.calls.stream()
                    .anyMatch(call -> call.untrusted
                            || call.outcome == Outcome.STICKY
                            || (call.outcome == Outcome.CRASH && call.requests.size() == 1));
            if (!own && !device) {
                broken(Name.POISON_ALONE, request + " failed for another's sake");
            }
        } else {
            broken(Name.HONEST_FAILURE, request + " was accepted and failed with " + code);
        }
    }

    @Override
    public void onDeviceState(DeviceId device, DeviceState state, String reason) {
        log("%s is %s: %s", device, state, reason);
        if (state == DeviceState.QUARANTINED) {
            quarantinedNanos.put(device, now());
            outOfServiceNanos.put(device, now());
            for (SimCall call : running) {
                call.untrusted |= call.device.equals(device);
            }
        } else if (state == DeviceState.READY) {
            Long since = quarantinedNanos.remove(device);
            for (SimInstance instance : instances) {
                if (since != null
                        && instance.device().equals(device)
                        && instance.heldNanos < since
                        && !instance.queue.isClosed()
                        && !(instance.goldenRight && instance.goldenBeganNanos >= since)) {
                    broken(Name.READMITTED_BY_GOLDEN, device + " came back without a right golden answer");
                }
            }
        }
    }

    // what holds at all times

    void afterEvent() {
        for (SimRequest request : open) {
            if (ticket(request).deadline().atNanos() - now() < 0) {
                broken(Name.SETTLED_BY_DEADLINE, request + " is not settled");
            }
        }
        for (SimCall call : running) {
            DeviceState state = device(call.device).state();
            if (now() - call.beganNanos > hangCeilingNanos
                    && (state == DeviceState.READY || state == DeviceState.DRAINING)) {
                broken(Name.WATCHDOG, call + " hangs, and its device is " + state);
            }
        }
    }

    /** What holds when nothing is on its way and only time can change anything. */
    void atRest() {
        for (ModelQueue queue : queues) {
            long queued = open.stream()
                    .filter(request -> request.queue == queue && ticket(request).state() == Ticket.State.QUEUED)
                    .count();
            if (queued != queue.depth()) {
                broken(Name.DEPTH, queued + " tickets wait, and the depth is " + queue.depth());
            }
        }
        for (SimInstance instance : instances) {
            DeviceExecutor device = device(instance.device());
            if (!instance.queue.isEmpty()
                    && isIdle(device)
                    && instance.running < instance.limit
                    && device.models().stream().anyMatch(held -> held.model().equals(instance.queue.model()))
                    && !instance.closed
                    && isDue(instance.queue)) {
                broken(
                        Name.WORK_CONSERVING,
                        device.id() + " has " + device.freeSlots() + " free slots, and " + instance.queue.depth()
                                + " wait for " + instance.queue.model());
            }
        }
        for (SimRequest request : open) {
            if (ticket(request).state() == Ticket.State.RUNNING
                    && request.calls.stream().allMatch(call -> call.returned)
                    && !waitsForCheck(request)) {
                broken(Name.NO_ORPHAN, request + " is nowhere");
            }
        }
    }

    private boolean isIdle(DeviceExecutor device) {
        return device.freeSlots() > 0 && device.state() == DeviceState.READY;
    }

    private boolean isDue(ModelQueue queue) {
        long delay = queue.policy().maxQueueDelay().toNanos();
        return delay == 0
                || open.stream()
                        .filter(request -> request.queue == queue)
                        .filter(request -> ticket(request).state() == Ticket.State.QUEUED)
                        .allMatch(request -> ticket(request).arrivedNanos() + 2 * delay < now());
    }

    /** Alone in a failed call, on a device that has no place for the check now. */
    private boolean waitsForCheck(SimRequest request) {
        if (request.calls.isEmpty()) {
            return false;
        }
        SimCall last = request.calls.get(request.calls.size() - 1);
        boolean failed =
                last.requests.size() == 1 && (last.outcome == Outcome.CRASH || last.outcome == Outcome.POISONED);
        boolean checking = running.stream().anyMatch(call -> call.golden && call.device.equals(last.device));
        DeviceExecutor device = device(last.device);
        boolean inService = device.state() == DeviceState.READY || device.state() == DeviceState.DRAINING;
        return failed && (checking || (inService && device.freeSlots() == 0));
    }

    // what holds in the end

    void atEnd(boolean drained) {
        for (SimRequest request : requests) {
            var answer = request.answer;
            if (answer != null && !answer.isDone()) {
                broken(Name.NO_LOSS, request + " was never answered");
            }
            if (request.ticket != null && request.settlements != 1) {
                broken(Name.NO_LOSS, request + " has " + request.settlements + " settlements");
            }
        }
        for (ModelQueue queue : queues) {
            if (queue.depth() != 0) {
                broken(Name.NO_LOSS, "the queue's depth is " + queue.depth());
            }
        }
        for (DeviceExecutor device : devices.values()) {
            if (device.state() != DeviceState.READY && device.state() != DeviceState.DRAINING) {
                broken(Name.RECOVERY, device.id() + " is " + device.state() + ": " + device.reason());
            } else if (device.freeSlots() != device.limit() && running.isEmpty() && device.slots() > 0) {
                broken(Name.NO_LOSS, device.id() + " has " + device.freeSlots() + " free of " + device.limit());
            }
        }
        if (!drained) {
            broken(Name.DRAIN, "not over");
        }
        check();
    }

    void atClose(boolean closed) {
        if (!closed || instances.stream().anyMatch(instance -> !instance.closed)) {
            broken(Name.NO_LOSS, "a model was not freed");
        }
        check();
    }

    @SuppressWarnings("AnnotateFormatMethod") // its annotation is not among our dependencies
    void log(String format, @Nullable Object... arguments) {
        if (logging) {
            log.append(now() / 1000)
                    .append(" us ")
                    .append(format.formatted(arguments))
                    .append('\n');
        }
    }

    private long now() {
        return world == null ? 0 : world.now();
    }

    private DeviceExecutor device(DeviceId id) {
        DeviceExecutor device = devices.get(id);
        if (device == null) {
            throw new IllegalStateException("unknown device " + id);
        }
        return device;
    }

    private static Ticket ticket(SimRequest request) {
        Ticket ticket = request.ticket;
        if (ticket == null) {
            throw new IllegalStateException("no ticket");
        }
        return ticket;
    }
}
