package io.atelier.simulation;

import io.atelier.core.Deadline;
import io.atelier.core.DeviceId;
import io.atelier.core.InferenceRequest;
import io.atelier.core.InferenceResult;
import io.atelier.core.ModelId;
import io.atelier.core.Padding;
import io.atelier.core.QueueTimeout;
import io.atelier.core.Sharing;
import io.atelier.core.Ticker;
import io.atelier.core.Ticket;
import io.atelier.core.Timer;
import io.atelier.device.DeviceExecutor;
import io.atelier.device.WatchPolicy;
import io.atelier.scheduling.BatchPolicy;
import io.atelier.scheduling.BatchRule;
import io.atelier.scheduling.ExecutionTimes;
import io.atelier.scheduling.ModelQueue;
import io.atelier.serving.Admission;
import io.atelier.serving.ModelDirectory;
import io.atelier.serving.QueuedInferenceService;
import io.atelier.serving.ServedModel;
import io.atelier.simulation.SimEngine.Fault;
import io.atelier.simulation.SimWorld.Threads;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;

/**
 * One schedule: a service, its load and its faults, all drawn from a seed.
 *
 * <p>Requests come within {@link #LOAD}; at {@link #HEALED} every device is well and every hung call returns; at {@link
 * #END} all must be answered and every device be back; then the
 * service leaves.
 */
final class Simulation {
    private static final Duration LOAD = Duration.ofMillis(150);
    private static final Duration HEALED = Duration.ofMillis(310);
    private static final Duration END = Duration.ofMillis(500);
    private static final List<Fault> FAULTS =
            List.of(Fault.HANGING, Fault.SLOW, Fault.CRASHING, Fault.STICKY, Fault.LYING);
    private static final List<ModelId> MODELS = List.of(new ModelId("a", "1"), new ModelId("b", "1"));

    /** Wrong components, to see that the invariants can fail. */
    enum Sabotage {
        NONE,
        /** Native calls are reported over before they return. */
        PERMITS_COME_BACK_EARLY,
        /** Golden answers are not compared. */
        BLIND_GOLDEN,
        /** A device's bulkhead is smaller than its permits. */
        NARROW_GUARD,
        /** Queues read a clock that is slow, and deadlines' alarms come late. */
        SLOW_QUEUE_CLOCK,
        /** Queues read a clock that goes to and fro. */
        UNSTEADY_QUEUE_CLOCK,
        /** A device's executor forgets some tasks. */
        LOST_HAND_OVERS,
        /** Alarms come late. */
        LATE_ALARMS,
        /** A model is freed while it serves. */
        FREED_UNDER_LOAD
    }

    private final long seed;
    private final SplittableRandom random;
    private final Sabotage sabotage;
    private final List<SimRequest> requests = new ArrayList<>();
    private final Invariants invariants;
    private final SimWorld world;
    private final SimEngine engine;
    private final SimExecutor settler;
    private final long start;
    private final Admission admission = new Admission();
    private final ModelDirectory directory = new ModelDirectory();
    private final Map<DeviceExecutor, Integer> devices = new LinkedHashMap<>();
    private final List<CompletableFuture<?>> drains = new ArrayList<>();
    private final List<SimInstance> instances = new ArrayList<>();
    private final boolean queueTimeouts;
    private final QueuedInferenceService service;

    Simulation(long seed, Sabotage sabotage, boolean logging) {
        this(seed, sabotage, logging, false);
    }

    private Simulation(long seed, Sabotage sabotage, boolean logging, boolean queueTimeouts) {
        this.queueTimeouts = queueTimeouts;
        this.seed = seed;
        this.random = new SplittableRandom(seed);
        this.sabotage = sabotage;
        this.invariants = new Invariants(requests, logging);
        this.world = new SimWorld(random.split(), new Threads(oneIn(2), oneIn(2)), invariants);
        this.start = world.now();
        this.engine = new SimEngine(
                world,
                random.split(),
                invariants,
                requests,
                switch (sabotage) {
                    case PERMITS_COME_BACK_EARLY -> SimEngine.Plant.RETURNS_EARLY;
                    case BLIND_GOLDEN -> SimEngine.Plant.BLIND_GOLDEN;
                    default -> SimEngine.Plant.NONE;
                });
        this.settler = world.executor(1);
        WatchPolicy watch = new WatchPolicy(
                4,
                Duration.ofMillis(20),
                Duration.ofMillis(60),
                Duration.ofMillis(oneIn(3) ? 0 : 25),
                Duration.ofMillis(15));
        invariants.watch(world, watch.hangCeiling().toNanos());
        int count = 1 + random.nextInt(3);
        boolean breaker = oneIn(3);
        for (int i = 0; i < count; i++) {
            device(DeviceId.gpu(i), 1 + random.nextInt(3), watch, breaker);
        }
        this.service = new QueuedInferenceService(
                directory,
                List.copyOf(devices.keySet()),
                admission,
                true,
                Duration.ofSeconds(30),
                world.executor(2),
                timer(),
                world,
                invariants);
    }

    /** No request is cut into parts, which the invariants do not know. */
    private static final Sharing UNCUT = new Sharing(Sharing.Extent.SINGLE_ROWS, true, "");

    /** Runs the schedule of this seed; throws {@link Invariants.Broken} if a promise does not hold. */
    static void run(long seed, Sabotage sabotage) {
        new Simulation(seed, sabotage, false).run();
    }

    /** The same with models that let requests wait for a while only. */
    static void runWithQueueTimeouts(long seed) {
        new Simulation(seed, Sabotage.NONE, false, true).run();
    }

    /** The same, and tells the story. */
    static String tell(long seed, Sabotage sabotage) {
        Simulation simulation = new Simulation(seed, sabotage, true);
        try {
            simulation.run();
        } catch (Invariants.Broken broken) {
            return simulation.invariants.story();
        }
        return simulation.invariants.story();
    }

    private void run() {
        MODELS.forEach(model -> serve(model, policy()));
        devices.keySet().forEach(DeviceExecutor::open);
        admission.open();
        load();
        faults();
        boolean leaves = oneIn(4);
        if (leaves) {
            world.at(start + millis(50, 250), this::leave);
        }
        if (oneIn(3)) {
            long at = start + millis(10, 120);
            ModelId model = MODELS.get(random.nextInt(2));
            world.at(at, () -> reload(model));
        }
        if (sabotage == Sabotage.FREED_UNDER_LOAD) {
            world.at(start + millis(10, 120), () -> instances.get(0).close());
        }
        world.at(start + HEALED.toNanos(), engine::heal);
        world.run(start + END.toNanos());
        if (!leaves) {
            leave();
        }
        world.run(world.now() + millis(30, 31));
        invariants.atEnd(drains.stream().allMatch(CompletableFuture::isDone));
        invariants.atClose(devices.keySet().stream().allMatch(this::close));
    }

    private boolean close(DeviceExecutor device) {
        try {
            return device.close(Duration.ZERO);
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    private void device(DeviceId id, int slots, WatchPolicy watch, boolean breaker) {
        long limitNanos = millis(25, 70);
        SimGuard guard = new SimGuard(
                world,
                invariants,
                new SimGuard.Policy(
                        sabotage == Sabotage.NARROW_GUARD ? slots - 1 : slots,
                        limitNanos,
                        breaker ? 1 + random.nextInt(3) : 0,
                        millis(5, 30)));
        SimExecutor executor = world.executor(slots);
        if (sabotage == Sabotage.LOST_HAND_OVERS) {
            executor.forget();
        }
        DeviceExecutor device =
                new DeviceExecutor(id, slots, executor, executor, guard, watch, settler, timer(), world, invariants);
        devices.put(device, slots);
        invariants.watch(device, limitNanos);
    }

    private Timer timer() {
        return sabotage == Sabotage.LATE_ALARMS || sabotage == Sabotage.SLOW_QUEUE_CLOCK
                ? (delay, task) -> world.schedule(delay + 3_000_000, task)
                : world;
    }

    private BatchPolicy policy() {
        return new BatchPolicy(
                1 + random.nextInt(6),
                Duration.ofNanos(oneIn(4) ? millis(1, 4) : 0),
                4 + random.nextInt(27),
                5,
                Duration.ofMillis(5 + random.nextInt(46)),
                queueTimeouts ? Optional.of(queueTimeout()) : Optional.empty());
    }

    /** Refuses, since delaying breaks the promise of order on purpose. */
    private QueueTimeout queueTimeout() {
        return new QueueTimeout(Duration.ofNanos(millis(2, 30)), QueueTimeout.Action.REJECT, false);
    }

    /** Loads a model onto every device and puts it into the directory. */
    private void serve(ModelId model, BatchPolicy policy) {
        Ticker clock = switch (sabotage) {
            case SLOW_QUEUE_CLOCK -> () -> world.nanoTime() - 3_000_000;
            case UNSTEADY_QUEUE_CLOCK -> () -> world.nanoTime() + random.nextLong(3_000_000);
            default -> world;
        };
        ModelQueue queue = new ModelQueue(model, policy, UNCUT, new ExecutionTimes(), clock);
        invariants.watch(queue);
        devices.forEach((device, slots) -> {
            int limit = 1 + random.nextInt(slots);
            SimInstance instance = new SimInstance(engine, device.id(), queue, limit, world.now());
            instances.add(instance);
            invariants.watch(instance);
            device.hold(queue, instance, engine.golden(), limit, 1 + random.nextInt(3));
        });
        directory.ready(new ServedModel(
                model,
                "simulated",
                SimEngine.SIGNATURE,
                new BatchRule(SimEngine.SIGNATURE, Sharing.rows(""), Padding.NONE),
                queue,
                Duration.ofSeconds(1),
                null));
    }

    private void reload(ModelId model) {
        ServedModel old = directory.ready(model).orElseThrow();
        invariants.log("reloads %s", model);
        serve(model, old.queue().policy());
        drains.add(old.queue()
                .close()
                .thenCompose(drained -> CompletableFuture.allOf(devices.keySet().stream()
                        .map(device -> device.release(old.queue()))
                        .toArray(CompletableFuture<?>[]::new))));
    }

    private void leave() {
        invariants.log("leaves");
        admission.beginLeaving();
        devices.keySet().forEach(DeviceExecutor::drain);
        drains.add(admission.close());
    }

    private void load() {
        int count = 8 + random.nextInt(25);
        for (int i = 0; i < count; i++) {
            SimRequest request = new SimRequest(i, oneIn(16));
            requests.add(request);
            long at = random.nextLong(LOAD.toNanos());
            at = start + (oneIn(2) ? at - at % 5_000_000 : at);
            ModelId model = MODELS.get(random.nextInt(2));
            int priority = oneIn(3) ? random.nextInt(8) : 0;
            InferenceRequest question = new InferenceRequest(
                    String.valueOf(i),
                    model,
                    List.of(SimEngine.input(i, 1 + random.nextInt(3), 1 + random.nextInt(2))),
                    SimEngine.OUTPUTS,
                    priority);
            Duration timeout = Duration.ofNanos(millis(3, 150));
            world.at(at, () -> ask(request, question, timeout));
            if (oneIn(6)) {
                world.at(at + random.nextLong(30_000_000), () -> goAway(request));
            }
        }
    }

    private void ask(SimRequest request, InferenceRequest question, Duration timeout) {
        Deadline deadline = service.deadline(timeout);
        world.preemptAtNextReading();
        CompletableFuture<InferenceResult> answer = service.infer(question, deadline);
        world.quiet(false);
        request.answer = answer;
        if (request.ticket != null) {
            var unused = answer.whenComplete((result, failure) -> invariants.answered(request, result));
        }
    }

    private void goAway(SimRequest request) {
        CompletableFuture<InferenceResult> answer = request.answer;
        Ticket ticket = request.ticket;
        if (answer != null && ticket != null && !ticket.isSettled()) {
            invariants.log("%d goes away", request.number);
            request.gone = true;
            request.goneWhileQueued = ticket.state() == Ticket.State.QUEUED;
            var unused = answer.cancel(false);
        }
    }

    private void faults() {
        List<DeviceExecutor> all = List.copyOf(devices.keySet());
        int count = random.nextInt(5);
        for (int i = 0; i < count; i++) {
            DeviceId device = all.get(random.nextInt(all.size())).id();
            Fault fault = FAULTS.get(random.nextInt(FAULTS.size()));
            long at = start + random.nextLong(LOAD.toNanos());
            world.at(at, () -> {
                invariants.log("%s is %s", device, fault);
                engine.become(device, fault);
            });
            world.at(at + millis(5, 100), () -> engine.become(device, Fault.NONE));
        }
    }

    private boolean oneIn(int n) {
        return random.nextInt(n) == 0;
    }

    private long millis(int from, int to) {
        return 1_000_000L * from + random.nextLong(1_000_000L * (to - from));
    }

    @Override
    public String toString() {
        return "seed " + seed;
    }
}
