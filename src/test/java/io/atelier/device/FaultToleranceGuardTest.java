package io.atelier.device;

import static io.atelier.device.Rig.answer;
import static io.atelier.device.Rig.batches;
import static io.atelier.device.Rig.failure;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.core.DeviceId;
import io.atelier.core.ServingException.DeadlineExceeded;
import io.atelier.core.ServingException.EngineFailure;
import io.atelier.core.ServingException.NotReady;
import io.atelier.core.Ticker;
import io.atelier.core.Ticket;
import io.atelier.core.Timer;
import io.atelier.testing.ManualTime;
import io.quarkus.test.junit.QuarkusTest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * SmallRye Fault Tolerance around devices that hang: the failures that were measured of it do not happen here. It needs
 * its container; its timers are real, so limits here are short.
 */
@QuarkusTest
@Timeout(60)
class FaultToleranceGuardTest {
    private static final DeviceId A = DeviceId.cpu(0);
    private static final Duration NEVER = Duration.ofHours(1);
    private static final Timer NO_TIMER = (delay, task) -> () -> {};

    private final ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();

    @AfterEach
    void stop() {
        scheduler.shutdownNow();
    }

    @Test
    void whatExpiredWhileADeviceHungIsNotExecutedAfterwards() throws Exception {
        ManualTime time = new ManualTime();
        try (Rig rig = new Rig(batches(1), time, time)) {
            DeviceExecutor device = rig.device(A, 1, guard(1, Duration.ofMillis(100), time));
            rig.engine.hang(A);
            Ticket hung = rig.hangOne(A);
            List<Ticket> expiring = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                expiring.add(rig.offer(100 + i, Duration.ofMillis(300)));
            }
            assertThat(failure(hung)).isInstanceOf(DeadlineExceeded.class);
            time.advance(Duration.ofMillis(300));
            rig.engine.letGo(A);

            for (Ticket ticket : expiring) {
                assertThat(failure(ticket)).isInstanceOf(DeadlineExceeded.class);
            }
            assertThat(answer(rig.offer(200))).isEqualTo(201);
            assertThat(rig.engine.executed()).containsExactlyInAnyOrder(-1f, 200f);
            assertThat(device.limit()).isEqualTo(1);
        }
    }

    @Test
    void theCallerOfAHungCallIsFreedThoughNothingCanInterruptIt() throws Exception {
        try (Rig rig = new Rig(batches(1), Ticker.system(), NO_TIMER)) {
            DeviceExecutor device = rig.device(A, 1, guard(1, Duration.ofMillis(100), Ticker.system()));
            rig.engine.hang(A);
            long asked = System.nanoTime();

            Ticket hung = rig.hangOne(A);

            assertThat(failure(hung))
                    .isInstanceOf(DeadlineExceeded.class)
                    .hasMessage("the execution exceeded its limit");
            assertThat(Duration.ofNanos(System.nanoTime() - asked)).isGreaterThanOrEqualTo(Duration.ofMillis(100));
            assertThat(device.freeSlots()).as("the native call goes on").isZero();
            assertThat(device.running()).hasSize(1);
        }
    }

    @Test
    void callersThatTimeOutDoNotBringAnotherCallOntoTheDevice() throws Exception {
        try (Rig rig = new Rig(batches(1), Ticker.system(), NO_TIMER)) {
            DeviceExecutor device = rig.device(A, 1, guard(1, Duration.ofMillis(50), Ticker.system()));
            rig.engine.hang(A);
            List<Ticket> five = new ArrayList<>();
            five.add(rig.hangOne(A));
            five.addAll(rig.offerMany(1, 4));

            assertThat(failure(five.get(0))).isInstanceOf(DeadlineExceeded.class);
            for (Ticket ticket : five) {
                ticket.fail(new DeadlineExceeded("its caller was told"));
                assertThat(failure(ticket)).isInstanceOf(DeadlineExceeded.class);
            }
            List<Ticket> next = rig.offerMany(10, 5);

            assertThat(rig.engine.calls()).hasSize(1);
            assertThat(device.freeSlots()).isZero();
            rig.engine.letGo(A);
            for (int i = 0; i < next.size(); i++) {
                assertThat(answer(next.get(i))).isEqualTo(11 + i);
            }
            assertThat(rig.engine.mostAtOnce(A)).isEqualTo(1);
        }
    }

    @Test
    void anOpenCircuitBreakerKeepsTheDeviceFromWorkUntilOneTrialSucceeds() throws Exception {
        Duration openDelay = Duration.ofMillis(300);
        Timer timer = (delay, task) -> {
            Future<?> future = scheduler.schedule(task, delay, TimeUnit.NANOSECONDS);
            return () -> future.cancel(false);
        };
        FaultToleranceGuard guard = new FaultToleranceGuard(
                A, 1, new GuardPolicy(Duration.ofMillis(150), 0.5, 4, openDelay), Ticker.system());
        try (Rig rig = new Rig(batches(1), Ticker.system(), timer)) {
            DeviceExecutor device = rig.device(A, 1, guard);
            for (int i = 0; i < 3; i++) {
                assertThat(guard.closedForNanos()).isZero();
                runOverTheLimit(rig, 100 + i);
            }
            rig.engine.hang(A);
            Ticket last = rig.offer(103);
            Ticket trial = rig.offer(104);
            assertThat(failure(last)).isInstanceOf(DeadlineExceeded.class);
            long opened = System.nanoTime();
            rig.engine.letGo(A);
            assertThat(guard.closedForNanos()).isPositive();
            assertThat(device.slots()).as("it pulls nothing while it is open").isZero();

            rig.engine.hang(A);
            assertThat(rig.queue.depth()).isEqualTo(1);
            assertThatThrownBy(() -> rig.offer(200)).isInstanceOf(NotReady.class);
            rig.engine.awaitHanging(A);
            List<Ticket> good = rig.offerMany(0, 5);
            assertThat(failure(trial)).isInstanceOf(DeadlineExceeded.class);
            assertThat(Duration.ofNanos(System.nanoTime() - opened)).isGreaterThanOrEqualTo(Duration.ofMillis(200));
            assertThat(guard.closedForNanos())
                    .as("the trial failed, so it is open again")
                    .isPositive();
            assertThat(rig.engine.calls()).hasSize(5);
            rig.engine.letGo(A);

            for (int i = 0; i < good.size(); i++) {
                assertThat(answer(good.get(i))).isEqualTo(i + 1);
            }
            assertThat(guard.closedForNanos()).isZero();
            assertThat(device.slots()).isEqualTo(1);
            assertThat(rig.engine.mostAtOnce(A)).isEqualTo(1);
        }
    }

    @Test
    void requestsThatCannotBeComputedDoNotOpenTheCircuitBreaker() throws Exception {
        FaultToleranceGuard guard =
                new FaultToleranceGuard(A, 1, new GuardPolicy(NEVER, 0.5, 4, NEVER), Ticker.system());
        try (Rig rig = new Rig(batches(4), Ticker.system(), NO_TIMER)) {
            DeviceExecutor device = rig.device(A, 1, guard);
            rig.engine.breakOn(number -> number >= 100);
            for (int i = 0; i < 20; i++) {
                assertThat(failure(rig.offer(100 + i))).isInstanceOf(EngineFailure.class);
            }

            assertThat(answer(rig.offer(1))).isEqualTo(2);
            assertThat(device.slots()).isEqualTo(1);
        }
    }

    /** Runs a ticket until the guard has told its caller of the limit, then lets the native call return. */
    private static void runOverTheLimit(Rig rig, float number) throws Exception {
        rig.engine.hang(A);
        assertThat(failure(rig.offer(number)))
                .isInstanceOf(DeadlineExceeded.class)
                .hasMessage("the execution exceeded its limit");
        rig.engine.letGo(A);
    }

    /** Bursts with silence after each: the bulkhead's own waiting line is known to lose wake-ups. */
    @Test
    void nothingIsLeftWaitingInTheGuard() throws Exception {
        try (Rig rig = new Rig(batches(2), Ticker.system(), NO_TIMER)) {
            DeviceExecutor device = rig.device(A, 2, guard(2, NEVER, Ticker.system()));
            for (int burst = 0; burst < 10_000; burst++) {
                List<Ticket> tickets = rig.offerMany(0, 1 + burst % 6);
                for (int i = 0; i < tickets.size(); i++) {
                    assertThat(answer(tickets.get(i))).isEqualTo(i + 1);
                }
            }
            assertThat(rig.engine.mostAtOnce(A)).isLessThanOrEqualTo(2);
            assertThat(device.limit()).isEqualTo(2);
        }
    }

    private static ExecutionGuard guard(int slots, Duration executionTimeout, Ticker ticker) {
        return new FaultToleranceGuard(
                A, slots, new GuardPolicy(executionTimeout, 1, 1_000, Duration.ofSeconds(1)), ticker);
    }
}
