package io.atelier.core;

import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Several listeners as one; each hears everything, in order. */
final class ListenerChain implements ServingListener {
    private final List<ServingListener> listeners;

    ListenerChain(ServingListener... listeners) {
        this.listeners = List.of(listeners);
    }

    private void tell(Consumer<ServingListener> event) {
        listeners.forEach(event);
    }

    @Override
    public void onRefused(@Nullable ModelId model, ServingException reason) {
        tell(listener -> listener.onRefused(model, reason));
    }

    @Override
    public void onAccepted(Ticket ticket) {
        tell(listener -> listener.onAccepted(ticket));
    }

    @Override
    public void onSettled(Ticket ticket, @Nullable ServingException failure) {
        tell(listener -> listener.onSettled(ticket, failure));
    }

    @Override
    public void onExecutionStarted(Execution execution) {
        tell(listener -> listener.onExecutionStarted(execution));
    }

    @Override
    public void onExecuted(Execution execution, Stages stages) {
        tell(listener -> listener.onExecuted(execution, stages));
    }

    @Override
    public void onExecutionFinished(Execution execution, long durationNanos, @Nullable Throwable failure) {
        tell(listener -> listener.onExecutionFinished(execution, durationNanos, failure));
    }

    @Override
    public void onSharingStopped(ModelId model, String reason) {
        tell(listener -> listener.onSharingStopped(model, reason));
    }

    @Override
    public void onDeviceState(DeviceId device, DeviceState state, String reason) {
        tell(listener -> listener.onDeviceState(device, state, reason));
    }
}
