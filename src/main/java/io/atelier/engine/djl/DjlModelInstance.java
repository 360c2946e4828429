package io.atelier.engine.djl;

import ai.djl.Model;
import ai.djl.translate.TranslateException;
import io.atelier.core.ModelSignature;
import io.atelier.core.ServingException.EngineFailure;
import io.atelier.core.Tensor;
import io.atelier.engine.BatchLayout;
import io.atelier.engine.EngineBatch;
import io.atelier.engine.ModelInstance;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.ModelSource;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
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
        this.oneRow = new Lanes(alone, session, layout);
        if (together == alone) {
            this.manyRows = oneRow;
        } else {
            this.manyRows = together == null ? null : new Lanes(together, LoadedSession.of(together), layout);
        }
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
                    new EngineFailure("the execution failed: " + DjlEngine.rootMessage(failure), failure));
        }
    }

    @Override
    public void close() {
        oneRow.close();
        if (manyRows != null && manyRows != oneRow) {
            manyRows.close();
        }
    }

    /**
     * The predictors of one model. A predictor belongs to one thread at a time, the session beneath it to all: they are
     * lent out from a pool that grows to as many as run at once.
     */
    private static final class Lanes {
        private final Model model;
        private final LoadedSession session;
        private final BatchLayout layout;
        private final ConcurrentLinkedQueue<BatchPredictor> idle = new ConcurrentLinkedQueue<>();

        Lanes(Model model, LoadedSession session, BatchLayout layout) {
            this.model = model;
            this.session = session;
            this.layout = layout;
        }

        List<List<Tensor>> predict(EngineBatch batch) throws TranslateException {
            BatchPredictor predictor = idle.poll();
            if (predictor == null) {
                predictor = new BatchPredictor(model, session.session(), session.signature(), layout);
            }
            try {
                return predictor.predict(batch);
            } finally {
                idle.add(predictor);
            }
        }

        void close() {
            idle.forEach(BatchPredictor::close);
            model.close();
        }
    }
}
