package io.atelier.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.core.DeviceId;
import io.atelier.core.InferenceResult;
import io.atelier.core.Padding;
import io.atelier.core.ServingException;
import io.atelier.core.ServingListener;
import io.atelier.core.Sharing;
import io.atelier.core.Ticker;
import io.atelier.core.Ticket;
import io.atelier.core.Timer;
import io.atelier.engine.GoldenSample;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.ModelSource;
import io.atelier.scheduling.BatchPolicy;
import io.atelier.scheduling.ExecutionTimes;
import io.atelier.scheduling.ModelQueue;
import io.atelier.testing.FakeEngine;
import io.atelier.testing.Tickets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** Devices over a fake engine, on real threads, that pull from one queue. Closing it lets everything go. */
final class Rig implements AutoCloseable {
    static final String SETTLER = "settler";
    static final Duration LONG = Duration.ofMinutes(5);

    /** What a golden check asks the fake engine for. */
    static final float GOLDEN = -99;

    /** Nothing counts as a hang, and nothing is asked of an idle device. */
    private static final WatchPolicy NO_WATCH =
            new WatchPolicy(1, Duration.ofHours(1), Duration.ofHours(1), Duration.ZERO, Duration.ofHours(1));

    private static final GoldenSample ANY_ANSWER = new GoldenSample(List.of(FakeEngine.row(GOLDEN)), List.of(), 0);

    final FakeEngine engine = new FakeEngine();
    final ModelQueue queue;

    /** Hears of the devices that are made from now on. */
    ServingListener listener = ServingListener.NONE;

    final Tickets tickets;
    private final Ticker ticker;
    private final Timer timer;
    private final ExecutorService settler = Executors.newSingleThreadExecutor(task -> new Thread(task, SETTLER));
    private final List<DeviceExecutor> devices = new ArrayList<>();

    Rig(BatchPolicy policy, Ticker ticker, Timer timer) {
        this.ticker = ticker;
        this.timer = timer;
        this.tickets = new Tickets(ticker);
        this.queue = new ModelQueue(Tickets.MODEL, policy, Sharing.rows(""), new ExecutionTimes(), ticker);
    }

    /** Batches of so many rows and no waiting for company. */
    static BatchPolicy batches(int maxBatchSize) {
        return new BatchPolicy(maxBatchSize, Duration.ZERO, 1_000_000);
    }

    /** One more device that holds the model and pulls. */
    DeviceExecutor device(DeviceId id, int slots, ExecutionGuard guard) throws ModelLoadException {
        return device(id, slots, guard, NO_WATCH);
    }

    DeviceExecutor device(DeviceId id, int slots, ExecutionGuard guard, WatchPolicy watch) throws ModelLoadException {
        return device(id, slots, guard, watch, ANY_ANSWER);
    }

    DeviceExecutor device(DeviceId id, int slots, ExecutionGuard guard, WatchPolicy watch, GoldenSample golden)
            throws ModelLoadException {
        AtomicInteger threads = new AtomicInteger();
        ExecutorService executor = Executors.newFixedThreadPool(slots, task -> {
            Thread thread = new Thread(task, id + "-" + threads.getAndIncrement());
            thread.setDaemon(true);
            return thread;
        });
        // a test of the watch waits for the device's own thread, by a load
        ExecutorService loader = watch.equals(NO_WATCH) ? Executors.newSingleThreadExecutor() : executor;
        DeviceExecutor device =
                new DeviceExecutor(id, slots, executor, loader, guard, watch, settler, timer, ticker, listener);
        device.hold(
                queue,
                engine.load(new ModelSource(Tickets.MODEL, Path.of("model.onnx"), Padding.NONE, slots), id),
                golden,
                slots,
                1);
        device.open();
        devices.add(device);
        return device;
    }

    Ticket offer(float number) {
        return offer(number, LONG);
    }

    Ticket offer(float number, Duration timeout) {
        Ticket ticket = tickets.of(number, timeout);
        queue.offer(ticket);
        return ticket;
    }

    List<Ticket> offerMany(int first, int count) {
        List<Ticket> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            all.add(offer(first + i));
        }
        return all;
    }

    /** Offers until a ticket hangs on this device, which was told to hang; that ticket. Others may serve some before. */
    Ticket hangOne(DeviceId id) throws Exception {
        while (true) {
            Ticket ticket = offer(-1);
            CompletableFuture<InferenceResult> settled = ticket.settled().toCompletableFuture();
            CompletableFuture.anyOf(settled, engine.hanging(id)).get(20, TimeUnit.SECONDS);
            if (engine.hanging(id).isDone()) {
                return ticket;
            }
        }
    }

    /** The successor that a ticket was answered with. */
    static float answer(Ticket ticket) throws InterruptedException, TimeoutException {
        try {
            InferenceResult result = ticket.settled().toCompletableFuture().get(20, TimeUnit.SECONDS);
            return result.outputs().get(0).data().getFloat(0);
        } catch (ExecutionException failure) {
            throw new AssertionError(ticket.toString(), failure.getCause());
        }
    }

    /** Why a ticket was not answered. */
    static ServingException failure(Ticket ticket) throws InterruptedException, TimeoutException {
        try {
            InferenceResult result = ticket.settled().toCompletableFuture().get(20, TimeUnit.SECONDS);
            throw new AssertionError(ticket + " was answered: " + result);
        } catch (ExecutionException failure) {
            if (failure.getCause() instanceof ServingException known) {
                return known;
            }
            throw new AssertionError(ticket.toString(), failure.getCause());
        }
    }

    @Override
    public void close() {
        devices.forEach(device -> engine.letGo(device.id()));
        try {
            for (DeviceExecutor device : devices) {
                assertThat(device.close(Duration.ofSeconds(20)))
                        .as("%s ends", device.id())
                        .isTrue();
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        } finally {
            settler.shutdown();
        }
    }
}
