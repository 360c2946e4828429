package io.atelier.engine.djl;

import ai.djl.Model;
import ai.djl.translate.TranslateException;
import io.atelier.core.ModelSignature;
import io.atelier.core.ServingException.EngineFailure;
import io.atelier.core.Sharing;
import io.atelier.core.Tensor;
import io.atelier.engine.BatchLayout;
import io.atelier.engine.EngineBatch;
import io.atelier.engine.EngineMessage;
import io.atelier.engine.ModelInstance;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.ModelSource;
import io.atelier.engine.RowsLostException;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A model loaded by DJL on one device. */
final class DjlModelInstance implements ModelInstance {
    private final ModelSignature signature;
    private final Lanes aloneLanes;
    private final @Nullable Lanes togetherLanes;
    private final Sharing sharing;

    /**
     * @param alone    runs requests by themselves; owned by this instance from now on
     * @param together runs several requests, the same model where that changes no answer; null if none may share a batch
     * @param sharing  which requests may
     */
    DjlModelInstance(ModelSource source, Model alone, @Nullable Model together, Sharing sharing)
            throws ModelLoadException {
        LoadedSession session = LoadedSession.of(source, alone);
        this.signature = session.signature();
        this.sharing = sharing;
        BatchLayout layout = new BatchLayout(signature, source.padding());
        this.aloneLanes = lanes(alone, session, layout);
        if (together == alone) {
            this.togetherLanes = aloneLanes;
        } else {
            this.togetherLanes = together == null ? null : lanes(together, LoadedSession.of(source, together), layout);
        }
    }

    private static Lanes lanes(Model model, LoadedSession session, BatchLayout layout) {
        return new Lanes(model, () -> new BatchPredictor(model, session, layout));
    }

    @Override
    public ModelSignature signature() {
        return signature;
    }

    @Override
    public Sharing sharing() {
        return sharing;
    }

    @Override
    public CompletionStage<List<List<Tensor>>> run(EngineBatch batch) {
        Lanes lanes = batch.requests().size() == 1 || togetherLanes == null ? aloneLanes : togetherLanes;
        try {
            return CompletableFuture.completedStage(lanes.predict(batch));
        } catch (CancellationException ended) {
            return CompletableFuture.failedStage(ended);
        } catch (TranslateException | RuntimeException failure) {
            if (failure.getCause() instanceof CancellationException
                    || failure.getCause() instanceof RowsLostException) {
                return CompletableFuture.failedStage(failure.getCause());
            }
            return CompletableFuture.failedStage(
                    new EngineFailure("the execution failed: " + EngineMessage.of(failure), failure));
        }
    }

    @Override
    public void close() {
        aloneLanes.close();
        if (togetherLanes != null && togetherLanes != aloneLanes) {
            togetherLanes.close();
        }
    }
}
