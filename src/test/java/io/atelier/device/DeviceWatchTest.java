package io.atelier.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.core.DeviceId;
import io.atelier.core.DeviceState;
import io.atelier.core.ModelId;
import io.atelier.core.ModelSignature;
import io.atelier.core.ServingListener;
import io.atelier.core.Sharing;
import io.atelier.core.Tensor;
import io.atelier.core.Ticket;
import io.atelier.engine.EngineBatch;
import io.atelier.engine.GoldenSample;
import io.atelier.engine.ModelInstance;
import io.atelier.scheduling.ExecutionTimes;
import io.atelier.scheduling.ModelQueue;
import io.atelier.testing.FakeEngine;
import io.atelier.testing.ManualTime;
import io.atelier.testing.OpenGuard;
import io.atelier.testing.Tickets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** When a device loses and regains trust, and how models share it. */
class DeviceWatchTest {
    private static final DeviceId FIRST = DeviceId.gpu(0);
    private static final DeviceId SECOND = DeviceId.gpu(1);
    private static final WatchPolicy WATCH =
            new WatchPolicy(10, Duration.ofMillis(100), Duration.ofSeconds(1), Duration.ZERO, Duration.ofSeconds(10));

    private final ManualTime time = new ManualTime();
    private final CountDownLatch everythingQueued = new CountDownLatch(1);

    @Test
    void aHangCostsTheDeviceItsPlaceUntilItAnswersRightlyAgain() throws Exception {
        try (Rig rig = new Rig(Rig.batches(1), time, time)) {
            DeviceExecutor first = rig.device(FIRST, 1, new OpenGuard(), WATCH);
            rig.engine.hang(FIRST);
            Ticket ticket = rig.hangOne(FIRST);
            rig.device(SECOND, 1, new OpenGuard(), WATCH);

            time.advance(Duration.ofMillis(999));
            assertThat(first.state()).isEqualTo(DeviceState.READY);
            time.advance(Duration.ofMillis(1));
            assertThat(first.state()).isEqualTo(DeviceState.QUARANTINED);
            assertThat(first.reason()).isEqualTo("hang");
            assertThat(first.slots()).isZero();
            assertThat(Rig.answer(ticket)).as("answered by the other device").isZero();

            time.advance(Duration.ofSeconds(10));
            assertThat(first.state()).as("while the call has not returned").isEqualTo(DeviceState.QUARANTINED);
            rig.engine.letGo(FIRST);
            awaitIdle(first);
            time.advance(Duration.ofSeconds(10));
            awaitIdle(first); // the golden sample
            awaitIdle(first); // what follows from its answer
            assertThat(first.state()).isEqualTo(DeviceState.READY);
            assertThat(first.reason()).isEqualTo("recovered");
        }
    }

    @Test
    void aGoldenCheckThatHangsClearsTheRequestThatAskedForIt() throws Exception {
        try (Rig rig = new Rig(Rig.batches(1), time, time)) {
            DeviceExecutor first = rig.device(FIRST, 1, new OpenGuard(), WATCH);
            CountDownLatch failed = new CountDownLatch(1);
            rig.engine.breakOn(number -> {
                if (number != 7 || failed.getCount() == 0) {
                    return false;
                }
                rig.engine.hang(FIRST); // the golden check which this failure asks for
                failed.countDown();
                return true;
            });
            Ticket accused = rig.offer(7);
            assertThat(failed.await(20, TimeUnit.SECONDS)).isTrue();
            rig.engine.awaitHanging(FIRST);
            rig.device(SECOND, 1, new OpenGuard(), WATCH);

            time.advance(Duration.ofSeconds(1));
            assertThat(first.reason()).isEqualTo("hang");
            assertThat(Rig.answer(accused)).as("answered by the other device").isEqualTo(8);
        }
    }

    @Test
    void aWrongGoldenAnswerCostsTheDeviceItsPlace() throws Exception {
        WatchPolicy asking = new WatchPolicy(
                10, Duration.ofMillis(100), Duration.ofSeconds(1), Duration.ofSeconds(5), Duration.ofSeconds(10));
        GoldenSample wrong = new GoldenSample(
                List.of(FakeEngine.row(1)), List.of(FakeEngine.row(3).named("y")), 0.001);
        try (Rig rig = new Rig(Rig.batches(1), time, time)) {
            DeviceExecutor first = rig.device(FIRST, 1, new OpenGuard(), asking, wrong);

            time.advance(Duration.ofSeconds(5));
            awaitIdle(first); // the golden sample
            assertThat(first.state()).isEqualTo(DeviceState.QUARANTINED);
            assertThat(first.reason()).isEqualTo("golden");
        }
    }

    @Test
    void aDeviceThatRecoversWhileTheServiceDrainsDrainsToo() throws Exception {
        try (Rig rig = new Rig(Rig.batches(1), time, time)) {
            DeviceExecutor first = rig.device(FIRST, 1, new OpenGuard(), WATCH);
            rig.engine.hang(FIRST);
            rig.hangOne(FIRST);
            time.advance(Duration.ofSeconds(1));
            first.drain();
            assertThat(first.state()).isEqualTo(DeviceState.QUARANTINED);

            rig.engine.letGo(FIRST);
            awaitIdle(first);
            time.advance(Duration.ofSeconds(10));
            awaitIdle(first); // the golden sample
            awaitIdle(first); // what follows from its answer
            assertThat(first.state()).isEqualTo(DeviceState.DRAINING);
        }
    }

    @Test
    void knowsTheHangLimitFromTheModelsOwnTimes() {
        assertThat(WATCH.hangLimitNanos(0)).isEqualTo(Duration.ofSeconds(1).toNanos());
        assertThat(WATCH.hangLimitNanos(1)).isEqualTo(Duration.ofMillis(100).toNanos());
        assertThat(WATCH.hangLimitNanos(Duration.ofMillis(50).toNanos()))
                .isEqualTo(Duration.ofMillis(500).toNanos());
        assertThat(WATCH.hangLimitNanos(Duration.ofSeconds(50).toNanos()))
                .isEqualTo(Duration.ofSeconds(1).toNanos());
    }

    @Test
    void tellsErrorsOfTheDeviceByTheirWords() {
        assertThat(DeviceFaults.isSticky(new IllegalStateException("CUDA error 700: an illegal memory access")))
                .isTrue();
        assertThat(DeviceFaults.isSticky(new RuntimeException("outer", new RuntimeException("CUBLAS_STATUS_X"))))
                .isTrue();
        assertThat(DeviceFaults.isSticky(new IllegalStateException("CUDA failure 2: out of memory ; GPU=0")))
                .isFalse();
        assertThat(DeviceFaults.isSticky(new IllegalStateException("indices element out of data bounds")))
                .isFalse();
    }

    /** One slot, two models that always have work, weights 3 to 1, every execution a millisecond. */
    @Test
    void modelsShareTheDeviceByTheirWeights() throws Exception {
        List<String> order = Collections.synchronizedList(new ArrayList<>());
        ExecutorService thread = Executors.newSingleThreadExecutor();
        ExecutorService settler = Executors.newSingleThreadExecutor();
        try {
            DeviceExecutor device = new DeviceExecutor(
                    FIRST, 1, thread, thread, new OpenGuard(), WATCH, settler, time, time, ServingListener.NONE);
            device.open();
            List<CompletableFuture<?>> all = new ArrayList<>();
            for (String name : List.of("heavy", "light")) {
                ModelQueue queue = new ModelQueue(
                        new ModelId(name, "1"), Rig.batches(1), Sharing.rows(""), new ExecutionTimes(), time);
                GoldenSample golden = new GoldenSample(List.of(FakeEngine.row(0)), List.of(), 0);
                device.hold(queue, new Slow(name, order), golden, 1, name.equals("heavy") ? 3 : 1);
                for (int i = 0; i < 40; i++) {
                    Ticket ticket = new Tickets(time).of(i, Duration.ofMinutes(1));
                    queue.offer(ticket);
                    all.add(ticket.settled().toCompletableFuture());
                }
            }

            everythingQueued.countDown();
            CompletableFuture.allOf(all.toArray(CompletableFuture<?>[]::new)).get(20, TimeUnit.SECONDS);
            assertThat(order).hasSize(80);
            assertThat(order.subList(0, 40)).filteredOn("heavy"::equals).hasSizeBetween(29, 31);
        } finally {
            thread.shutdownNow();
            settler.shutdownNow();
        }
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    /** Returns when the device's one thread has nothing left to do. */
    private static void awaitIdle(DeviceExecutor device) throws Exception {
        assertThat(device.load(() -> true, Rig.LONG, late -> {}).get(20, TimeUnit.SECONDS))
                .isTrue();
    }

    /** A model whose every execution takes a millisecond of the clock that is moved by hand. */
    private final class Slow implements ModelInstance {
        private final String name;
        private final List<String> order;

        Slow(String name, List<String> order) {
            this.name = name;
            this.order = order;
        }

        @Override
        public ModelSignature signature() {
            return FakeEngine.SIGNATURE;
        }

        @Override
        public Sharing sharing() {
            return Sharing.rows("");
        }

        @Override
        public CompletionStage<List<List<Tensor>>> run(EngineBatch batch) {
            awaitUninterruptibly(everythingQueued);
            order.add(name);
            time.advance(Duration.ofMillis(1));
            return CompletableFuture.completedStage(
                    List.of(List.of(FakeEngine.row(0).named("y"))));
        }

        @Override
        public void close() {}
    }
}
