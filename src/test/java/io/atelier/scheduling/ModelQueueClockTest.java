package io.atelier.scheduling;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.core.Sharing;
import io.atelier.core.Ticket;
import io.atelier.testing.ManualTime;
import io.atelier.testing.Tickets;
import java.time.Duration;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class ModelQueueClockTest {
    private final ManualTime time = new ManualTime();
    private final ModelQueue queue = new ModelQueue(
            Tickets.MODEL, new BatchPolicy(4, Duration.ZERO, 100), Sharing.rows(""), new ExecutionTimes(), time);

    /** A device waits for the lock while an offer holds it; meanwhile the offered ticket's deadline passes. */
    @Test
    void looksAtTheClockWhenItsTurnHasComeNotBefore() throws Exception {
        Ticket ticket = new Tickets(time).of(1, Duration.ofMillis(10));
        FutureTask<Pull> pull = new FutureTask<>(() -> queue.pull(1));
        AtomicBoolean asked = new AtomicBoolean();
        queue.attach(new Puller() {
            @Override
            public int slots() {
                if (!asked.getAndSet(true)) {
                    Thread device = new Thread(pull, "device");
                    device.start();
                    awaitBlocked(device);
                    time.advance(Duration.ofMillis(50));
                }
                return 1;
            }
        });

        queue.offer(ticket);

        Pull pulled = pull.get(10, TimeUnit.SECONDS);
        assertThat(pulled.batch()).isEmpty();
        assertThat(pulled.late()).containsExactly(ticket);
    }

    private static void awaitBlocked(Thread thread) {
        while (thread.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
    }

    /** A device that is never free. */
    private abstract static class Puller implements ModelQueue.Puller {
        @Override
        public boolean wake() {
            return false;
        }

        @Override
        public int freeSlots() {
            return 0;
        }
    }
}
