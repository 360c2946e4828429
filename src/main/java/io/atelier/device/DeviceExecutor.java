package io.atelier.device;

import io.atelier.core.DeviceId;
import io.atelier.core.DeviceState;
import io.atelier.core.InferenceResult;
import io.atelier.core.ModelId;
import io.atelier.core.ServingException;
import io.atelier.core.ServingException.DeadlineExceeded;
import io.atelier.core.ServingException.EngineFailure;
import io.atelier.core.ServingException.NotReady;
import io.atelier.core.ServingListener;
import io.atelier.core.ServingListener.Execution;
import io.atelier.core.Sharing;
import io.atelier.core.Tensor;
import io.atelier.core.Ticker;
import io.atelier.core.Ticket;
import io.atelier.core.Timer;
import io.atelier.engine.EngineBatch;
import io.atelier.engine.GoldenSample;
import io.atelier.engine.ModelInstance;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.RowsLostException;
import io.atelier.scheduling.ModelQueue;
import io.atelier.scheduling.Pull;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A device and the executor that alone runs work on it.
 *
 * <p>With a free permit it takes a thread, pulls a batch from one of its models' queues, runs it under the device's
 * guard, and begins anew; with nothing to do it gives the permit back and is woken by the next offer. The permit is held
 * until the native call has returned and the guard has seen it, so the guard's own waiting line stays empty. Among
 * several models the most urgent goes first, then the one that has had least of the device's time for its weight.
 *
 * <p>A batch that fails is split until the request that breaks it fails alone; a failure is followed by a golden check
 * before the device goes on. An execution that hangs, a sticky error or a wrong golden answer quarantines the device: it
 * pulls nothing, what it was given goes to the others once, and it comes back only with a right golden answer.
 *
 * <p>Tickets are settled by the settler, never on the device's thread.
 *
 * <p>States: STARTING → READY → DRAINING → CLOSED, and READY ↔ QUARANTINED. Thread-safe: state and residents are
 * published by volatile writes under the object's lock; permits are atomic; what runs is in a concurrent queue, the oldest first.
 */
public final class DeviceExecutor {
    private final DeviceId id;
    private final Permits permits;
    private final ExecutorService executor;
    private final ExecutorService loader;
    private final Loads loads;
    private final ExecutionGuard guard;
    private final Watch watch;
    private final Executor settler;
    private final Timer timer;
    private final Ticker ticker;
    private final ServingListener listener;

    private final Queue<Launch> running = new ConcurrentLinkedQueue<>();
    private final Queue<Errand<?>> errands = new ConcurrentLinkedQueue<>();
    private final Statistics statistics = new Statistics();
    private final AtomicLong nextWakeNanos = new AtomicLong(Pull.NEVER);
    private volatile List<Resident> residents = List.of();
    private volatile DeviceState state = DeviceState.STARTING;
    private volatile String reason = "loading";
    private boolean draining; // guarded by this
    private volatile long stateSinceNanos;

    /** An execution that is no request's, and its outcome. */
    private record Errand<T>(Supplier<? extends CompletionStage<T>> execution, CompletableFuture<T> outcome) {
        void refuse(DeviceId device) {
            outcome.completeExceptionally(
                    new NotReady("the device " + device + " is out of service", Duration.ofSeconds(5)));
        }
    }

    /** What one model's queue sees of this device: a slot counts only while the model may use it. */
    private final class Port implements ModelQueue.Puller {
        private final Resident resident;

        Port(Resident resident) {
            this.resident = resident;
        }

        @Override
        public boolean wake() {
            return resident.room() > 0 && DeviceExecutor.this.wake(resident);
        }

        @Override
        public int freeSlots() {
            return Math.min(DeviceExecutor.this.freeSlots(), resident.room());
        }

        @Override
        public int slots() {
            return Math.min(DeviceExecutor.this.slots(), resident.limit());
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Port port && port.resident == resident;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(resident);
        }
    }

    /** A batch being executed, since {@code startedNanos}. */
    public record Run(ModelId model, int requests, int rows, long startedNanos) {}

    /** Sums since the start. Thread-safe. */
    public static final class Statistics {
        private final LongAdder executions = new LongAdder();
        private final LongAdder failures = new LongAdder();
        private final LongAdder requests = new LongAdder();
        private final LongAdder rows = new LongAdder();
        private final LongAdder busyNanos = new LongAdder();

        public long executions() {
            return executions.sum();
        }

        public long failures() {
            return failures.sum();
        }

        public long requests() {
            return requests.sum();
        }

        public long rows() {
            return rows.sum();
        }

        public long busyNanos() {
            return busyNanos.sum();
        }
    }

    /**
     * @param executor the device's own, for what holds a permit; shut down by {@link #close}
     * @param loader   the device's own, for loading models beside that, with a thread for each load; shut down by {@link
     *     #close}
     * @param settler  runs what hangs on settled tickets
     */
    public DeviceExecutor(
            DeviceId id,
            int slots,
            ExecutorService executor,
            ExecutorService loader,
            ExecutionGuard guard,
            WatchPolicy watch,
            Executor settler,
            Timer timer,
            Ticker ticker,
            ServingListener listener) {
        this.id = id;
        this.permits = new Permits(slots);
        this.executor = executor;
        this.loader = loader;
        this.loads = new Loads(id, slots, loader, timer);
        this.guard = guard;
        this.watch = new Watch(this, watch, settler, timer, ticker);
        this.settler = settler;
        this.timer = timer;
        this.ticker = ticker;
        this.listener = listener;
        this.stateSinceNanos = ticker.nanoTime();
    }

    public DeviceId id() {
        return id;
    }

    public DeviceState state() {
        return state;
    }

    /** Why the device is in its state, in a word. */
    public String reason() {
        return reason;
    }

    /** The ticker's reading when the device came into its state. */
    public long stateSinceNanos() {
        return stateSinceNanos;
    }

    public Statistics statistics() {
        return statistics;
    }

    /** What runs now, golden checks included. */
    public List<Run> running() {
        return running.stream()
                .map(launch -> new Run(
                        launch.execution.model(),
                        launch.execution.requests(),
                        launch.execution.rows(),
                        launch.execution.startedNanos()))
                .toList();
    }

    /** A model on a device, and whether its requests share executions. */
    public record Held(ModelId model, Sharing sharing) {}

    /** The models on this device. */
    public List<Held> models() {
        return residents.stream()
                .map(resident -> new Held(resident.queue.model(), resident.queue.sharing()))
                .toList();
    }

    /** Executions that may run at once, whatever the state. */
    public int limit() {
        return permits.limit();
    }

    /** Executions that may run at once while the device pulls at all; else 0. */
    public int slots() {
        return pulls() ? permits.limit() : 0;
    }

    /** Slots that are free now. */
    public int freeSlots() {
        return pulls() ? permits.free() : 0;
    }

    /**
     * Runs something that touches the device and executes nothing, such as reading a model into its memory, on one of the
     * device's threads for loading: beside the executions, which it neither delays nor waits for. As many run at once as
     * executions may.
     *
     * @param limit how long it may take, from its beginning
     * @param late  frees what it gives when it has been given up
     * @return fails with {@link ModelLoadException} if it takes longer
     */
    public <T> CompletableFuture<T> load(Callable<T> task, Duration limit, Consumer<? super T> late) {
        return loads.enter(task, limit, late);
    }

    /**
     * Executes something that is no request's, such as a warm-up, with a permit, on one of the device's threads and
     * before the next batch: loading adds nothing to what runs at once, and does not wait until nobody asks. One that
     * does not return within the hang ceiling quarantines the device.
     *
     * @return completes when it has truly returned; fails with {@link NotReady} if the device goes out of service before
     *     it has begun
     */
    public <T> CompletableFuture<T> execute(Supplier<? extends CompletionStage<T>> execution) {
        Errand<T> errand = new Errand<>(execution, new CompletableFuture<>());
        errands.add(errand);
        wake();
        if (state == DeviceState.QUARANTINED || state == DeviceState.CLOSED) {
            refuseErrands();
        }
        return errand.outcome();
    }

    private void refuseErrands() {
        for (Errand<?> errand = errands.poll(); errand != null; errand = errands.poll()) {
            errand.refuse(id);
        }
    }

    private <T> void run(Errand<T> errand, Permits.Permit permit) {
        Timer.Alarm alarm = watch.expectReturn();
        CompletionStage<T> stage;
        try {
            stage = errand.execution().get();
        } catch (RuntimeException | Error failure) {
            stage = CompletableFuture.failedStage(failure);
        }
        var unused = stage.whenComplete((result, failure) -> {
            alarm.cancel();
            permit.close();
            if (failure == null) {
                errand.outcome().complete(result);
            } else {
                errand.outcome().completeExceptionally(failure);
            }
            goOn();
        });
    }

    /**
     * Makes a loaded model resident: from now on the device pulls from its queue, and owns the instance.
     *
     * @param golden    a question whose answer is known; null if there is none, and then the model's failures are never
     *     blamed on the device
     * @param instances executions of the model that may run at once; at most the device's slots
     * @param weight    share of the device's time, relative to the other models on it
     */
    public void hold(
            ModelQueue queue, ModelInstance instance, @Nullable GoldenSample golden, int instances, double weight) {
        Resident resident = new Resident(queue, instance, golden, instances, weight, ticker.nanoTime());
        synchronized (this) {
            residents.stream().mapToLong(Resident::weightedNanos).min().ifPresent(resident::catchUp);
            List<Resident> more = new ArrayList<>(residents);
            more.add(resident);
            residents = List.copyOf(more);
        }
        queue.attach(new Port(resident));
    }

    /**
     * Gives a model up: pulls from its queue no more, and frees the instance once nothing of it runs. Drain the queue
     * first.
     *
     * @return completes when the model is freed
     */
    public CompletableFuture<Void> release(ModelQueue queue) {
        Resident released = null;
        synchronized (this) {
            List<Resident> fewer = new ArrayList<>();
            for (Resident resident : residents) {
                if (resident.queue == queue) {
                    released = resident;
                } else {
                    fewer.add(resident);
                }
            }
            residents = List.copyOf(fewer);
        }
        if (released == null) {
            return CompletableFuture.completedFuture(null);
        }
        queue.detach(new Port(released));
        return released.closeWhenIdle(executor);
    }

    /** Begins to pull. */
    public void open() {
        changeState(DeviceState.READY, "ready");
        wakeAll();
        watch.begin();
    }

    /** Goes on with what is queued; is not watched any more for what it does when idle. */
    public synchronized void drain() {
        draining = true;
        if (state == DeviceState.READY) {
            changeState(DeviceState.DRAINING, "draining");
        }
    }

    /**
     * Ends the device's threads and frees its models. Models are freed only when nothing runs any more, since freeing
     * one under a run would crash the process.
     *
     * @return false when something was still running after {@code patience}
     */
    public boolean close(Duration patience) throws InterruptedException {
        changeState(DeviceState.CLOSED, "closed");
        refuseErrands();
        executor.shutdown();
        loader.shutdown();
        boolean ended = executor.awaitTermination(patience.toNanos(), TimeUnit.NANOSECONDS);
        if (!ended || !running.isEmpty()) {
            return false;
        }
        for (Resident resident : residents) {
            resident.queue.detach(new Port(resident));
            resident.instance.close();
        }
        residents = List.of();
        return true;
    }

    /** Takes a free slot, if there is one, and pulls soon; behind a closed guard, when it opens. Never blocks. */
    private boolean wake() {
        return wake(null);
    }

    /** The same, for work of one model. */
    private boolean wake(@Nullable Resident wanted) {
        if (!pulls() && !(state == DeviceState.STARTING && !errands.isEmpty())) {
            wakeWhenGuardOpens();
            return false;
        }
        return withPermit(permit -> work(permit, wanted));
    }

    /** Takes the device out of service, since what it computes is wrong or fails: nothing of it is believed any more. */
    void distrust(String why) {
        quarantine(why);
        for (Launch launch : running) {
            fail(launch.takeAll(), new EngineFailure("the device failed", null));
        }
    }

    /** Takes the device out of service. What cannot be retried elsewhere waits for it. Harmless if it is out already. */
    public void quarantine(String why) {
        synchronized (this) {
            if (state != DeviceState.READY && state != DeviceState.DRAINING) {
                return;
            }
            changeState(DeviceState.QUARANTINED, why);
        }
        for (Launch launch : running) {
            noLongerExpected(launch);
            retryElsewhere(launch);
        }
        refuseErrands();
        watch.quarantined();
        watch.probeLater();
    }

    /** Runs a task on the device's thread with a free permit; false without one. */
    boolean withPermit(Consumer<Permits.Permit> task) {
        Optional<Permits.Permit> permit = permits.tryAcquire();
        if (permit.isEmpty()) {
            return false;
        }
        try {
            executor.execute(() -> task.accept(permit.get()));
            return true;
        } catch (RejectedExecutionException closed) {
            permit.get().close();
            return false;
        }
    }

    private boolean pulls() {
        return isInService() && guard.closedForNanos() == 0;
    }

    private boolean isInService() {
        return state == DeviceState.READY || state == DeviceState.DRAINING;
    }

    private synchronized void changeState(DeviceState next, String why) {
        if (state == DeviceState.CLOSED || state == next) {
            return;
        }
        state = next;
        reason = why;
        stateSinceNanos = ticker.nanoTime();
        listener.onDeviceState(id, next, why);
    }

    private boolean hasWork() {
        return residents.stream().anyMatch(resident -> !resident.queue.isEmpty());
    }

    private void wakeAll() {
        for (int slot = 0; slot < permits.limit() && hasWork(); slot++) {
            wake();
        }
    }

    /** Wakes a free slot, here or elsewhere, for each model that has work left. */
    private void wakeOthers() {
        residents.forEach(resident -> resident.queue.wake());
    }

    private long arrivals() {
        long arrivals = 0;
        for (Resident resident : residents) {
            arrivals += resident.queue.arrivals();
        }
        return arrivals;
    }

    /** On the device's thread, with a permit: an errand, else a golden check that is due, else one batch, or nothing. */
    private void work(Permits.Permit permit, @Nullable Resident wanted) {
        Errand<?> errand = errands.poll();
        if (errand != null) {
            wakeOthers(); // the wake-up may have been a request's
            run(errand, permit);
            return;
        }
        Watch.Check check = watch.next();
        if (check != null) {
            wakeOthers(); // the wake-up may have been a request's
            watch.run(check, permit);
            return;
        }
        if (!pulls()) {
            permit.close();
            wakeOthers(); // whoever woke this device counts on it
            if (!errands.isEmpty()) {
                goOn();
            }
            return;
        }
        long arrivals = arrivals();
        long again = Pull.NEVER;
        for (Resident resident : inTurn()) {
            if (!resident.tryEnter()) {
                if (resident == wanted) {
                    resident.queue.wake(); // the room went to another slot; another device may have some
                }
                continue; // whoever leaves wakes this device again
            }
            Pull pull = resident.queue.pull(resident.queue.freeSlots() + 1);
            if (!pull.late().isEmpty()) {
                settler.execute(() -> pull.late().forEach(DeviceExecutor::expire));
            }
            if (!pull.expired().isEmpty()) {
                settler.execute(() -> pull.expired().forEach(ticket -> ticket.fail(resident.queue.refusal(ticket))));
            }
            if (!pull.batch().isEmpty()) {
                wakeOthers();
                execute(resident, pull.batch(), permit);
                return;
            }
            resident.leave();
            again = Math.min(again, pull.againNanos());
        }
        permit.close();
        if (again != Pull.NEVER) {
            wakeAt(again);
        }
        if (arrivals() != arrivals || watch.isDue() || !errands.isEmpty()) {
            wake(); // who came between the pull and the permit's return found no free slot to wake
        }
    }

    /** The most urgent model first; among equally urgent ones, who has had least of the device for its weight. */
    private List<Resident> inTurn() {
        List<Resident> all = residents;
        if (all.size() < 2) {
            return all;
        }
        Map<Resident, Integer> urgency = new HashMap<>();
        for (Resident resident : all) {
            urgency.put(resident, resident.queue.urgency());
        }
        long least = all.stream()
                .filter(resident -> !resident.queue.isEmpty())
                .mapToLong(Resident::weightedNanos)
                .min()
                .orElse(0);
        all.stream().filter(resident -> resident.queue.isEmpty()).forEach(resident -> resident.catchUp(least));
        return all.stream()
                .sorted(Comparator.<Resident>comparingInt(urgency::get).thenComparingLong(Resident::weightedNanos))
                .toList();
    }

    private void execute(Resident resident, List<Ticket> batch, Permits.Permit permit) {
        StageClock clock = new StageClock(ticker);
        Launch launch = launch(resident, batch, Launch.inputOf(batch, clock), permit);
        if (!isInService()) {
            giveBack(launch); // out of service since the pull
            return;
        }
        long expected = resident.queue.times().expectedNanos(id, launch.elements);
        launch.executing = resident.queue.began(expected);
        listener.onExecutionStarted(launch.execution);
        Runnable over = () -> over(launch);
        Runnable gaveOutputs =
                () -> listener.onExecuted(launch.execution, clock.since(launch.execution.startedNanos()));
        Runnable late = () -> executor.execute(() -> launch.callEngine(gaveOutputs, over));
        guard.run(() -> launch.begin(late)).whenComplete((outputs, failure) -> {
            if (unwrap(failure) instanceof ExecutionGuard.Rejected) {
                over.run();
            }
            settler.execute(() -> answer(launch, outputs, failure));
        });
        if (launch.hasBegunInTime()) {
            launch.callEngine(gaveOutputs, over);
        }
    }

    /** Enters an execution among those that run, with an alarm for its return. */
    Launch launch(Resident resident, List<Ticket> batch, EngineBatch input, Permits.Permit permit) {
        int rows = batch.stream().mapToInt(ticket -> ticket.shape().rows()).sum();
        Execution execution = new Execution(id, resident.queue.model(), batch, rows, ticker.nanoTime());
        Launch launch = new Launch(resident, batch, input, execution, permit);
        running.add(launch);
        watch.expectReturn(launch);
        return launch;
    }

    /** The native call has returned and the guard was told, or it rejected; on the device's thread, or whichever the engine completes on. */
    private void over(Launch launch) {
        long nanos = finish(launch);
        Throwable failure = launch.nativeFailure();
        boolean ended = unwrap(failure) instanceof CancellationException;
        if (launch.begun()) {
            statistics.executions.increment();
            statistics.requests.add(launch.execution.requests());
            statistics.rows.add(launch.execution.rows());
            launch.resident.charge(nanos);
            if (failure == null) {
                launch.resident.queue.times().record(id, launch.elements, nanos);
            } else if (!ended) {
                statistics.failures.increment();
            }
        }
        listener.onExecutionFinished(launch.execution, nanos, ended ? null : failure);
        if (failure != null && DeviceFaults.isSticky(failure)) {
            distrust("engine-error");
        }
        launch.resident.leave();
        launch.givePermitBack();
        goOn();
    }

    private void giveBack(Launch launch) {
        finish(launch);
        launch.resident.leave();
        launch.givePermitBack();
        launch.resident.queue.putBack(launch.takeAll());
    }

    /** The execution has truly returned; how long it took. */
    long finish(Launch launch) {
        long nanos = ticker.nanoTime() - launch.execution.startedNanos();
        statistics.busyNanos.add(nanos);
        running.remove(launch);
        Timer.Alarm alarm = launch.hangAlarm;
        if (alarm != null) {
            alarm.cancel();
        }
        noLongerExpected(launch);
        return nanos;
    }

    private static void noLongerExpected(Launch launch) {
        ModelQueue.Executing executing = launch.executing;
        if (executing != null) {
            launch.resident.queue.returned(executing);
        }
    }

    /** Pulls soon if a slot is free; a golden check goes before anything else. */
    void goOn() {
        var unused = wake();
    }

    /** An execution has not returned in time. */
    void hangs(Launch launch) {
        quarantine("hang");
        retryElsewhere(launch);
    }

    /** Whether nothing runs, golden checks included. */
    boolean isIdle() {
        return running.isEmpty();
    }

    List<Resident> residents() {
        return residents;
    }

    private void wakeWhenGuardOpens() {
        long closedFor = guard.closedForNanos();
        if (closedFor > 0 && isInService()) {
            wakeAt(ticker.nanoTime() + closedFor);
        }
    }

    /** Answers a batch's callers; on the settler. */
    private void answer(Launch launch, @Nullable List<List<Tensor>> outputs, @Nullable Throwable failure) {
        if (outputs != null) {
            for (int i = 0; i < launch.batch.size(); i++) {
                if (launch.take(launch.batch.get(i))) {
                    succeed(launch.batch.get(i), outputs.get(i));
                }
            }
            return;
        }
        Throwable cause = unwrap(failure);
        if (cause != null && DeviceFaults.isSticky(cause)) {
            distrust("engine-error"); // before the retry, which would find this device again
            retryElsewhere(launch);
        }
        List<Ticket> tickets = launch.takeAll();
        ModelQueue queue = launch.resident.queue;
        if (tickets.isEmpty()) {
            return;
        }
        if (cause instanceof ExecutionGuard.Rejected) {
            queue.putBack(tickets);
        } else if (cause instanceof ExecutionGuard.LimitExceeded) {
            fail(tickets, new DeadlineExceeded("the execution exceeded its limit"));
        } else if (cause instanceof CancellationException) {
            fail(tickets, new DeadlineExceeded("the execution was ended")); // nobody waits any more
        } else if (cause != null && DeviceFaults.isSticky(cause)) {
            fail(tickets, Watch.failureOf(cause));
        } else if (cause instanceof RowsLostException lost) {
            if (queue.stopSharing("an execution of several requests lost their rows: " + lost.reason())) {
                listener.onSharingStopped(queue.model(), lost.reason());
            }
            tickets.forEach(ticket -> queue.putBack(List.of(ticket)));
        } else if (launch.batch.size() > 1) {
            int half = tickets.size() / 2; // whoever breaks the batch is left alone in the end
            queue.putBack(tickets.subList(0, half));
            queue.putBack(tickets.subList(half, tickets.size()));
        } else {
            watch.accuse(launch, tickets.get(0), cause);
        }
    }

    /** Queues the tickets of an untrusted execution again, each once in its life; what comes of it is not believed. */
    private void retryElsewhere(Launch launch) {
        List<Ticket> retried = new ArrayList<>();
        if (launch.resident.queue.slots() > 0) {
            for (Ticket ticket : launch.batch) {
                if (!ticket.isSettled() && launch.holds(ticket) && ticket.tryRetry() && launch.take(ticket)) {
                    retried.add(ticket);
                }
            }
        }
        launch.resident.queue.putBack(retried);
    }

    /** A quarantined device has proved well: it goes on with what it did before. */
    void readmit() {
        synchronized (this) {
            if (state != DeviceState.QUARANTINED) {
                return;
            }
            changeState(draining ? DeviceState.DRAINING : DeviceState.READY, "recovered");
        }
        wakeAll();
    }

    private void wakeAt(long atNanos) {
        long earlier = nextWakeNanos.get();
        if (earlier <= atNanos && earlier > ticker.nanoTime()) {
            return;
        }
        nextWakeNanos.set(atNanos);
        timer.schedule(atNanos - ticker.nanoTime(), () -> {
            nextWakeNanos.compareAndSet(atNanos, Pull.NEVER);
            wake();
            wakeOthers(); // what has waited for its time need not wait for this device
        });
    }

    private void succeed(Ticket ticket, List<Tensor> outputs) {
        Map<String, Tensor> byName = new HashMap<>();
        outputs.forEach(output -> byName.put(output.name(), output));
        List<Tensor> wanted = new ArrayList<>(ticket.request().outputs().size());
        for (String name : ticket.request().outputs()) {
            wanted.add(byName.get(name));
        }
        ticket.succeed(new InferenceResult(ticket.request().model(), wanted));
    }

    private static void fail(List<Ticket> tickets, ServingException failure) {
        for (Ticket ticket : tickets) {
            if (ticket.state() == Ticket.State.RUNNING) {
                ticket.fail(failure);
            }
        }
    }

    private static void expire(Ticket ticket) {
        ticket.fail(new DeadlineExceeded("the request waited too long to be answered in time"));
    }

    private static @Nullable Throwable unwrap(@Nullable Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }
}
