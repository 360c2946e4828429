package io.atelier.engine;

import io.atelier.core.ModelSignature;
import io.atelier.core.Sharing;
import io.atelier.core.Tensor;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * A model version resident on one device. Owned by the device, whose threads alone call {@link #run}; several of them
 * may do so at once, up to {@link ModelSource#concurrency()}.
 */
public interface ModelInstance extends AutoCloseable {
    ModelSignature signature();

    /**
     * Which requests the engine can run in one execution, as far as it knows. Whether their answers are then those that
     * they get alone is not shown by it: see {@code BatchProof}.
     */
    Sharing sharing();

    /**
     * Executes a batch. The stage completes when the native call has truly returned, usually before this method does;
     * a failure is its exception. Native memory is opened and closed within.
     *
     * @return for each request its outputs, in the order of {@link EngineBatch#outputs()}; fails with {@link
     *     RowsLostException} where the outputs of several requests cannot be told apart
     */
    CompletionStage<List<List<Tensor>>> run(EngineBatch batch);

    /** Frees the model. Nothing may run or be run any more: closing under a run crashes native engines. */
    @Override
    void close();
}
