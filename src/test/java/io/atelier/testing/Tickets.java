package io.atelier.testing;

import io.atelier.core.BatchShape;
import io.atelier.core.Deadline;
import io.atelier.core.InferenceRequest;
import io.atelier.core.ModelId;
import io.atelier.core.Ticker;
import io.atelier.core.Ticket;
import java.time.Duration;
import java.util.List;

/** Makes tickets of the fake engine's model. */
public final class Tickets {
    public static final ModelId MODEL = new ModelId("fake", "1");

    private final Ticker ticker;

    public Tickets(Ticker ticker) {
        this.ticker = ticker;
    }

    /** A ticket of one row that asks for the successor of {@code number}. */
    public Ticket of(float number, Duration timeout) {
        return of(number, timeout, 1, "same");
    }

    public Ticket of(float number, Duration timeout, int rows, Object key) {
        return of(number, timeout, rows, key, 0);
    }

    public Ticket of(float number, Duration timeout, int rows, Object key, int priority) {
        InferenceRequest request =
                new InferenceRequest(null, MODEL, List.of(FakeEngine.row(number)), List.of("y"), priority);
        return new Ticket(
                request,
                new BatchShape(rows, rows, key),
                Deadline.after(timeout, ticker),
                ticker.nanoTime(),
                request.trace());
    }
}
