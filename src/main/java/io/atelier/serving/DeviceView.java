package io.atelier.serving;

import io.atelier.core.DeviceId;
import io.atelier.core.DeviceState;
import io.atelier.core.ModelId;
import io.atelier.core.Sharing;
import java.time.Duration;
import java.util.List;

/**
 * A device as operators see it.
 *
 * @param reason  why the device is in its state, for people
 * @param slots   executions that may run at once
 * @param threads names of its executor's threads
 * @param running what runs on it now
 * @param models  the models resident on it
 */
public record DeviceView(
        DeviceId id,
        String name,
        DeviceState state,
        String reason,
        int slots,
        List<String> threads,
        List<Running> running,
        List<Held> models,
        Counters counters) {

    /**
     * An execution in flight.
     *
     * @param forTime how long it has run
     */
    public record Running(ModelId model, int requests, int rows, Duration forTime) {}

    /** A model on the device, and whether its requests share executions. */
    public record Held(ModelId model, Sharing sharing) {}

    /** Sums since the start. */
    public record Counters(long executions, long failures, long requests, long rows, Duration busy) {}
}
