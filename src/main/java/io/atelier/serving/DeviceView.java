package io.atelier.serving;

import io.atelier.core.DeviceId;
import io.atelier.core.DeviceState;
import io.atelier.core.ModelId;
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
        List<ModelId> models,
        Counters counters) {

    /**
     * An execution in flight.
     *
     * @param forTime how long it has run
     */
    public record Running(ModelId model, int requests, int rows, Duration forTime) {}

    /** Sums since the start. */
    public record Counters(long executions, long failures, long requests, long rows, Duration busy) {}
}
