package io.atelier.scheduling;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.core.ServingException.Cancelled;
import io.atelier.core.ServingException.Overloaded;
import io.atelier.core.Sharing;
import io.atelier.core.Ticket;
import io.atelier.testing.ManualTime;
import io.atelier.testing.Tickets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random histories of one queue: whatever happens, tickets of one key leave in order, none is lost or given out twice,
 * no batch is larger than allowed or mixes keys, and the depth is right.
 */
class ModelQueuePropertyTest {
    static LongStream seeds() {
        return LongStream.range(0, 300);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void holdsItsPromisesInEveryHistory(long seed) {
        Random random = new Random(seed);
        ManualTime time = new ManualTime();
        Tickets tickets = new Tickets(time);
        int maxBatch = 1 + random.nextInt(8);
        int maxQueue = 1 + random.nextInt(30);
        Duration delay = Duration.ofMillis(random.nextBoolean() ? 0 : random.nextInt(5));
        ModelQueue queue = new ModelQueue(
                Tickets.MODEL,
                new BatchPolicy(maxBatch, delay, maxQueue),
                Sharing.rows(""),
                new ExecutionTimes(),
                time);

        List<Ticket> accepted = new ArrayList<>();
        Set<Ticket> gone = new HashSet<>();
        Map<Object, Integer> lastGivenOut = new HashMap<>();
        for (int step = 0; step < 200; step++) {
            switch (random.nextInt(4)) {
                case 0, 1 -> {
                    Ticket ticket = tickets.of(
                            accepted.size(),
                            Duration.ofMillis(1 + random.nextInt(40)),
                            1 + random.nextInt(3),
                            "key" + random.nextInt(3));
                    int before = queue.depth();
                    try {
                        queue.offer(ticket);
                        accepted.add(ticket);
                        assertThat(before).isLessThan(maxQueue);
                    } catch (Overloaded full) {
                        assertThat(before).isEqualTo(maxQueue);
                    }
                }
                case 2 -> {
                    time.advance(Duration.ofMillis(random.nextInt(4)));
                    Pull pull = queue.pull(1 + random.nextInt(3));
                    for (Ticket late : pull.late()) {
                        assertThat(late.deadline().hasPassed()).isTrue();
                        assertThat(gone.add(late)).isTrue();
                    }
                    Set<Object> keys = new HashSet<>();
                    int rows = 0;
                    for (Ticket ticket : pull.batch()) {
                        assertThat(gone.add(ticket)).isTrue();
                        assertThat(ticket.deadline().hasPassed()).isFalse();
                        assertThat(ticket.state()).isEqualTo(Ticket.State.RUNNING);
                        Object key = ticket.shape().key();
                        keys.add(key);
                        int index = accepted.indexOf(ticket);
                        assertThat(index).isGreaterThan(lastGivenOut.getOrDefault(key, -1));
                        lastGivenOut.put(key, index);
                        rows += ticket.shape().rows();
                    }
                    assertThat(keys).hasSizeLessThanOrEqualTo(1);
                    assertThat(rows <= maxBatch || pull.batch().size() == 1).isTrue();
                }
                default -> {
                    if (!accepted.isEmpty()) {
                        Ticket ticket = accepted.get(random.nextInt(accepted.size()));
                        if (gone.add(ticket)) {
                            assertThat(ticket.fail(new Cancelled())).isTrue();
                        }
                    }
                }
            }
            assertThat(queue.depth()).isEqualTo(accepted.size() - gone.size());
        }

        time.advance(Duration.ofMillis(10));
        for (Pull rest = queue.pull(1); !queue.isEmpty() || !rest.batch().isEmpty(); rest = queue.pull(1)) {
            gone.addAll(rest.batch());
            gone.addAll(rest.late());
            if (rest.batch().isEmpty() && queue.isEmpty()) {
                break;
            }
        }
        gone.addAll(queue.pull(1).late());
        assertThat(queue.depth()).isZero();
    }
}
