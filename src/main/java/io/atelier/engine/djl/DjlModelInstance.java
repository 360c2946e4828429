package io.atelier.engine.djl;

import ai.djl.Model;
import ai.djl.translate.TranslateException;
import io.atelier.core.ModelSignature;
import io.atelier.core.ServingException.EngineFailure;
import io.atelier.core.Tensor;
import io.atelier.engine.BatchLayout;
import io.atelier.engine.EngineBatch;
import io.atelier.engine.EngineMessage;
import io.atelier.engine.ModelInstance;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.ModelSource;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A model loaded by DJL on one device. */
final class DjlModelInstance implements ModelInstance {
    private final ModelSignature signature;
    private final Lanes oneRow;
    private final @Nullable Lanes manyRows;

    /**
     * @param alone    runs one row; owned by this instance from now on
     * @param together runs several rows, the same model where that changes no answer; null if none may share a batch
     */
    DjlModelInstance(ModelSource source, Model alone, @Nullable Model together) throws ModelLoadException {
        LoadedSession session = LoadedSession.of(alone);
        this.signature = session.signature();
        BatchLayout layout = new BatchLayout(signature, source.padding());
        this.oneRow = lanes(alone, session, layout);
        if (together == alone) {
            this.manyRows = oneRow;
        } else {
            this.manyRows = together == null ? null : lanes(together, LoadedSession.of(together), layout);
        }
    }

    private static Lanes lanes(Model model, LoadedSession session, BatchLayout layout) {
        return new Lanes(model, () -> new BatchPredictor(model, session.session(), session.signature(), layout));
    }

    @Override
    public ModelSignature signature() {
        return signature;
    }

    @Override
    public boolean canBatch() {
        return manyRows != null && signature.hasBatchAxis();
    }

    @Override
    public CompletionStage<List<List<Tensor>>> run(EngineBatch batch) {
        boolean one = batch.requests().size() == 1
                && (!signature.hasBatchAxis()
                        || batch.requests().get(0).get(0).shape().dimension(0) == 1);
        Lanes lanes = one || manyRows == null ? oneRow : manyRows;
        try {
            return CompletableFuture.completedStage(lanes.predict(batch));
        } catch (CancellationException ended) {
            return CompletableFuture.failedStage(ended);
        } catch (TranslateException | RuntimeException failure) {
            if (failure.getCause() instanceof CancellationException ended) {
                return CompletableFuture.failedStage(ended);
            }
            return CompletableFuture.failedStage(
                    new EngineFailure("the execution failed: " + EngineMessage.of(failure), failure));
        }
    }

    @Override
    public void close() {
        oneRow.close();
        if (manyRows != null && manyRows != oneRow) {
            manyRows.close();
        }
    }
}
