package io.atelier.scheduling;

import io.atelier.core.Ticket;
import java.util.List;

/**
 * What a device gets when it asks a queue for work.
 *
 * @param batch     claimed tickets to execute together; empty if there is nothing to do now
 * @param late      tickets whose deadline had passed; no longer queued, to be settled by the caller
 * @param expired   tickets that have waited as long as the model lets them; no longer queued, to be settled by the caller
 * @param againNanos the ticker's reading at which a batch that waits for company is due; {@link #NEVER} if none waits
 */
public record Pull(List<Ticket> batch, List<Ticket> late, List<Ticket> expired, long againNanos) {
    /** Nothing waits for its time. */
    public static final long NEVER = Long.MAX_VALUE;
}
