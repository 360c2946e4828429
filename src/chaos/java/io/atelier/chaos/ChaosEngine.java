package io.atelier.chaos;

import io.atelier.core.DataType;
import io.atelier.core.DeviceId;
import io.atelier.core.ModelSignature;
import io.atelier.core.Shape;
import io.atelier.core.Sharing;
import io.atelier.core.Task;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.engine.Engine;
import io.atelier.engine.EngineBatch;
import io.atelier.engine.ModelInstance;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.ModelSource;
import io.atelier.engine.TaskConfig;
import jakarta.inject.Singleton;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * An engine that adds one to every number: input {@code x} FP32 [batch, length], output {@code y} of the same shape.
 *
 * <p>An execution holds its thread for {@code base + rows * perRow} without using the CPU, as one on a GPU does. Each
 * device can be given a {@link Fault} for a while. Replaces the default engine by being a bean. Thread-safe.
 */
@Singleton
public final class ChaosEngine implements Engine {
    private static final ModelSignature SIGNATURE = new ModelSignature(
            List.of(new TensorSpec("x", DataType.FP32, Shape.of(-1, -1), List.of("batch", "length"))),
            List.of(new TensorSpec("y", DataType.FP32, Shape.of(-1, -1), List.of("batch", "length"))));

    /** Requests whose start is remembered; a power of two. */
    private static final int REMEMBERED = 1 << 20;

    /** What ails a device. */
    public enum Fault {
        NONE,
        /** Executions do not return before the fault ends; interrupts have no effect. */
        HANG,
        /** Executions fail, as from a kernel that cannot be run. */
        CRASH,
        /** Executions fail as on a GPU whose context is lost. */
        STICKY,
        /** Executions take longer by a factor. */
        SLOW,
        /** Executions return wrong numbers. */
        LIE
    }

    private record Ailment(Fault fault, long untilNanos, double factor) {
        static final Ailment NONE = new Ailment(Fault.NONE, Long.MAX_VALUE, 1);
    }

    private static final class Counts {
        final LongAdder executions = new LongAdder();
        final LongAdder rows = new LongAdder();
        final LongAdder lies = new LongAdder();
        final AtomicInteger inside = new AtomicInteger();
        final AtomicInteger mostInside = new AtomicInteger();
    }

    /** What a device has done. */
    public record Executions(long executions, long rows, long lies, int inside, int mostInside) {}

    private final Map<DeviceId, Ailment> ailments = new ConcurrentHashMap<>();
    private final Map<DeviceId, Counts> counts = new ConcurrentHashMap<>();
    private final AtomicLongArray startedMicros = new AtomicLongArray(REMEMBERED);
    private volatile long baseNanos;
    private volatile long perRowNanos;

    ChaosEngine(
            @ConfigProperty(name = "chaos.base", defaultValue = "4MS") Duration base,
            @ConfigProperty(name = "chaos.per-row", defaultValue = "PT0.0005S") Duration perRow) {
        takes(base, perRow);
    }

    /** From now on executions take so long. */
    public void takes(Duration base, Duration perRow) {
        baseNanos = base.toNanos();
        perRowNanos = perRow.toNanos();
    }

    /** Lets a device be ill for so long. */
    public void ail(DeviceId device, Fault fault, Duration time, double factor) {
        ailments.put(device, new Ailment(fault, System.nanoTime() + time.toNanos(), factor));
    }

    /** What each device has done, by its name. */
    public Map<String, Executions> executions() {
        Map<String, Executions> all = new ConcurrentHashMap<>();
        counts.forEach((device, count) -> all.put(
                device.toString(),
                new Executions(
                        count.executions.sum(),
                        count.rows.sum(),
                        count.lies.sum(),
                        count.inside.get(),
                        count.mostInside.get())));
        return all;
    }

    /** When the request with this number last began to execute, in microseconds since 1970; 0 if it did not. */
    public long startedMicros(long number) {
        return startedMicros.get((int) (number & (REMEMBERED - 1)));
    }

    /** Forgets when this request began. */
    public void forget(long number) {
        startedMicros.set((int) (number & (REMEMBERED - 1)), 0);
    }

    @Override
    public String description() {
        return "chaos";
    }

    @Override
    public int gpuCount() {
        return 0;
    }

    @Override
    public ModelInstance load(ModelSource source, DeviceId device) {
        return new Instance(device, counts.computeIfAbsent(device, id -> new Counts()));
    }

    @Override
    public Task loadTask(TaskConfig task, Path folder, ModelSignature signature) throws ModelLoadException {
        throw new ModelLoadException("the chaos engine has no tasks");
    }

    /** The model on one device. */
    private final class Instance implements ModelInstance {
        private final DeviceId device;
        private final Counts count;

        Instance(DeviceId device, Counts count) {
            this.device = device;
            this.count = count;
        }

        @Override
        public ModelSignature signature() {
            return SIGNATURE;
        }

        @Override
        public Sharing sharing() {
            return Sharing.rows("");
        }

        @Override
        public CompletionStage<List<List<Tensor>>> run(EngineBatch batch) {
            long started = micros();
            long rows = 0;
            for (List<Tensor> request : batch.requests()) {
                rows += request.get(0).shape().dimension(0);
                long number = (long) request.get(0).data().getFloat(0);
                startedMicros.set((int) (number & (REMEMBERED - 1)), started);
            }
            count.executions.increment();
            count.rows.add(rows);
            int inside = count.inside.incrementAndGet();
            count.mostInside.accumulateAndGet(inside, Math::max);
            try {
                return compute(batch, baseNanos + rows * perRowNanos);
            } finally {
                count.inside.decrementAndGet();
            }
        }

        private CompletionStage<List<List<Tensor>>> compute(EngineBatch batch, long nanos) {
            Ailment ailment = ailments.getOrDefault(device, Ailment.NONE);
            Fault fault = System.nanoTime() < ailment.untilNanos() ? ailment.fault() : Fault.NONE;
            switch (fault) {
                case HANG -> holdUntil(ailment.untilNanos());
                case SLOW -> hold((long) (nanos * ailment.factor()));
                case CRASH -> {
                    hold(nanos / 2);
                    return CompletableFuture.failedStage(new IllegalStateException("the kernel could not be run"));
                }
                case STICKY -> {
                    return CompletableFuture.failedStage(
                            new IllegalStateException("CUDA error 700: an illegal memory access was encountered"));
                }
                case NONE, LIE -> hold(nanos);
            }
            float add = fault == Fault.LIE ? 2 : 1;
            if (fault == Fault.LIE) {
                count.lies.add(batch.requests().size());
            }
            List<List<Tensor>> answers = new ArrayList<>(batch.requests().size());
            batch.requests().forEach(request -> answers.add(List.of(plus(request.get(0), add))));
            return CompletableFuture.completedStage(answers);
        }

        @Override
        public void close() {
            // nothing native
        }
    }

    private static void hold(long nanos) {
        holdUntil(System.nanoTime() + nanos);
    }

    private static void holdUntil(long atNanos) {
        boolean interrupted = false;
        for (long left = atNanos - System.nanoTime(); left > 0; left = atNanos - System.nanoTime()) {
            LockSupport.parkNanos(left);
            interrupted |= Thread.interrupted(); // else the next park would return at once
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static Tensor plus(Tensor x, float add) {
        ByteBuffer data = ByteBuffer.allocate(x.sizeBytes()).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer from = x.data();
        while (from.hasRemaining()) {
            data.putFloat(from.getFloat() + add);
        }
        return new Tensor("y", DataType.FP32, x.shape(), data.flip());
    }

    /** The wall clock, which a client on the same machine shares. */
    static long micros() {
        Instant now = Instant.now();
        return now.getEpochSecond() * 1_000_000 + now.getNano() / 1000;
    }
}
