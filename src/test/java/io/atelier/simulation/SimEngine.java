package io.atelier.simulation;

import io.atelier.core.DataType;
import io.atelier.core.DeviceId;
import io.atelier.core.ModelSignature;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.engine.EngineBatch;
import io.atelier.engine.GoldenSample;
import io.atelier.simulation.SimCall.Outcome;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Native code under a virtual clock: adds one to the first number, and says which call did it. Devices hang, slow down,
 * crash and lie when they are told to.
 */
final class SimEngine {
    static final ModelSignature SIGNATURE = new ModelSignature(
            List.of(new TensorSpec("x", DataType.FP32, Shape.of(-1, -1))),
            List.of(
                    new TensorSpec("y", DataType.FP32, Shape.of(-1)),
                    new TensorSpec("call", DataType.INT32, Shape.of(-1))));
    static final List<String> OUTPUTS = List.of("y", "call");
    private static final float GOLDEN = -1;

    /** What is wrong with a device. */
    enum Fault {
        NONE,
        HANGING,
        SLOW,
        CRASHING,
        STICKY,
        LYING
    }

    /** What the tests plant to see an invariant fire. */
    enum Plant {
        NONE,
        /** The call is reported over before it has returned. */
        RETURNS_EARLY,
        /** Nobody can tell a wrong answer. */
        BLIND_GOLDEN
    }

    private final SimWorld world;
    private final SplittableRandom random;
    private final Invariants invariants;
    private final List<SimRequest> requests;
    private final Plant plant;
    private final long rowNanos;
    private final Map<DeviceId, Fault> faults = new HashMap<>();
    private final List<SimCall> stuck = new ArrayList<>();
    private int calls;

    SimEngine(SimWorld world, SplittableRandom random, Invariants invariants, List<SimRequest> requests, Plant plant) {
        this.world = world;
        this.random = random;
        this.invariants = invariants;
        this.requests = requests;
        this.plant = plant;
        this.rowNanos = 200_000 + random.nextLong(2_000_000);
    }

    /** One row whose number is the request's. */
    static Tensor input(int number, int rows, int length) {
        ByteBuffer data = ByteBuffer.allocate(rows * length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        data.putFloat(0, number);
        return new Tensor("x", DataType.FP32, Shape.of(rows, length), data);
    }

    GoldenSample golden() {
        Tensor question = input((int) GOLDEN, 1, 1);
        return plant == Plant.BLIND_GOLDEN
                ? new GoldenSample(List.of(question), List.of(), 0)
                : new GoldenSample(List.of(question), List.of(answer(GOLDEN + 1)), 0);
    }

    void become(DeviceId device, Fault fault) {
        faults.put(device, fault);
    }

    /** Every device is well from now on, and what is stuck returns. */
    void heal() {
        faults.clear();
        List<SimCall> all = List.copyOf(stuck);
        stuck.clear();
        all.forEach(this::goesOn);
    }

    CompletionStage<List<List<Tensor>>> run(SimInstance instance, EngineBatch batch) {
        List<SimRequest> asked = new ArrayList<>();
        boolean golden = false;
        boolean poison = false;
        int rows = 0;
        for (List<Tensor> request : batch.requests()) {
            float number = request.get(0).data().getFloat(0);
            rows += (int) request.get(0).shape().dimension(0);
            if (number == GOLDEN) {
                golden = true;
            } else {
                asked.add(requests.get((int) number));
                poison |= requests.get((int) number).poison;
            }
        }
        Fault fault = faults.getOrDefault(instance.device(), Fault.NONE);
        SimCall call = new SimCall(calls++, instance, asked, golden, world.now(), outcome(fault, poison));
        invariants.began(call, rows);
        CompletableFuture<List<List<Tensor>>> stage = new CompletableFuture<>();
        var unusedDone = call.done.whenComplete((done, unused) -> {
            invariants.returned(call);
            if (!stage.isDone()) {
                complete(call, batch, stage);
            }
        });
        long nanos = (long) (rowNanos * (1 + 0.3 * rows) * (0.8 + 0.4 * random.nextDouble()));
        if (fault == Fault.NONE && random.nextInt(16) == 0) {
            call.done.complete(null); // as quick as no time at all, on the caller's thread
            return stage;
        }
        SimExecutor thread = world.current();
        if (thread != null) {
            thread.block();
            call.thread = thread;
        }
        if (plant == Plant.RETURNS_EARLY && !golden && random.nextInt(4) == 0) {
            world.at(world.now() + 100_000, () -> {
                complete(call, batch, stage);
                free(call);
            });
        }
        call.stuck = fault == Fault.HANGING;
        if (call.stuck && random.nextInt(3) == 0) {
            stuck.add(call);
        } else {
            long factor = call.stuck ? 10 + random.nextInt(60) : fault == Fault.SLOW ? 10 : 1;
            world.at(world.now() + nanos * factor, () -> goesOn(call));
        }
        if (!call.stuck && random.nextInt(2) == 0) {
            var unused = batch.abandoned()
                    .thenRun(() -> world.at(world.now() + 50_000, () -> {
                        if (!call.returned) {
                            call.outcome = Outcome.ENDED;
                            goesOn(call);
                        }
                    }));
        }
        return stage;
    }

    void close(SimInstance instance) {
        invariants.closed(instance);
        instance.closed = true;
    }

    /** The call returns, on its own thread. */
    private void goesOn(SimCall call) {
        if (call.returned) {
            return;
        }
        call.done.complete(null);
        free(call);
    }

    private static void free(SimCall call) {
        SimExecutor thread = call.thread;
        if (thread != null) {
            thread.unblock();
            call.thread = null;
        }
    }

    private Outcome outcome(Fault fault, boolean poison) {
        return switch (fault) {
            case CRASHING -> Outcome.CRASH;
            case STICKY -> Outcome.STICKY;
            case LYING -> poison ? Outcome.POISONED : Outcome.WRONG;
            case NONE, HANGING, SLOW -> poison ? Outcome.POISONED : Outcome.RIGHT;
        };
    }

    private static void complete(SimCall call, EngineBatch batch, CompletableFuture<List<List<Tensor>>> stage) {
        switch (call.outcome) {
            case RIGHT, WRONG -> {
                List<List<Tensor>> answers = new ArrayList<>();
                for (List<Tensor> request : batch.requests()) {
                    float number = request.get(0).data().getFloat(0);
                    answers.add(List.of(answer(number + (call.outcome == Outcome.RIGHT ? 1 : 2)), mark(call.number)));
                }
                stage.complete(answers);
            }
            case CRASH -> stage.completeExceptionally(new IllegalStateException("the engine failed"));
            case STICKY ->
                stage.completeExceptionally(
                        new IllegalStateException("CUDA error 700: an illegal memory access was encountered"));
            case POISONED -> stage.completeExceptionally(new IllegalArgumentException("a row cannot be computed"));
            case ENDED -> stage.completeExceptionally(new CancellationException("ended"));
        }
    }

    private static Tensor answer(float value) {
        ByteBuffer data = ByteBuffer.allocate(Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        return new Tensor("y", DataType.FP32, Shape.of(1), data.putFloat(0, value));
    }

    private static Tensor mark(int call) {
        ByteBuffer data = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        return new Tensor("call", DataType.INT32, Shape.of(1), data.putInt(0, call));
    }
}
