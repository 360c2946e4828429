package io.atelier.scheduling;

import io.atelier.core.InferenceResult;
import io.atelier.core.ServingException;
import io.atelier.core.Sharing;
import io.atelier.core.Ticket;
import io.atelier.testing.ManualTime;
import io.atelier.testing.Tickets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.jetbrains.lincheck.datastructures.Validate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Offers, pulls, returns, cancels, answers and the close of one small queue: whatever their interleaving, what comes out
 * could have come out of a queue used by one thread (in order, within the bound, nothing lost, nothing twice), and in the
 * end the depth is what waits.
 */
@Tag("concurrency")
@Param(name = "thread", gen = ThreadIdGen.class)
public class ModelQueueLincheckTest {
    private static final int THREADS = 3;

    private final ManualTime time = new ManualTime();
    private final Tickets tickets = new Tickets(time);
    private final ModelQueue queue = new ModelQueue(
            Tickets.MODEL, new BatchPolicy(1, Duration.ZERO, 2), Sharing.rows(""), new ExecutionTimes(), time);
    private final @Nullable Ticket[] offered = new Ticket[8];
    private final @Nullable Ticket[] pulled = new Ticket[8];
    private final List<Ticket> all = new CopyOnWriteArrayList<>();

    @Operation
    public String offer(@Param(gen = IntGen.class, conf = "1:4") int number, @Param(name = "thread") int thread) {
        Ticket ticket = tickets.of(number, Duration.ofSeconds(1));
        try {
            queue.offer(ticket);
        } catch (ServingException refused) {
            return refused.code().name();
        }
        offered[thread] = ticket;
        all.add(ticket);
        return "accepted";
    }

    @Operation
    public int pull(@Param(name = "thread") int thread) {
        if (pulled[thread] != null) {
            return -1;
        }
        List<Ticket> batch = queue.pull(1).batch();
        if (batch.isEmpty()) {
            return 0;
        }
        pulled[thread] = batch.get(0);
        return (int) batch.get(0).request().inputs().get(0).data().getFloat(0);
    }

    @Operation
    public void putBack(@Param(name = "thread") int thread) {
        Ticket ticket = pulled[thread];
        if (ticket != null) {
            pulled[thread] = null;
            queue.putBack(List.of(ticket));
        }
    }

    @Operation
    public boolean answer(@Param(name = "thread") int thread) {
        Ticket ticket = pulled[thread];
        if (ticket == null) {
            return false;
        }
        pulled[thread] = null;
        return ticket.succeed(new InferenceResult(Tickets.MODEL, List.of()));
    }

    @Operation
    public boolean cancel(@Param(name = "thread") int thread) {
        Ticket ticket = offered[thread];
        if (ticket == null) {
            return false;
        }
        offered[thread] = null;
        return ticket.fail(new ServingException.Cancelled());
    }

    /** What the timer does where the model has a queue timeout. */
    @Operation
    public boolean expire(@Param(name = "thread") int thread) {
        Ticket ticket = offered[thread];
        return ticket != null && ticket.failUnstarted(new ServingException.WaitedTooLong("fake", Duration.ofMillis(1)));
    }

    @Operation
    public void close() {
        var unused = queue.close();
    }

    @Validate
    public void theDepthIsWhatWaits() {
        long waiting = all.stream()
                .filter(ticket -> ticket.state() == Ticket.State.QUEUED)
                .count();
        if (queue.depth() != waiting) {
            throw new IllegalStateException("depth " + queue.depth() + " with " + waiting + " waiting");
        }
    }

    @Test
    void everyInterleavingIsOneInOrder() {
        new ModelCheckingOptions()
                .threads(THREADS)
                .actorsPerThread(2)
                .actorsBefore(2)
                .actorsAfter(2)
                .iterations(30)
                .invocationsPerIteration(500)
                .check(ModelQueueLincheckTest.class);
    }
}
