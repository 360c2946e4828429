package io.atelier.scheduling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.core.DeviceId;
import io.atelier.core.ServingException.Cancelled;
import io.atelier.core.ServingException.DeadlineExceeded;
import io.atelier.core.ServingException.NotReady;
import io.atelier.core.ServingException.Overloaded;
import io.atelier.core.Sharing;
import io.atelier.core.Ticket;
import io.atelier.testing.ManualTime;
import io.atelier.testing.Tickets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ModelQueueTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    private final ManualTime time = new ManualTime();
    private final Tickets tickets = new Tickets(time);
    private final ExecutionTimes times = new ExecutionTimes();

    @Test
    void givesOutTicketsInOrderOfArrivalUpToTheLargestBatch() {
        ModelQueue queue = queue(new BatchPolicy(4, Duration.ZERO, 100));
        List<Ticket> all = offer(queue, 6);

        assertThat(queue.pull(1).batch()).containsExactlyElementsOf(all.subList(0, 4));
        assertThat(queue.pull(1).batch()).containsExactlyElementsOf(all.subList(4, 6));
        assertThat(queue.pull(1).batch()).isEmpty();
        assertThat(queue.depth()).isZero();
    }

    @Test
    void sharesWhatWaitsAmongFreeSlots() {
        ModelQueue queue = queue(new BatchPolicy(16, Duration.ZERO, 100));
        List<Ticket> all = offer(queue, 5);

        assertThat(queue.pull(2).batch()).containsExactlyElementsOf(all.subList(0, 3));
        assertThat(queue.pull(1).batch()).containsExactlyElementsOf(all.subList(3, 5));
    }

    @Test
    void batchesOnlyEqualKeysAroundTheOldest() {
        ModelQueue queue = queue(new BatchPolicy(16, Duration.ZERO, 100));
        Ticket short1 = offer(queue, 1, "short");
        Ticket long1 = offer(queue, 1, "long");
        Ticket short2 = offer(queue, 1, "short");

        assertThat(queue.pull(1).batch()).containsExactly(short1, short2);
        assertThat(queue.pull(1).batch()).containsExactly(long1);
    }

    @Test
    void countsRowsNotTickets() {
        ModelQueue queue = queue(new BatchPolicy(8, Duration.ZERO, 100));
        Ticket five = offer(queue, 5, "k");
        Ticket three = offer(queue, 3, "k");
        Ticket one = offer(queue, 1, "k");

        assertThat(queue.pull(1).batch()).containsExactly(five, three);
        assertThat(queue.pull(1).batch()).containsExactly(one);
    }

    @Test
    void runsATicketLargerThanABatchAlone() {
        ModelQueue queue = queue(new BatchPolicy(4, Duration.ZERO, 100));
        Ticket six = offer(queue, 6, "k");
        offer(queue, 1, "k");

        assertThat(queue.pull(1).batch()).containsExactly(six);
    }

    @Test
    void refusesTheTicketBeyondItsBound() {
        ModelQueue queue = queue(new BatchPolicy(4, Duration.ZERO, 2));
        offer(queue, 2);

        assertThatThrownBy(() -> queue.offer(tickets.of(3, LONG)))
                .isInstanceOf(Overloaded.class)
                .hasMessage("the queue of model 'fake' is full: 2 wait");
        assertThat(queue.depth()).isEqualTo(2);
    }

    @Test
    void whatIsLessUrgentLeavesHalfOfTheLine() {
        ModelQueue queue = queue(new BatchPolicy(4, Duration.ZERO, 4));
        prioritised(queue, 8);
        prioritised(queue, 8);

        assertThatThrownBy(() -> prioritised(queue, 8))
                .isInstanceOf(Overloaded.class)
                .hasMessage("the queue of model 'fake' has no room for priority 8: 2 wait");
        prioritised(queue, 0);
        prioritised(queue, 1);
        assertThatThrownBy(() -> prioritised(queue, 1))
                .isInstanceOf(Overloaded.class)
                .hasMessage("the queue of model 'fake' is full: 4 wait");
    }

    @Test
    void whatIsLessUrgentIsNotWaitedFor() {
        times.record(DeviceId.cpu(0), 1, 100_000_000);
        ModelQueue queue = queue(new BatchPolicy(1, Duration.ZERO, 1000));
        queue.attach(new BusyDevice());
        for (int i = 0; i < 10; i++) {
            prioritised(queue, 8);
        }

        queue.offer(tickets.of(1, Duration.ofMillis(400)));
        assertThatThrownBy(() -> queue.offer(tickets.of(2, Duration.ofMillis(400), 1, "same", 8)))
                .isInstanceOf(Overloaded.class);
    }

    @Test
    void aTicketThatSettlesWhileItWaitsLeavesRoomAndIsNotGivenOut() {
        ModelQueue queue = queue(new BatchPolicy(4, Duration.ZERO, 2));
        List<Ticket> two = offer(queue, 2);

        two.get(0).fail(new Cancelled());
        Ticket third = tickets.of(3, LONG);
        queue.offer(third);

        assertThat(queue.pull(1).batch()).containsExactly(two.get(1), third);
    }

    @Test
    void dropsLateTicketsBeforeTheForwardPass() {
        ModelQueue queue = queue(new BatchPolicy(4, Duration.ZERO, 100));
        Ticket late = tickets.of(1, Duration.ofMillis(10));
        queue.offer(late);
        Ticket inTime = tickets.of(2, LONG);
        queue.offer(inTime);
        time.advance(Duration.ofMillis(10));

        Pull pull = queue.pull(1);

        assertThat(pull.batch()).containsExactly(inTime);
        assertThat(pull.late()).containsExactly(late);
        assertThat(late.attempts()).isZero();
        assertThat(queue.depth()).isZero();
    }

    @Test
    void waitsForCompanyFromTheOldestsArrivalOnly() {
        ModelQueue queue = queue(new BatchPolicy(2, Duration.ofMillis(5), 100));
        long arrival = time.nanoTime();
        Ticket oldest = tickets.of(1, LONG);
        queue.offer(oldest);
        time.advance(Duration.ofMillis(3));

        Pull waiting = queue.pull(1);
        assertThat(waiting.batch()).isEmpty();
        assertThat(waiting.againNanos() - arrival).isEqualTo(5_000_000);

        time.advance(Duration.ofMillis(2));
        assertThat(queue.pull(1).batch()).containsExactly(oldest);
    }

    @Test
    void aFullBatchDoesNotWait() {
        ModelQueue queue = queue(new BatchPolicy(2, Duration.ofMillis(5), 100));
        List<Ticket> two = offer(queue, 2);

        assertThat(queue.pull(1).batch()).containsExactlyElementsOf(two);
    }

    @Test
    void doesNotWaitForCompanyPastTheNearestDeadline() {
        times.record(DeviceId.cpu(0), 1, 1_000_000);
        ModelQueue queue = queue(new BatchPolicy(4, Duration.ofMillis(50), 100));
        long arrival = time.nanoTime();
        queue.offer(tickets.of(1, Duration.ofMillis(10)));

        assertThat(queue.pull(1).againNanos() - arrival).isEqualTo(8_000_000);
    }

    @Test
    void refusesAtOnceWhatCouldNotBeServedInTime() {
        ModelQueue queue = queue(new BatchPolicy(1, Duration.ZERO, 100));
        queue.attach(new BusyDevice());
        times.record(DeviceId.cpu(0), 1, 100_000_000);
        offer(queue, 3);

        Ticket hurried = tickets.of(4, Duration.ofMillis(200));
        assertThatThrownBy(() -> queue.offer(hurried))
                .isInstanceOfSatisfying(
                        Overloaded.class,
                        refused -> assertThat(refused.retryAfter()).hasValue(Duration.ofMillis(350)));
        assertThat(queue.depth()).isEqualTo(3);
    }

    @Test
    void countsOnTheTimeOfTheWholeBatchThatARequestWillBeIn() {
        ModelQueue queue = queue(new BatchPolicy(4, Duration.ZERO, 100));
        queue.attach(new BusyDevice());
        times.record(DeviceId.cpu(0), 1, 30_000_000);
        times.record(DeviceId.cpu(0), 4, 60_000_000);
        offer(queue, 3);

        // half a batch until a slot is free, then the batch of four that it completes: 30 + 60 ms
        assertThatThrownBy(() -> queue.offer(tickets.of(4, Duration.ofMillis(85))))
                .isInstanceOf(Overloaded.class);
        queue.offer(tickets.of(4, Duration.ofMillis(95)));
    }

    @Test
    void dropsWhatNoExecutionCouldAnswerInTimeAnyMoreWhileOthersWait() {
        times.record(DeviceId.cpu(0), 2, 50_000_000);
        ModelQueue queue = queue(new BatchPolicy(2, Duration.ZERO, 100));
        Ticket hopeless = tickets.of(1, Duration.ofMillis(60));
        queue.offer(hopeless);
        List<Ticket> others = offer(queue, 2);
        time.advance(Duration.ofMillis(20));

        Pull pull = queue.pull(1);

        assertThat(pull.batch()).containsExactlyElementsOf(others);
        assertThat(pull.late()).containsExactly(hopeless);
        assertThat(hopeless.attempts()).isZero();
        assertThat(queue.depth()).isZero();
    }

    @Test
    void triesWhatIsHopelessWhenNothingElseWaits() {
        times.record(DeviceId.cpu(0), 1, 50_000_000);
        ModelQueue queue = queue(new BatchPolicy(2, Duration.ZERO, 100));
        Ticket hopeless = tickets.of(1, Duration.ofMillis(60));
        queue.offer(hopeless);
        time.advance(Duration.ofMillis(20));

        assertThat(queue.pull(1).batch()).containsExactly(hopeless);
    }

    @Test
    void keepsADistanceFromTheDeadlineWhenAnswersComeTooLate() {
        times.record(DeviceId.cpu(0), 1, 100_000_000);
        ModelQueue queue = queue(new BatchPolicy(1, Duration.ZERO, 1000));
        queue.attach(new BusyDevice());
        Ticket ticket = tickets.of(1, Duration.ofMillis(160));
        queue.offer(ticket);
        time.advance(Duration.ofMillis(50));
        queue.pull(1);
        time.advance(Duration.ofMillis(110)); // the wait was as predicted, the execution a little longer
        ticket.fail(new DeadlineExceeded("late"));

        assertThatThrownBy(() -> queue.offer(tickets.of(2, Duration.ofMillis(151))))
                .isInstanceOf(Overloaded.class);
    }

    @Test
    void keepsADistanceFromTheDeadlineWhenRequestsExpireInTheLine() {
        times.record(DeviceId.cpu(0), 1, 100_000_000);
        ModelQueue queue = queue(new BatchPolicy(1, Duration.ZERO, 1000));
        queue.attach(new BusyDevice());
        Ticket stuck = tickets.of(1, Duration.ofMillis(160));
        queue.offer(stuck);
        time.advance(Duration.ofMillis(160));
        stuck.fail(new DeadlineExceeded("late"));

        assertThatThrownBy(() -> queue.offer(tickets.of(2, Duration.ofMillis(151))))
                .isInstanceOf(Overloaded.class);
    }

    @Test
    void anExecutionThatHangsDoesNotMakeWaitsLongerThanTheyAre() {
        times.record(DeviceId.cpu(0), 1, 100_000_000);
        ModelQueue queue = queue(new BatchPolicy(1, Duration.ZERO, 1000));
        queue.attach(new BusyDevice());
        Ticket victim = tickets.of(1, Duration.ofSeconds(5));
        queue.offer(victim);
        time.advance(Duration.ofMillis(50));
        queue.pull(1);
        time.advance(Duration.ofSeconds(5));
        victim.fail(new DeadlineExceeded("late"));

        queue.offer(tickets.of(2, Duration.ofMillis(151)));
    }

    @Test
    void predictsByRowsNotByTickets() {
        ModelQueue queue = queue(new BatchPolicy(8, Duration.ZERO, 100));
        queue.attach(new BusyDevice());
        times.record(DeviceId.cpu(0), 8, 100_000_000);
        offer(queue, 8, "k");
        offer(queue, 8, "k");
        offer(queue, 8, "k");

        // half a batch until the slot is free, then three full ones
        assertThat(queue.predictedWaitNanos()).isEqualTo(350_000_000);
    }

    @Test
    void groupsThatWerePutBackRunFirstAndApart() {
        ModelQueue queue = queue(new BatchPolicy(4, Duration.ZERO, 100));
        List<Ticket> four = offer(queue, 4);
        List<Ticket> batch = queue.pull(1).batch();
        offer(queue, 1);

        batch.get(1).fail(new Cancelled());
        queue.putBack(batch.subList(0, 2));
        queue.putBack(batch.subList(2, 4));

        assertThat(queue.depth()).isEqualTo(4);
        assertThat(queue.pull(1).batch()).containsExactly(four.get(0));
        assertThat(queue.pull(1).batch()).containsExactly(four.get(2), four.get(3));
        assertThat(queue.pull(1).batch()).hasSize(1);
        assertThat(queue.depth()).isZero();
    }

    @Test
    void aClosedQueueTakesNothingMoreAndGivesOutWhatItHas() {
        ModelQueue queue = queue(new BatchPolicy(4, Duration.ZERO, 100));
        List<Ticket> one = offer(queue, 1);
        assertThat(queue.close()).isNotDone();

        assertThatThrownBy(() -> queue.offer(tickets.of(2, LONG))).isInstanceOf(NotReady.class);
        assertThat(queue.pull(1).batch()).containsExactlyElementsOf(one);
    }

    @Test
    void aBetterPriorityOvertakesAndEqualOnesKeepTheirOrder() {
        ModelQueue queue = queue(new BatchPolicy(1, Duration.ZERO, 100));
        Ticket usual = prioritised(queue, 0);
        Ticket lowest = prioritised(queue, 10);
        Ticket urgent = prioritised(queue, 1);
        Ticket alsoUrgent = prioritised(queue, 1);

        assertThat(List.of(pullOne(queue), pullOne(queue), pullOne(queue), pullOne(queue)))
                .containsExactly(urgent, alsoUrgent, usual, lowest);
    }

    @Test
    void waitingLiftsTheLowestPriorityAboveTheHighest() {
        ModelQueue queue = queue(new BatchPolicy(1, Duration.ZERO, 100, 5, Duration.ofMillis(500)));
        Ticket lowest = prioritised(queue, 10);
        time.advance(Duration.ofMillis(9 * 500 + 1));
        Ticket urgent = prioritised(queue, 1);

        assertThat(queue.urgency()).isEqualTo(1);
        assertThat(pullOne(queue)).isSameAs(lowest);
        assertThat(pullOne(queue)).isSameAs(urgent);
    }

    @Test
    void refusesADeadlineNearerThanTheFastestExecution() {
        ModelQueue queue = queue(new BatchPolicy(1, Duration.ZERO, 100));
        times.record(DeviceId.cpu(0), 1, 5_000_000);

        assertThatThrownBy(() -> queue.offer(tickets.of(1, Duration.ofMillis(4))))
                .isInstanceOf(DeadlineExceeded.class);
        assertThat(queue.depth()).isZero();
    }

    @Test
    void predictsTheWaitOfAModelThatDoesNotBatchOneByOne() {
        times.record(DeviceId.cpu(0), 1, 10_000_000);
        BatchPolicy policy = new BatchPolicy(16, Duration.ZERO, 100);
        ModelQueue together = queue(policy);
        ModelQueue alone = new ModelQueue(Tickets.MODEL, policy, Sharing.none(""), times, time);
        for (ModelQueue queue : List.of(together, alone)) {
            queue.attach(new BusyDevice());
            queue.began(10_000_000);
            for (int i = 0; i < 8; i++) {
                offer(queue, 1, i);
            }
        }

        assertThat(alone.predictedWaitNanos()).isEqualTo(90_000_000);
        assertThat(together.predictedWaitNanos()).isLessThan(90_000_000);
    }

    @Test
    void aModelThatStopsSharingGivesOutOneRequestAtATimeAlsoOfThoseThatWait() {
        ModelQueue queue = queue(new BatchPolicy(16, Duration.ZERO, 100));
        List<Ticket> waiting = offer(queue, 3);

        assertThat(queue.stopSharing("lost")).isTrue();
        assertThat(queue.stopSharing("lost again")).isFalse();

        assertThat(queue.sharing()).isEqualTo(Sharing.none("lost"));
        for (Ticket ticket : waiting) {
            assertThat(queue.pull(1).batch()).containsExactly(ticket);
        }
    }

    @Test
    void aModelThatDoesNotBatchWaitsForNoCompany() {
        ModelQueue queue = new ModelQueue(
                Tickets.MODEL, new BatchPolicy(16, Duration.ofMillis(5), 100), Sharing.none(""), times, time);
        Ticket only = offer(queue, 1, "own");

        assertThat(queue.pull(1).batch()).containsExactly(only);
    }

    private Ticket prioritised(ModelQueue queue, int priority) {
        Ticket ticket = tickets.of(0, LONG, 1, "same", priority);
        queue.offer(ticket);
        return ticket;
    }

    private static Ticket pullOne(ModelQueue queue) {
        return queue.pull(1).batch().get(0);
    }

    private ModelQueue queue(BatchPolicy policy) {
        return new ModelQueue(Tickets.MODEL, policy, Sharing.rows(""), times, time);
    }

    private List<Ticket> offer(ModelQueue queue, int count) {
        List<Ticket> offered = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Ticket ticket = tickets.of(i, LONG);
            queue.offer(ticket);
            offered.add(ticket);
        }
        return offered;
    }

    private Ticket offer(ModelQueue queue, int rows, Object key) {
        Ticket ticket = tickets.of(0, LONG, rows, key);
        queue.offer(ticket);
        return ticket;
    }

    /** One slot, taken. */
    private static final class BusyDevice implements ModelQueue.Puller {
        @Override
        public boolean wake() {
            return false;
        }

        @Override
        public int freeSlots() {
            return 0;
        }

        @Override
        public int slots() {
            return 1;
        }
    }
}
