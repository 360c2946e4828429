package io.atelier.core;

import io.atelier.testing.ManualTime;
import io.atelier.testing.Tickets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Every small interleaving of a ticket's changes of state is one that could happen in order, and it settles once. */
@Tag("concurrency")
public class TicketLincheckTest {
    private final ManualTime time = new ManualTime();
    private final Ticket ticket = new Tickets(time).of(1, Duration.ofSeconds(1));
    private final AtomicInteger heard = new AtomicInteger();

    public TicketLincheckTest() {
        ticket.settled().whenComplete((result, failure) -> heard.incrementAndGet());
    }

    @Operation
    public boolean claim() {
        return ticket.claim(time.nanoTime());
    }

    @Operation
    public boolean requeue() {
        return ticket.requeue();
    }

    @Operation
    public boolean succeed() {
        return ticket.succeed(new InferenceResult(Tickets.MODEL, List.of()));
    }

    @Operation
    public boolean cancel() {
        return ticket.fail(new ServingException.Cancelled());
    }

    @Operation
    public boolean retry() {
        return ticket.tryRetry();
    }

    @Operation
    public Ticket.State state() {
        return ticket.state();
    }

    @Validate
    public void settlesOnce() {
        int expected = ticket.isSettled() ? 1 : 0;
        if (heard.get() != expected) {
            throw new IllegalStateException(ticket + " settled " + heard.get() + " times");
        }
    }

    @Test
    void everyInterleavingIsOneInOrder() {
        new ModelCheckingOptions()
                .threads(3)
                .actorsPerThread(2)
                .actorsBefore(1)
                .actorsAfter(1)
                .iterations(40)
                .invocationsPerIteration(1000)
                .check(TicketLincheckTest.class);
    }
}
