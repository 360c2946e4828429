package io.atelier.core;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Everything that can be observed of the service. Methods are called by many threads, must not block and must not
 * throw.
 */
public interface ServingListener {
    /** Hears nothing. */
    ServingListener NONE = new ServingListener() {};

    /** Tells all of these, in order. */
    static ServingListener all(ServingListener... listeners) {
        return new ListenerChain(listeners);
    }

    /** A request was refused before it became a ticket. {@code model} is null when no known model was named. */
    default void onRefused(@Nullable ModelId model, ServingException reason) {}

    /** A ticket entered its queue. */
    default void onAccepted(Ticket ticket) {}

    /** A ticket settled; {@code failure} is null when it has a result. Called once for each accepted ticket. */
    default void onSettled(Ticket ticket, @Nullable ServingException failure) {}

    /** A batch begins to execute. */
    default void onExecutionStarted(Execution execution) {}

    /**
     * A native call has returned with outputs. Called before any of its requests is answered, and never for a golden
     * check.
     */
    default void onExecuted(Execution execution, Stages stages) {}

    /**
     * The native call has truly returned.
     *
     * @param durationNanos how long it held its device
     * @param failure       null when it gave outputs
     */
    default void onExecutionFinished(Execution execution, long durationNanos, @Nullable Throwable failure) {}

    /** A model whose requests shared executions shares none any more, since the outputs of one could not be told apart. */
    default void onSharingStopped(ModelId model, String reason) {}

    /** A device changed its state; {@code reason} is a short word, as for a metric's label. */
    default void onDeviceState(DeviceId device, DeviceState state, String reason) {}

    /**
     * One native execution.
     *
     * @param tickets of the batch; none in a golden check
     */
    record Execution(DeviceId device, ModelId model, List<Ticket> tickets, int rows, long startedNanos) {
        public int requests() {
            return tickets.size();
        }
    }

    /**
     * Where the time of one execution went.
     *
     * @param inputNanos  until the requests' inputs were the model's
     * @param inferNanos  while the model ran
     * @param outputNanos until each request had its own part of the outputs
     */
    record Stages(long inputNanos, long inferNanos, long outputNanos) {}
}
