package io.atelier.device;

import io.atelier.core.DeviceId;
import io.atelier.core.DeviceState;
import io.atelier.core.InferenceResult;
import io.atelier.core.ModelId;
import io.atelier.core.ServingException;
import io.atelier.core.ServingException.DeadlineExceeded;
import io.atelier.core.ServingException.EngineFailure;
import io.atelier.core.ServingListener;
import io.atelier.core.ServingListener.Execution;
import io.atelier.core.Tensor;
import io.atelier.core.Ticker;
import io.atelier.core.Ticket;
import io.atelier.core.Timer;
import io.atelier.engine.EngineBatch;
import io.atelier.engine.ModelInstance;
import io.atelier.scheduling.ModelQueue;
import io.atelier.scheduling.Pull;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A device and the executor that alone runs work on it.
 *
 * <p>With a free permit it takes a thread, pulls a batch from one of its models' queues, runs it under the device's
 * guard, and begins anew; with nothing to do it gives the permit back and is woken by the next offer. The permit is held
 * until the native call has returned and the guard has seen it, so the guard's own waiting line stays empty.
 *
 * <p>Tickets are settled by the settler, never on the device's thread.
 *
 * <p>States: STARTING → READY → DRAINING → CLOSED. Thread-safe: state and residents are published by volatile writes
 * under the object's lock; permits are atomic; what runs is in a concurrent set.
 */
public final class DeviceExecutor implements ModelQueue.Puller {
    private final DeviceId id;
    private final Permits permits;
    private final ExecutorService executor;
    private final ExecutionGuard guard;
    private final Executor settler;
    private final Timer timer;
    private final Ticker ticker;
    private final ServingListener listener;

    private final Set<Launch> running = ConcurrentHashMap.newKeySet();
    private final Statistics statistics = new Statistics();
    private final AtomicLong nextWakeNanos = new AtomicLong(Pull.NEVER);
    private volatile List<Resident> residents = List.of();
    private volatile DeviceState state = DeviceState.STARTING;
    private volatile String reason = "loading";

    /** A model on this device. */
    private record Resident(ModelQueue queue, ModelInstance instance) {}

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
     * @param executor the device's own; shut down by {@link #close}
     * @param settler  runs what hangs on settled tickets
     */
    public DeviceExecutor(
            DeviceId id,
            int slots,
            ExecutorService executor,
            ExecutionGuard guard,
            Executor settler,
            Timer timer,
            Ticker ticker,
            ServingListener listener) {
        this.id = id;
        this.permits = new Permits(slots);
        this.executor = executor;
        this.guard = guard;
        this.settler = settler;
        this.timer = timer;
        this.ticker = ticker;
        this.listener = listener;
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

    public Statistics statistics() {
        return statistics;
    }

    /** What runs now. */
    public List<Run> running() {
        return running.stream().map(launch -> launch.run).toList();
    }

    /** The models on this device. */
    public List<ModelId> models() {
        return residents.stream().map(resident -> resident.queue().model()).toList();
    }

    @Override
    public int slots() {
        return pulls() ? permits.limit() : 0;
    }

    /** Executions that may run at once, whatever the state. */
    public int limit() {
        return permits.limit();
    }

    @Override
    public int freeSlots() {
        return pulls() ? permits.free() : 0;
    }

    /** Runs something that touches the device, such as loading a model, on one of its threads. */
    public <T> CompletableFuture<T> submit(Callable<T> task) {
        CompletableFuture<T> result = new CompletableFuture<>();
        executor.execute(() -> {
            try {
                result.complete(task.call());
            } catch (Exception | Error failure) {
                result.completeExceptionally(failure);
            }
        });
        return result;
    }

    /** Makes a loaded model resident: from now on the device pulls from its queue, and owns the instance. */
    public synchronized void hold(ModelQueue queue, ModelInstance instance) {
        List<Resident> more = new ArrayList<>(residents);
        more.add(new Resident(queue, instance));
        residents = List.copyOf(more);
        queue.attach(this);
    }

    /** Begins to pull. */
    public void open() {
        changeState(DeviceState.READY, "ready");
        for (int slot = 0; slot < permits.limit() && hasWork(); slot++) {
            wake();
        }
    }

    /** Goes on with what is queued; takes no more models. */
    public void drain() {
        changeState(DeviceState.DRAINING, "draining");
    }

    /**
     * Ends the device's threads and frees its models. Models are freed only when nothing runs any more, since freeing
     * one under a run would crash the process.
     *
     * @return completes with false when something was still running after {@code patience}
     */
    public boolean close(Duration patience) throws InterruptedException {
        changeState(DeviceState.CLOSED, "closed");
        executor.shutdown();
        boolean ended = executor.awaitTermination(patience.toNanos(), TimeUnit.NANOSECONDS);
        if (ended && running.isEmpty()) {
            for (Resident resident : residents) {
                resident.queue().detach(this);
                resident.instance().close();
            }
            residents = List.of();
            return true;
        }
        return false;
    }

    @Override
    public boolean wake() {
        if (!pulls()) {
            return false;
        }
        Optional<Permits.Permit> permit = permits.tryAcquire();
        if (permit.isEmpty()) {
            return false;
        }
        try {
            executor.execute(() -> work(permit.get()));
            return true;
        } catch (RejectedExecutionException closed) {
            permit.get().close();
            return false;
        }
    }

    private boolean pulls() {
        return (state == DeviceState.READY || state == DeviceState.DRAINING) && guard.closedForNanos() == 0;
    }

    private synchronized void changeState(DeviceState next, String why) {
        if (state == DeviceState.CLOSED || state == next) {
            return;
        }
        state = next;
        reason = why;
        listener.onDeviceState(id, next, why);
    }

    private boolean hasWork() {
        return residents.stream().anyMatch(resident -> !resident.queue().isEmpty());
    }

    private long arrivals() {
        long arrivals = 0;
        for (Resident resident : residents) {
            arrivals += resident.queue().arrivals();
        }
        return arrivals;
    }

    /** On the device's thread, with a permit: one batch, or none. */
    private void work(Permits.Permit permit) {
        long arrivals = arrivals();
        long again = Pull.NEVER;
        for (Resident resident : oldestFirst()) {
            Pull pull = resident.queue().pull(resident.queue().freeSlots() + 1);
            if (!pull.late().isEmpty()) {
                settler.execute(() -> pull.late().forEach(DeviceExecutor::expire));
            }
            if (!pull.batch().isEmpty()) {
                execute(resident, pull.batch(), permit);
                return;
            }
            again = Math.min(again, pull.againNanos());
        }
        permit.close();
        if (again != Pull.NEVER) {
            wakeAt(again);
        }
        if (arrivals() != arrivals) {
            wake(); // who came between the pull and the permit's return found no free slot to wake
        }
    }

    private List<Resident> oldestFirst() {
        List<Resident> all = residents;
        if (all.size() < 2) {
            return all;
        }
        record Aged(Resident resident, long arrived) {}
        return all.stream()
                .map(resident -> new Aged(resident, resident.queue().oldestArrivalNanos()))
                .sorted(Comparator.comparingLong(Aged::arrived))
                .map(Aged::resident)
                .toList();
    }

    private void execute(Resident resident, List<Ticket> batch, Permits.Permit permit) {
        Launch launch = new Launch(resident, batch, permit);
        running.add(launch);
        listener.onExecutionStarted(launch.execution);
        guard.run(launch::begin)
                .whenComplete((outputs, failure) -> settler.execute(() -> launch.settle(outputs, failure)));
        launch.guardReturned();
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
        });
    }

    private static void expire(Ticket ticket) {
        ticket.fail(new DeadlineExceeded("the deadline passed while the request was queued"));
    }

    /** One batch on its way through the guard. The permit goes back when guard and native call have both returned. */
    private final class Launch {
        final Run run;
        final Execution execution;
        private final Resident resident;
        private final List<Ticket> batch;
        private final Permits.Permit permit;
        private final long elements;
        private final AtomicInteger toReturn = new AtomicInteger(2);
        private volatile boolean begun;
        private volatile @Nullable Throwable nativeFailure;

        Launch(Resident resident, List<Ticket> batch, Permits.Permit permit) {
            this.resident = resident;
            this.batch = batch;
            this.permit = permit;
            int rows = batch.stream().mapToInt(ticket -> ticket.shape().rows()).sum();
            this.elements = batch.stream()
                    .mapToLong(ticket -> ticket.shape().elements())
                    .sum();
            ModelId model = resident.queue().model();
            this.run = new Run(model, batch.size(), rows, ticker.nanoTime());
            this.execution = new Execution(id, model, batch.size(), rows, run.startedNanos());
        }

        /** Called by the guard, on the device's thread. */
        CompletableFuture<List<List<Tensor>>> begin() {
            begun = true;
            CompletableFuture<List<List<Tensor>>> seenByGuard = new CompletableFuture<>();
            CompletableFuture<List<List<Tensor>>> nativeCall;
            try {
                nativeCall = resident.instance().run(engineBatch()).toCompletableFuture();
            } catch (RuntimeException | Error failure) {
                nativeCall = CompletableFuture.failedFuture(failure);
            }
            var unused = nativeCall.whenComplete((outputs, failure) -> {
                nativeFailure = failure;
                if (failure == null) {
                    seenByGuard.complete(outputs);
                } else {
                    seenByGuard.completeExceptionally(failure);
                }
                oneReturned();
            });
            return seenByGuard;
        }

        void guardReturned() {
            if (!begun) {
                oneReturned();
            }
            oneReturned();
        }

        private void oneReturned() {
            if (toReturn.decrementAndGet() > 0) {
                return;
            }
            long nanos = ticker.nanoTime() - run.startedNanos();
            running.remove(this);
            if (begun) {
                statistics.executions.increment();
                statistics.requests.add(run.requests());
                statistics.rows.add(run.rows());
                statistics.busyNanos.add(nanos);
                if (nativeFailure == null) {
                    resident.queue().times().record(id, elements, nanos);
                } else {
                    statistics.failures.increment();
                }
            }
            listener.onExecutionFinished(execution, nanos, nativeFailure);
            permit.close();
            long closedFor = guard.closedForNanos();
            if (closedFor > 0) {
                wakeAt(ticker.nanoTime() + closedFor);
            } else {
                wake();
            }
        }

        private EngineBatch engineBatch() {
            Set<String> wanted = new LinkedHashSet<>();
            batch.forEach(ticket -> wanted.addAll(ticket.request().outputs()));
            CompletableFuture<?>[] settled = batch.stream()
                    .map(ticket ->
                            ticket.settled().exceptionally(failure -> null).toCompletableFuture())
                    .toArray(CompletableFuture<?>[]::new);
            return new EngineBatch(
                    batch.stream().map(ticket -> ticket.request().inputs()).toList(),
                    List.copyOf(wanted),
                    CompletableFuture.allOf(settled));
        }

        /** On the settler. */
        void settle(@Nullable List<List<Tensor>> outputs, @Nullable Throwable failure) {
            if (outputs != null) {
                for (int i = 0; i < batch.size(); i++) {
                    succeed(batch.get(i), outputs.get(i));
                }
                return;
            }
            Throwable cause =
                    failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
            if (cause instanceof ExecutionGuard.Rejected) {
                resident.queue().putBack(batch);
            } else if (cause instanceof ExecutionGuard.LimitExceeded) {
                fail(new DeadlineExceeded("the execution exceeded its limit"));
            } else if (batch.size() > 1) {
                int half = batch.size() / 2; // whoever breaks the batch is left alone in the end
                resident.queue().putBack(batch.subList(0, half));
                resident.queue().putBack(batch.subList(half, batch.size()));
            } else {
                fail(
                        cause instanceof ServingException known
                                ? known
                                : new EngineFailure("the execution failed", cause));
            }
        }

        private void succeed(Ticket ticket, List<Tensor> outputs) {
            var byName = outputs.stream().collect(Collectors.toMap(Tensor::name, tensor -> tensor));
            List<Tensor> wanted = new ArrayList<>(ticket.request().outputs().size());
            for (String name : ticket.request().outputs()) {
                wanted.add(byName.get(name));
            }
            ticket.succeed(new InferenceResult(run.model(), wanted));
        }

        private void fail(ServingException failure) {
            batch.forEach(ticket -> ticket.fail(failure));
        }
    }
}
