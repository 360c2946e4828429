package io.atelier.testing;

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
import io.atelier.engine.RowsLostException;
import io.atelier.engine.TaskConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * An engine that adds one to every number: input {@code x} FP32 [batch, any], output {@code y} of the same shape.
 *
 * <p>A model file that is not empty holds what is added instead; one that holds no number cannot be loaded. An instance
 * that is closed under a run, or runs when it is closed, is remembered as {@link #misused()}.
 *
 * <p>A device can be made to hang ({@link #hang}) until it is let go, as native code does: interrupts have no effect.
 * Rows can be made to break their batch ({@link #breakOn}). It counts what runs at once.
 */
public final class FakeEngine implements Engine {
    public static final ModelSignature SIGNATURE = new ModelSignature(
            List.of(new TensorSpec("x", DataType.FP32, Shape.of(-1, -1), List.of("batch", "length"))),
            List.of(new TensorSpec("y", DataType.FP32, Shape.of(-1, -1), List.of("batch", "length"))));

    /** One execution. */
    public record Call(DeviceId device, int requests, String thread) {}

    private final int gpus;
    private final Map<DeviceId, CountDownLatch> hangs = new ConcurrentHashMap<>();
    private final Map<DeviceId, CompletableFuture<Void>> entered = new ConcurrentHashMap<>();
    private final Map<DeviceId, AtomicInteger> inside = new ConcurrentHashMap<>();
    private final Map<DeviceId, AtomicInteger> mostInside = new ConcurrentHashMap<>();
    private final Queue<Call> calls = new ConcurrentLinkedQueue<>();
    private final Set<Float> executed = ConcurrentHashMap.newKeySet();
    private final AtomicInteger closed = new AtomicInteger();
    private final AtomicInteger misused = new AtomicInteger();
    private final BlockingQueue<DeviceId> heldLoads = new LinkedBlockingQueue<>();
    private volatile CountDownLatch loading = new CountDownLatch(0);
    private volatile Predicate<String> held = model -> false;
    private volatile Predicate<Float> broken = value -> false;
    private volatile boolean losesRows;
    private volatile Pace pace = new Pace(time -> {}, Duration.ZERO, Duration.ZERO, Duration.ZERO);

    /** How far each execution moves a clock on. */
    private record Pace(Consumer<Duration> clock, Duration input, Duration infer, Duration output) {}

    public FakeEngine() {
        this(0);
    }

    public FakeEngine(int gpus) {
        this.gpus = gpus;
    }

    /** From now on executions on this device do not return until {@link #letGo}. */
    public void hang(DeviceId device) {
        entered.put(device, new CompletableFuture<>());
        hangs.put(device, new CountDownLatch(1));
    }

    /** Returns when an execution has begun to hang on this device. */
    public void awaitHanging(DeviceId device) throws InterruptedException, TimeoutException {
        try {
            hanging(device).get(20, TimeUnit.SECONDS);
        } catch (ExecutionException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** Completes when an execution has begun to hang on this device, which was told to. */
    public CompletableFuture<Void> hanging(DeviceId device) {
        return entered.getOrDefault(device, new CompletableFuture<>()).copy();
    }

    public void letGo(DeviceId device) {
        CountDownLatch latch = hangs.remove(device);
        if (latch != null) {
            latch.countDown();
        }
    }

    /** Batches with a row whose first number is so fail as a whole. */
    public void breakOn(Predicate<Float> firstNumber) {
        broken = firstNumber;
    }

    /** From now on executions of several requests give outputs that cannot be told apart. */
    public void loseRows() {
        losesRows = true;
    }

    /** From now on each execution moves a clock on: to gather its inputs, to run, to scatter its outputs. */
    public void takes(Consumer<Duration> clock, Duration input, Duration infer, Duration output) {
        pace = new Pace(clock, input, infer, output);
    }

    public List<Call> calls() {
        return List.copyOf(calls);
    }

    /** The first number of each row that was ever executed. */
    public Set<Float> executed() {
        return Set.copyOf(executed);
    }

    /** Most executions that ran at once on a device. */
    public int mostAtOnce(DeviceId device) {
        AtomicInteger most = mostInside.get(device);
        return most == null ? 0 : most.get();
    }

    /** From now on loading does not return until {@link #letLoad}. */
    public void holdLoads() {
        holdLoads(model -> true);
    }

    /** The same for these models alone. Loads that are held back already stay so. */
    public void holdLoads(Predicate<String> models) {
        if (loading.getCount() == 0) {
            loading = new CountDownLatch(1);
        }
        held = models;
    }

    /** From now on loads return, also those that were held back. */
    public void letLoad() {
        held = model -> false;
        loading.countDown();
    }

    /** Returns when one more load has begun that is held back: the device that it is for. */
    public DeviceId awaitHeldLoad() throws InterruptedException {
        DeviceId device = heldLoads.poll(20, TimeUnit.SECONDS);
        if (device == null) {
            throw new AssertionError("no load has begun");
        }
        return device;
    }

    /** Times that an instance was closed under a run, or was run when closed. */
    public int misused() {
        return misused.get();
    }

    /** Instances that were closed. */
    public int closed() {
        return closed.get();
    }

    @Override
    public String description() {
        return "fake";
    }

    @Override
    public int gpuCount() {
        return gpus;
    }

    @Override
    public ModelInstance load(ModelSource source, DeviceId device) throws ModelLoadException {
        if (held.test(source.model().name())) {
            heldLoads.add(device);
            awaitAsNativeCodeDoes(loading);
        }
        return new Instance(device, increment(source.file()));
    }

    private static float increment(Path file) throws ModelLoadException {
        try {
            String text = Files.isRegularFile(file) ? Files.readString(file).strip() : "";
            return text.isEmpty() ? 1 : Float.parseFloat(text);
        } catch (NumberFormatException | IOException broken) {
            throw new ModelLoadException("the model file is broken");
        }
    }

    @Override
    public Task loadTask(TaskConfig task, Path folder, ModelSignature signature) throws ModelLoadException {
        throw new ModelLoadException("the fake engine has no tasks");
    }

    /** A tensor of one row. */
    public static Tensor row(float... numbers) {
        ByteBuffer data =
                ByteBuffer.allocateDirect(numbers.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (float number : numbers) {
            data.putFloat(number);
        }
        return new Tensor("x", DataType.FP32, Shape.of(1, numbers.length), data.flip());
    }

    /** A model on one device. */
    private final class Instance implements ModelInstance {
        private final DeviceId device;
        private final float increment;
        private final AtomicInteger running = new AtomicInteger();
        private volatile boolean gone;

        Instance(DeviceId device, float increment) {
            this.device = device;
            this.increment = increment;
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
            running.incrementAndGet();
            if (gone) {
                misused.incrementAndGet();
            }
            int atOnce =
                    inside.computeIfAbsent(device, id -> new AtomicInteger()).incrementAndGet();
            mostInside.computeIfAbsent(device, id -> new AtomicInteger()).accumulateAndGet(atOnce, Math::max);
            calls.add(new Call(
                    device, batch.requests().size(), Thread.currentThread().getName()));
            batch.requests()
                    .forEach(request -> executed.add(request.get(0).data().getFloat(0)));
            try {
                Pace now = pace;
                now.clock().accept(now.input());
                batch.progress().inputsReady();
                CountDownLatch latch = hangs.get(device);
                if (latch != null) {
                    CompletableFuture<Void> began = entered.get(device);
                    if (began != null) {
                        began.complete(null);
                    }
                    awaitAsNativeCodeDoes(latch);
                }
                now.clock().accept(now.infer());
                batch.progress().executed();
                if (losesRows && batch.requests().size() > 1) {
                    return CompletableFuture.failedStage(new RowsLostException("output 'y' is [1,1]"));
                }
                List<List<Tensor>> results = new ArrayList<>();
                for (List<Tensor> request : batch.requests()) {
                    Tensor x = request.get(0);
                    if (broken.test(x.data().getFloat(0))) {
                        return CompletableFuture.failedStage(new IllegalStateException("broken row"));
                    }
                    results.add(List.of(plus(x, increment)));
                }
                now.clock().accept(now.output());
                return CompletableFuture.completedStage(results);
            } finally {
                running.decrementAndGet();
                inside.get(device).decrementAndGet();
            }
        }

        @Override
        public void close() {
            gone = true;
            if (running.get() > 0) {
                misused.incrementAndGet();
            }
            closed.incrementAndGet();
        }
    }

    private static void awaitAsNativeCodeDoes(CountDownLatch latch) {
        boolean interrupted = false;
        while (true) {
            try {
                latch.await();
                break;
            } catch (InterruptedException ignored) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static Tensor plus(Tensor x, float increment) {
        ByteBuffer data = ByteBuffer.allocate(x.sizeBytes()).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer from = x.data();
        while (from.hasRemaining()) {
            data.putFloat(from.getFloat() + increment);
        }
        return new Tensor("y", DataType.FP32, x.shape(), data.flip());
    }
}
