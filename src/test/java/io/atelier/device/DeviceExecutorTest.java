package io.atelier.device;

import static io.atelier.device.Rig.answer;
import static io.atelier.device.Rig.batches;
import static io.atelier.device.Rig.failure;
import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.core.DeviceId;
import io.atelier.core.DeviceState;
import io.atelier.core.ModelId;
import io.atelier.core.ServingException.DeadlineExceeded;
import io.atelier.core.ServingException.EngineFailure;
import io.atelier.core.ServingException.NotReady;
import io.atelier.core.ServingListener;
import io.atelier.core.Tensor;
import io.atelier.core.Ticker;
import io.atelier.core.Ticket;
import io.atelier.core.Timer;
import io.atelier.scheduling.BatchPolicy;
import io.atelier.testing.FakeEngine;
import io.atelier.testing.ManualTime;
import io.atelier.testing.OpenGuard;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Real threads, a fake engine, no guard. */
@Timeout(120)
class DeviceExecutorTest {
    private static final DeviceId A = DeviceId.cpu(0);
    private static final DeviceId B = DeviceId.cpu(1);

    /** Nothing is ever due. */
    private static final Timer NO_TIMER = (delay, task) -> () -> {};

    @Test
    void anErrandWaitsForAPermitAndGoesBeforeTheNextBatch() throws Exception {
        try (Rig rig = new Rig(batches(1), Ticker.system(), NO_TIMER)) {
            DeviceExecutor a = rig.device(A, 1, new OpenGuard());
            rig.engine.hang(A);
            Ticket hung = rig.hangOne(A);
            Ticket next = rig.offer(2);

            CompletableFuture<Ticket.State> errand = a.execute(() -> CompletableFuture.completedStage(next.state()));
            assertThat(a.load(() -> "loads beside it", Rig.LONG, late -> {}).get(20, TimeUnit.SECONDS))
                    .isNotEmpty();
            assertThat(errand).isNotDone();
            rig.engine.letGo(A);

            assertThat(errand.get(20, TimeUnit.SECONDS)).isEqualTo(Ticket.State.QUEUED);
            assertThat(answer(hung)).isEqualTo(0);
            assertThat(answer(next)).isEqualTo(3);
            assertThat(rig.engine.mostAtOnce(A)).isEqualTo(1);
        }
    }

    @Test
    void aBatchThatLosesItsRowsRunsAgainOneByOneAndTheModelIsBatchedNoMore() throws Exception {
        try (Rig rig = new Rig(batches(8), Ticker.system(), NO_TIMER)) {
            List<String> stopped = new ArrayList<>();
            rig.listener = new ServingListener() {
                @Override
                public void onSharingStopped(ModelId model, String reason) {
                    stopped.add(model + ": " + reason);
                }
            };
            rig.device(A, 1, new OpenGuard());
            rig.engine.hang(A);
            Ticket hung = rig.hangOne(A);
            List<Ticket> waiting = rig.offerMany(10, 5);
            rig.engine.loseRows();
            rig.engine.letGo(A);

            assertThat(answer(hung)).isEqualTo(0);
            for (int i = 0; i < waiting.size(); i++) {
                assertThat(answer(waiting.get(i))).isEqualTo(11 + i);
            }
            assertThat(rig.queue.sharing().isAllowed()).isFalse();
            assertThat(rig.queue.sharing().reason()).contains("output 'y' is [1,1]");
            assertThat(stopped).containsExactly("fake/1: output 'y' is [1,1]");
            assertThat(rig.engine.calls())
                    .extracting(FakeEngine.Call::requests)
                    .contains(5)
                    .containsOnlyOnce(5);
        }
    }

    @Test
    void anErrandOnADeviceThatIsOutOfServiceIsRefused() throws Exception {
        try (Rig rig = new Rig(batches(1), Ticker.system(), NO_TIMER)) {
            DeviceExecutor a = rig.device(A, 1, new OpenGuard());
            rig.engine.hang(A);
            rig.hangOne(A);
            CompletableFuture<Boolean> waiting = a.execute(() -> CompletableFuture.completedStage(true));
            a.quarantine("test");

            CompletableFuture<Boolean> late = a.execute(() -> CompletableFuture.completedStage(true));

            assertThat(waiting)
                    .failsWithin(Duration.ofSeconds(20))
                    .withThrowableThat()
                    .havingCause()
                    .isInstanceOf(NotReady.class);
            assertThat(late)
                    .failsWithin(Duration.ofSeconds(20))
                    .withThrowableThat()
                    .havingCause()
                    .isInstanceOf(NotReady.class);
        }
    }

    @Test
    void aHungDeviceKeepsItsPermitAndPullsNothingWhileTheOtherServesOn() throws Exception {
        try (Rig rig = new Rig(batches(4), Ticker.system(), NO_TIMER)) {
            DeviceExecutor a = rig.device(A, 1, new OpenGuard());
            DeviceExecutor b = rig.device(B, 1, new OpenGuard());
            assertThat(b.limit()).isEqualTo(1);
            rig.engine.hang(A);
            Ticket hung = rig.hangOne(A);
            long ranBefore = executionsOn(rig.engine, A);

            assertThat(hung.fail(new DeadlineExceeded("its caller was told"))).isTrue();

            List<Ticket> others = rig.offerMany(0, 1_000);
            for (int i = 0; i < others.size(); i++) {
                assertThat(answer(others.get(i))).isEqualTo(i + 1);
            }
            assertThat(a.freeSlots()).isZero();
            assertThat(a.running())
                    .singleElement()
                    .satisfies(run -> assertThat(run.requests()).isEqualTo(1));
            assertThat(executionsOn(rig.engine, A)).isEqualTo(ranBefore);
            assertThat(rig.engine.mostAtOnce(A)).isEqualTo(1);
            assertThat(rig.engine.mostAtOnce(B)).isEqualTo(1);
        }
    }

    @Test
    void aDeviceThatCameBackPullsAgain() throws Exception {
        try (Rig rig = new Rig(batches(4), Ticker.system(), NO_TIMER)) {
            DeviceExecutor a = rig.device(A, 1, new OpenGuard());
            rig.engine.hang(A);
            Ticket hung = rig.hangOne(A);
            List<Ticket> waiting = rig.offerMany(0, 10);
            assertThat(hung.fail(new DeadlineExceeded("its caller was told"))).isTrue();

            rig.engine.letGo(A);

            for (int i = 0; i < waiting.size(); i++) {
                assertThat(answer(waiting.get(i))).isEqualTo(i + 1);
            }
            assertThat(a.statistics().failures()).isZero();
        }
    }

    @Test
    void neverRunsMoreAtOnceThanItHasPermits() throws Exception {
        try (Rig rig = new Rig(batches(1), Ticker.system(), NO_TIMER)) {
            DeviceExecutor a = rig.device(A, 3, new OpenGuard());
            rig.engine.hang(A);
            List<Ticket> tickets = rig.offerMany(0, 2_000);
            rig.engine.awaitHanging(A);
            rig.engine.letGo(A);

            for (int i = 0; i < tickets.size(); i++) {
                assertThat(answer(tickets.get(i))).isEqualTo(i + 1);
            }
            assertThat(rig.engine.mostAtOnce(A)).isBetween(1, 3);
            assertThat(a.limit()).isEqualTo(3);
        }
    }

    @Test
    void aRowThatBreaksItsBatchFailsAlone() throws Exception {
        try (Rig rig = new Rig(batches(16), Ticker.system(), NO_TIMER)) {
            DeviceExecutor a = rig.device(A, 1, new OpenGuard());
            Set<Float> poison = Set.of(3f, 4f, 11f);
            rig.engine.breakOn(poison::contains);
            rig.engine.hang(A);
            Ticket first = rig.hangOne(A);
            List<Ticket> tickets = rig.offerMany(0, 16);
            rig.engine.letGo(A);

            assertThat(answer(first)).isZero();
            for (int i = 0; i < tickets.size(); i++) {
                if (poison.contains((float) i)) {
                    assertThat(failure(tickets.get(i))).isInstanceOf(EngineFailure.class);
                } else {
                    assertThat(answer(tickets.get(i))).isEqualTo(i + 1);
                }
            }
            assertThat(rig.engine.calls())
                    .extracting(FakeEngine.Call::requests)
                    .as("the whole batch first, then its parts")
                    .startsWith(1, 16, 8);
            assertThat(a.state()).isEqualTo(DeviceState.READY);
        }
    }

    @Test
    void settlesOffTheDevicesThreads() throws Exception {
        Set<String> settledOn = ConcurrentHashMap.newKeySet();
        try (Rig rig = new Rig(batches(4), Ticker.system(), NO_TIMER)) {
            DeviceExecutor a = rig.device(A, 2, new OpenGuard());
            rig.engine.breakOn(number -> number % 7 == 0);
            List<CompletableFuture<Boolean>> heard = new ArrayList<>();
            for (int i = 0; i < 500; i++) {
                Ticket ticket = rig.tickets.of(i, Rig.LONG);
                heard.add(ticket.settled()
                        .handle((result, failure) ->
                                settledOn.add(Thread.currentThread().getName()))
                        .toCompletableFuture());
                rig.queue.offer(ticket);
            }
            CompletableFuture.allOf(heard.toArray(CompletableFuture<?>[]::new)).get(20, TimeUnit.SECONDS);

            assertThat(a.statistics().failures()).isPositive();
            assertThat(rig.engine.calls())
                    .extracting(FakeEngine.Call::thread)
                    .allSatisfy(thread -> assertThat(thread).startsWith("cpu:0-"));
        }
        assertThat(settledOn).containsExactly(Rig.SETTLER);
    }

    @Test
    void ticketsThatAreLateWhenTheirTurnComesDoNotRun() throws Exception {
        ManualTime time = new ManualTime();
        try (Rig rig = new Rig(batches(4), time, time)) {
            DeviceExecutor a = rig.device(A, 1, new OpenGuard());
            rig.engine.hang(A);
            Ticket hung = rig.hangOne(A);
            List<Ticket> late = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                late.add(rig.offer(100 + i, Duration.ofMillis(10)));
            }
            Ticket patient = rig.offer(200);
            time.advance(Duration.ofMillis(10));
            rig.engine.letGo(A);

            assertThat(answer(hung)).isZero();
            assertThat(answer(patient)).isEqualTo(201);
            for (Ticket ticket : late) {
                assertThat(failure(ticket)).isInstanceOf(DeadlineExceeded.class);
            }
            assertThat(rig.engine.executed()).containsExactlyInAnyOrder(-1f, 200f);
            assertThat(a.limit()).isEqualTo(1);
        }
    }

    @Test
    void waitsForCompanyNoLongerThanItMay() throws Exception {
        ManualTime time = new ManualTime();
        CountDownLatch scheduled = new CountDownLatch(1);
        Timer timer = (delay, task) -> {
            Timer.Alarm alarm = time.schedule(delay, task);
            scheduled.countDown();
            return alarm;
        };
        try (Rig rig = new Rig(new BatchPolicy(4, Duration.ofMillis(5), 100), time, timer)) {
            DeviceExecutor a = rig.device(A, 1, new OpenGuard());
            Ticket alone = rig.offer(1);
            assertThat(scheduled.await(20, TimeUnit.SECONDS)).isTrue();
            assertThat(rig.engine.calls()).isEmpty();

            time.advance(Duration.ofMillis(5));

            assertThat(answer(alone)).isEqualTo(2);
            for (Ticket ticket : rig.offerMany(10, 4)) {
                assertThat(answer(ticket)).isGreaterThan(10);
            }
            assertThat(rig.engine.calls()).extracting(FakeEngine.Call::requests).containsExactly(1, 4);
            assertThat(a.slots()).isEqualTo(1);
        }
    }

    @Test
    void finishesWhatIsQueuedWhileItDrains() throws Exception {
        try (Rig rig = new Rig(batches(2), Ticker.system(), NO_TIMER)) {
            DeviceExecutor a = rig.device(A, 1, new OpenGuard());
            rig.engine.hang(A);
            Ticket hung = rig.hangOne(A);
            List<Ticket> queued = rig.offerMany(0, 9);

            a.drain();
            assertThat(a.state()).isEqualTo(DeviceState.DRAINING);
            rig.engine.letGo(A);

            assertThat(answer(hung)).isZero();
            for (int i = 0; i < queued.size(); i++) {
                assertThat(answer(queued.get(i))).isEqualTo(i + 1);
            }
            assertThat(a.close(Duration.ofSeconds(20))).isTrue();
            assertThat(a.state()).isEqualTo(DeviceState.CLOSED);
            assertThat(rig.engine.closed()).isEqualTo(1);
        }
    }

    @Test
    void freesItsModelsOnlyWhenNothingRunsAnyMore() throws Exception {
        try (Rig rig = new Rig(batches(2), Ticker.system(), NO_TIMER)) {
            DeviceExecutor a = rig.device(A, 1, new OpenGuard());
            rig.engine.hang(A);
            Ticket hung = rig.hangOne(A);

            assertThat(a.close(Duration.ofMillis(20))).isFalse();
            assertThat(rig.engine.closed()).isZero();
            rig.engine.letGo(A);

            assertThat(answer(hung)).as("what ran is still answered").isZero();
            assertThat(a.close(Duration.ofSeconds(20))).isTrue();
            assertThat(rig.engine.closed()).isEqualTo(1);
        }
    }

    /** The library's bulkhead may let another thread begin what one asked for. */
    @Test
    void runsWhatItsGuardBeginsLaterAndHoldsThePermitUntilThen() throws Exception {
        Queue<Runnable> inTheGuard = new ConcurrentLinkedQueue<>();
        CountDownLatch asked = new CountDownLatch(1);
        ExecutionGuard later = new ExecutionGuard() {
            @Override
            public CompletionStage<List<List<Tensor>>> run(Supplier<CompletionStage<List<List<Tensor>>>> execution) {
                CompletableFuture<List<List<Tensor>>> stage = new CompletableFuture<>();
                inTheGuard.add(() -> execution.get().whenComplete((outputs, failure) -> stage.complete(outputs)));
                asked.countDown();
                return stage;
            }

            @Override
            public long closedForNanos() {
                return 0;
            }
        };
        try (Rig rig = new Rig(batches(4), Ticker.system(), NO_TIMER)) {
            DeviceExecutor a = rig.device(A, 1, later);
            Ticket ticket = rig.offer(1);
            assertThat(asked.await(20, TimeUnit.SECONDS)).isTrue();
            assertThat(a.freeSlots()).isZero();
            assertThat(rig.engine.calls()).isEmpty();

            Objects.requireNonNull(inTheGuard.poll()).run();

            assertThat(answer(ticket)).isEqualTo(2);
            assertThat(rig.engine.calls())
                    .singleElement()
                    .extracting(FakeEngine.Call::thread)
                    .isEqualTo("cpu:0-0");
        }
    }

    @Test
    void whatTheGuardRejectsIsTriedAgain() throws Exception {
        AtomicInteger rejections = new AtomicInteger();
        ExecutionGuard moody = new ExecutionGuard() {
            @Override
            public CompletionStage<List<List<Tensor>>> run(Supplier<CompletionStage<List<List<Tensor>>>> execution) {
                return rejections.incrementAndGet() <= 3
                        ? CompletableFuture.failedStage(new Rejected("not now", new IllegalStateException()))
                        : execution.get();
            }

            @Override
            public long closedForNanos() {
                return 0;
            }
        };
        try (Rig rig = new Rig(batches(4), Ticker.system(), NO_TIMER)) {
            DeviceExecutor a = rig.device(A, 1, moody);

            assertThat(answer(rig.offer(1))).isEqualTo(2);

            assertThat(rejections).hasValue(4);
            assertThat(rig.engine.calls()).hasSize(1);
            assertThat(a.limit()).isEqualTo(1);
        }
    }

    /** Bursts with silence after each: a wake-up that is lost would leave its burst waiting for ever. */
    @Test
    void noWakeUpIsLost() throws Exception {
        int threads = 4;
        int each = 25_000;
        ExecutorService callers = Executors.newFixedThreadPool(threads);
        try (Rig rig = new Rig(batches(8), Ticker.system(), NO_TIMER)) {
            DeviceExecutor a = rig.device(A, 2, new OpenGuard());
            DeviceExecutor b = rig.device(B, 2, new OpenGuard());
            List<Future<Integer>> done = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                long seed = 42L + t;
                done.add(callers.submit(() -> {
                    Random random = new Random(seed);
                    int answered = 0;
                    while (answered < each) {
                        int burst = Math.min(each - answered, 1 + random.nextInt(6));
                        List<Ticket> tickets = rig.offerMany(answered, burst);
                        for (int i = 0; i < burst; i++) {
                            assertThat(answer(tickets.get(i))).isEqualTo(answered + i + 1);
                        }
                        answered += burst;
                    }
                    return answered;
                }));
            }
            for (Future<Integer> one : done) {
                assertThat(one.get(100, TimeUnit.SECONDS)).isEqualTo(each);
            }
            assertThat(rig.queue.depth()).isZero();
            assertThat(rig.engine.mostAtOnce(A)).isLessThanOrEqualTo(2);
            assertThat(rig.engine.mostAtOnce(B)).isLessThanOrEqualTo(2);
            assertThat(a.statistics().requests()).isPositive();
            assertThat(b.statistics().requests()).isPositive();
        } finally {
            callers.shutdownNow();
        }
    }

    private static long executionsOn(FakeEngine engine, DeviceId device) {
        return engine.calls().stream()
                .filter(call -> call.device().equals(device))
                .count();
    }
}
