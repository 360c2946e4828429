package io.atelier.simulation;

import io.atelier.core.DeviceId;
import io.atelier.core.ModelSignature;
import io.atelier.core.Sharing;
import io.atelier.core.Tensor;
import io.atelier.engine.EngineBatch;
import io.atelier.engine.ModelInstance;
import io.atelier.scheduling.ModelQueue;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** A model on one simulated device. */
final class SimInstance implements ModelInstance {
    private final SimEngine engine;
    private final DeviceId device;
    final ModelQueue queue;
    final int limit;
    final long heldNanos;
    int running;
    boolean closed;
    /** The last golden sample was answered rightly, and when it was asked. */
    boolean goldenRight;

    long goldenBeganNanos;

    SimInstance(SimEngine engine, DeviceId device, ModelQueue queue, int limit, long heldNanos) {
        this.engine = engine;
        this.device = device;
        this.queue = queue;
        this.limit = limit;
        this.heldNanos = heldNanos;
    }

    DeviceId device() {
        return device;
    }

    @Override
    public ModelSignature signature() {
        return SimEngine.SIGNATURE;
    }

    @Override
    public Sharing sharing() {
        return Sharing.rows("");
    }

    @Override
    public CompletionStage<List<List<Tensor>>> run(EngineBatch batch) {
        return engine.run(this, batch);
    }

    @Override
    public void close() {
        engine.close(this);
    }
}
