package io.atelier.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.core.ServingException.Cancelled;
import io.atelier.core.ServingException.DeadlineExceeded;
import io.atelier.testing.ManualTime;
import io.atelier.testing.Tickets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class TicketTest {
    private static final InferenceResult RESULT = new InferenceResult(Tickets.MODEL, List.of());

    private final ManualTime time = new ManualTime();
    private final Ticket ticket = new Tickets(time).of(1, Duration.ofMillis(10));

    @Test
    void runsThenSettlesWithItsResult() {
        assertThat(ticket.state()).isEqualTo(Ticket.State.QUEUED);
        assertThat(ticket.attempts()).isZero();
        time.advance(Duration.ofMillis(3));

        assertThat(ticket.claim(time.nanoTime())).isTrue();
        assertThat(ticket.state()).isEqualTo(Ticket.State.RUNNING);
        assertThat(ticket.attempts()).isEqualTo(1);
        assertThat(ticket.startedNanos() - ticket.arrivedNanos()).isEqualTo(3_000_000);

        assertThat(ticket.succeed(RESULT)).isTrue();
        assertThat(ticket.isSettled()).isTrue();
        assertThat(ticket.settled()).isCompletedWithValue(RESULT);
    }

    @Test
    void isClaimedByOneDeviceOnly() {
        assertThat(ticket.claim(time.nanoTime())).isTrue();
        assertThat(ticket.claim(time.nanoTime())).isFalse();
        assertThat(ticket.attempts()).isEqualTo(1);
    }

    @Test
    void isNotClaimedOnceItsDeadlineHasCome() {
        time.advance(Duration.ofMillis(10));

        assertThat(ticket.claim(time.nanoTime())).isFalse();
        assertThat(ticket.state()).isEqualTo(Ticket.State.QUEUED);
        assertThat(ticket.attempts()).isZero();
    }

    @Test
    void isNotClaimedOnceItHasSettled() {
        assertThat(ticket.fail(new Cancelled())).isTrue();

        assertThat(ticket.claim(time.nanoTime())).isFalse();
        assertThat(ticket.requeue()).isFalse();
        assertThat(ticket.succeed(RESULT)).isFalse();
        assertThat(ticket.settled().toCompletableFuture()).isCompletedExceptionally();
    }

    @Test
    void goesBackIntoTheQueueOnlyWhileItRuns() {
        assertThat(ticket.requeue()).isFalse();
        assertThat(ticket.claim(time.nanoTime())).isTrue();

        assertThat(ticket.requeue()).isTrue();
        assertThat(ticket.state()).isEqualTo(Ticket.State.QUEUED);
        assertThat(ticket.claim(time.nanoTime())).isTrue();
        assertThat(ticket.attempts()).isEqualTo(2);
    }

    @Test
    void theCallersDeadlineSettlesATicketThatStillRuns() {
        assertThat(ticket.claim(time.nanoTime())).isTrue();

        assertThat(ticket.fail(new DeadlineExceeded("late"))).isTrue();
        assertThat(ticket.requeue()).isFalse();
        assertThat(ticket.succeed(RESULT)).isFalse();
    }

    @Test
    void exactlyOneOfTheThreadsThatSettleWinsAndListenersHearOnce() throws Exception {
        int threads = 6;
        int rounds = 2_000;
        Tickets tickets = new Tickets(time);
        List<Ticket> all = new ArrayList<>();
        AtomicInteger heard = new AtomicInteger();
        for (int i = 0; i < rounds; i++) {
            Ticket one = tickets.of(i, Duration.ofHours(1));
            one.settled().whenComplete((result, failure) -> heard.incrementAndGet());
            all.add(one);
        }
        CyclicBarrier barrier = new CyclicBarrier(threads);
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        int won = 0;
        try {
            List<Future<Integer>> races = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                boolean succeeds = t % 2 == 0;
                races.add(executor.submit(() -> {
                    int mine = 0;
                    for (Ticket one : all) {
                        barrier.await(20, TimeUnit.SECONDS);
                        if (succeeds ? one.succeed(RESULT) : one.fail(new Cancelled())) {
                            mine++;
                        }
                    }
                    return mine;
                }));
            }
            for (Future<Integer> race : races) {
                won += race.get(60, TimeUnit.SECONDS);
            }
        } finally {
            executor.shutdownNow();
        }
        assertThat(won).isEqualTo(rounds);
        assertThat(heard).hasValue(rounds);
    }

    @Test
    void exactlyOneOfTheDevicesThatClaimWins() throws Exception {
        int threads = 4;
        int rounds = 2_000;
        Tickets tickets = new Tickets(time);
        List<Ticket> all = new ArrayList<>();
        for (int i = 0; i < rounds; i++) {
            all.add(tickets.of(i, Duration.ofHours(1)));
        }
        CyclicBarrier barrier = new CyclicBarrier(threads);
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        int won = 0;
        try {
            List<Future<Integer>> races = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                races.add(executor.submit(() -> {
                    int mine = 0;
                    for (Ticket one : all) {
                        barrier.await(20, TimeUnit.SECONDS);
                        if (one.claim(time.nanoTime())) {
                            mine++;
                        }
                    }
                    return mine;
                }));
            }
            for (Future<Integer> race : races) {
                won += race.get(60, TimeUnit.SECONDS);
            }
        } finally {
            executor.shutdownNow();
        }
        assertThat(won).isEqualTo(rounds);
        assertThat(all).allSatisfy(one -> assertThat(one.attempts()).isEqualTo(1));
    }
}
