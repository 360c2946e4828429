package io.atelier.scheduling;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.core.BatchShape;
import io.atelier.core.Deadline;
import io.atelier.core.ErrorCode;
import io.atelier.core.InferenceRequest;
import io.atelier.core.QueueTimeout;
import io.atelier.core.QueueTimeout.Action;
import io.atelier.core.ServingException.WaitedTooLong;
import io.atelier.core.Sharing;
import io.atelier.core.Ticket;
import io.atelier.core.Trace;
import io.atelier.testing.FakeEngine;
import io.atelier.testing.ManualTime;
import io.atelier.testing.Tickets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class QueueTimeoutTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    private final ManualTime time = new ManualTime();

    @Test
    void aTicketThatWaitedTooLongLeavesTheLineUnanswered() {
        ModelQueue queue = queue(Action.REJECT, false, Duration.ZERO);
        Ticket first = offer(queue, 0);
        time.advance(Duration.ofMillis(150));
        Ticket second = offer(queue, 0);
        time.advance(Duration.ofMillis(60));

        Pull pull = queue.pull(1);

        assertThat(pull.expired()).containsExactly(first);
        assertThat(pull.late()).isEmpty();
        assertThat(pull.batch()).containsExactly(second);
        assertThat(queue.depth()).isZero();
        assertThat(queue.refusal(first))
                .hasMessage("Request timeout expired: it waited 200000 us in the queue of model 'fake'")
                .returns(ErrorCode.QUEUE_TIMEOUT, WaitedTooLong::code);
        assertThat(ErrorCode.QUEUE_TIMEOUT.status()).isEqualTo(503);
    }

    @Test
    void anExecutionMayTakeLongerThanTheQueueTimeout() {
        ModelQueue queue = queue(Action.REJECT, false, Duration.ZERO);
        Ticket ticket = offer(queue, 0);
        assertThat(queue.pull(1).batch()).containsExactly(ticket);
        time.advance(Duration.ofSeconds(5));

        assertThat(ticket.failUnstarted(queue.refusal(ticket))).isFalse();
        queue.putBack(List.of(ticket));
        assertThat(ticket.failUnstarted(queue.refusal(ticket))).isFalse();
        assertThat(queue.pull(1).batch()).containsExactly(ticket);
    }

    @Test
    void aDelayedTicketStandsBehindThoseThatHaveNotWaitedTooLong() {
        ModelQueue queue = queue(Action.DELAY, false, Duration.ZERO);
        Ticket late = offer(queue, 0);
        Ticket alsoLate = offer(queue, 0);
        time.advance(Duration.ofMillis(200));
        Ticket timely = offer(queue, 0);

        assertThat(List.of(pullOne(queue), pullOne(queue), pullOne(queue))).containsExactly(timely, late, alsoLate);
    }

    @Test
    void aRequestsOwnTimeoutCanOnlyBeShorterAndOnlyWhereTheModelLetsIt() {
        ModelQueue strict = queue(Action.REJECT, false, Duration.ZERO);
        ModelQueue lenient = queue(Action.REJECT, true, Duration.ZERO);
        Ticket kept = offer(strict, 50);
        Ticket shorter = offer(lenient, 50);
        Ticket longer = offer(lenient, 5000);
        time.advance(Duration.ofMillis(60));
        assertThat(strict.pull(1).batch()).containsExactly(kept);
        Pull early = lenient.pull(0);
        assertThat(early.expired()).containsExactly(shorter);
        assertThat(early.batch()).containsExactly(longer);
        Ticket again = offer(lenient, 5000);
        time.advance(Duration.ofMillis(200));

        assertThat(lenient.pull(1).expired()).containsExactly(again);
    }

    @Test
    void aBatchThatWaitsForCompanyStartsBeforeItsTicketsExpire() {
        ModelQueue queue = queue(Action.REJECT, false, Duration.ofSeconds(1));
        Ticket ticket = offer(queue, 0);

        Pull waits = queue.pull(1);
        assertThat(waits.batch()).isEmpty();
        assertThat(waits.againNanos() - time.nanoTime())
                .isEqualTo(Duration.ofMillis(100).toNanos());
        time.advance(Duration.ofMillis(100));
        assertThat(queue.pull(1).batch()).containsExactly(ticket);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
    void inEveryHistoryEachTicketLeavesOnceAndNoneIsTakenLate(long seed) {
        Random random = new Random(seed);
        Action action = random.nextBoolean() ? Action.REJECT : Action.DELAY;
        ModelQueue queue = queue(action, random.nextBoolean(), Duration.ofMillis(random.nextInt(3) * 30L));
        List<Ticket> accepted = new ArrayList<>();
        Set<Ticket> gone = new HashSet<>();
        for (int step = 0; step < 500; step++) {
            if (random.nextBoolean()) {
                accepted.add(offer(queue, random.nextInt(300)));
            } else {
                time.advance(Duration.ofMillis(random.nextInt(40)));
                Pull pull = queue.pull(1);
                for (Ticket expired : pull.expired()) {
                    assertThat(action).isEqualTo(Action.REJECT);
                    assertThat(time.nanoTime() - expired.arrivedNanos())
                            .isGreaterThanOrEqualTo(patience(queue, expired));
                    assertThat(gone.add(expired)).isTrue();
                }
                for (Ticket taken : pull.batch()) {
                    assertThat(gone.add(taken)).isTrue();
                    if (action == Action.REJECT) {
                        assertThat(time.nanoTime() - taken.arrivedNanos()).isLessThan(patience(queue, taken));
                    }
                }
            }
            assertThat(queue.depth()).isEqualTo(accepted.size() - gone.size());
        }
        time.advance(Duration.ofSeconds(1));
        while (!queue.isEmpty()) {
            Pull pull = queue.pull(1);
            gone.addAll(pull.expired());
            gone.addAll(pull.batch());
        }
        assertThat(gone).hasSameSizeAs(accepted);
    }

    private static long patience(ModelQueue queue, Ticket ticket) {
        return queue.policy().queueTimeout().orElseThrow().of(ticket.request()).toNanos();
    }

    private static Ticket pullOne(ModelQueue queue) {
        return queue.pull(1).batch().get(0);
    }

    private ModelQueue queue(Action action, boolean overridable, Duration delay) {
        QueueTimeout timeout = new QueueTimeout(Duration.ofMillis(200), action, overridable);
        int rows = delay.isZero() ? 1 : 4;
        BatchPolicy policy =
                new BatchPolicy(rows, delay, 1000, 5, BatchPolicy.DEFAULT_PRIORITY_STEP, Optional.of(timeout));
        return new ModelQueue(Tickets.MODEL, policy, Sharing.rows(""), new ExecutionTimes(), time);
    }

    private Ticket offer(ModelQueue queue, int ownMillis) {
        InferenceRequest request = new InferenceRequest(
                null,
                Tickets.MODEL,
                List.of(FakeEngine.row(1)),
                List.of("y"),
                0,
                Duration.ofMillis(ownMillis),
                Trace.NONE);
        Ticket ticket = new Ticket(
                request, new BatchShape(1, 1, "same"), Deadline.after(LONG, time), time.nanoTime(), Trace.NONE);
        queue.offer(ticket);
        return ticket;
    }
}
