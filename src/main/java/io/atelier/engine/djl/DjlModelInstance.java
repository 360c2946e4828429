package io.atelier.engine.djl;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.translate.NoBatchifyTranslator;
import ai.djl.translate.TranslateException;
import ai.djl.translate.TranslatorContext;
import io.atelier.core.ModelSignature;
import io.atelier.core.ServingException.EngineFailure;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.engine.BatchLayout;
import io.atelier.engine.EngineBatch;
import io.atelier.engine.ModelInstance;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.ModelSource;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * A model loaded by DJL on one device.
 *
 * <p>A DJL predictor belongs to one thread at a time, the session beneath it to all: predictors are lent out from a pool
 * that grows to as many as run at once, each with the buffers into which its batches are gathered.
 */
final class DjlModelInstance implements ModelInstance {
    private final Model alone;
    private final @Nullable Model together;
    private final ModelSignature signature;
    private final BatchLayout layout;
    private final ConcurrentLinkedQueue<Lane> idle = new ConcurrentLinkedQueue<>();

    /**
     * @param alone    runs one row; owned by this instance from now on
     * @param together runs several rows, the same model where that changes no answer; null if none may share a batch
     */
    DjlModelInstance(ModelSource source, Model alone, @Nullable Model together) throws ModelLoadException {
        this.alone = alone;
        this.together = together;
        this.signature = SessionMetadata.of(alone).signature();
        this.layout = new BatchLayout(signature, source.padding());
    }

    @Override
    public ModelSignature signature() {
        return signature;
    }

    @Override
    public boolean canBatch() {
        return together != null && signature.hasBatchAxis();
    }

    @Override
    public CompletionStage<List<List<Tensor>>> run(EngineBatch batch) {
        Lane lane = idle.poll();
        if (lane == null) {
            lane = new Lane();
        }
        try {
            return CompletableFuture.completedStage(lane.predict(batch));
        } catch (TranslateException | RuntimeException failure) {
            return CompletableFuture.failedStage(
                    new EngineFailure("the execution failed: " + DjlEngine.rootMessage(failure), failure));
        } finally {
            idle.add(lane);
        }
    }

    @Override
    public void close() {
        idle.forEach(Lane::close);
        alone.close();
        if (together != null && together != alone) {
            together.close();
        }
    }

    /** Predictors and their buffers; used by one thread at a time. */
    private final class Lane implements NoBatchifyTranslator<EngineBatch, List<List<Tensor>>> {
        private final Predictor<EngineBatch, List<List<Tensor>>> oneRow = alone.newPredictor(this);
        private final Predictor<EngineBatch, List<List<Tensor>>> manyRows =
                together == null || together == alone ? oneRow : together.newPredictor(this);
        private final ByteBuffer[] buffers = new ByteBuffer[signature.inputs().size()];

        List<List<Tensor>> predict(EngineBatch batch) throws TranslateException {
            boolean one = batch.requests().size() == 1
                    && (!signature.hasBatchAxis()
                            || batch.requests().get(0).get(0).shape().dimension(0) == 1);
            return (one ? oneRow : manyRows).predict(batch);
        }

        void close() {
            oneRow.close();
            manyRows.close();
        }

        @Override
        public NDList processInput(TranslatorContext context, EngineBatch batch) {
            NDManager manager = context.getNDManager();
            context.setAttachment("batch", batch);
            NDList inputs = new NDList(buffers.length);
            for (int i = 0; i < buffers.length; i++) {
                int input = i;
                inputs.add(
                        NDArrays.toNDArray(manager, layout.gather(batch.requests(), i, size -> buffer(input, size))));
            }
            return inputs;
        }

        @Override
        public List<List<Tensor>> processOutput(TranslatorContext context, NDList outputs) {
            EngineBatch batch = (EngineBatch) context.getAttachment("batch");
            List<List<Tensor>> results = new ArrayList<>(batch.requests().size());
            batch.requests()
                    .forEach(request ->
                            results.add(new ArrayList<>(batch.outputs().size())));
            for (int i = 0; i < outputs.size(); i++) {
                TensorSpec spec = signature.outputs().get(i);
                if (batch.outputs().contains(spec.name())) {
                    NDArray array = outputs.get(i);
                    List<Tensor> parts = layout.scatter(batch.requests(), spec, NDArrays.toTensor(spec, array));
                    for (int r = 0; r < parts.size(); r++) {
                        results.get(r).add(parts.get(r));
                    }
                }
            }
            return results;
        }

        private ByteBuffer buffer(int input, int size) {
            ByteBuffer buffer = buffers[input];
            if (buffer == null || buffer.capacity() < size) {
                buffer = ByteBuffer.allocateDirect(size);
                buffers[input] = buffer;
            }
            return buffer;
        }
    }
}
