package io.atelier.engine.djl;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.translate.NoBatchifyTranslator;
import ai.djl.translate.TranslateException;
import ai.djl.translate.TranslatorContext;
import io.atelier.core.ModelSignature;
import io.atelier.core.ServingException.EngineFailure;
import io.atelier.core.Shape;
import io.atelier.core.Sharing;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.engine.BatchLayout;
import io.atelier.engine.EngineBatch;
import io.atelier.engine.EngineMessage;
import io.atelier.engine.ModelInstance;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.ModelSource;
import io.atelier.engine.RowsLostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * A TorchScript model, run by DJL's PyTorch engine on one device. The file does not tell its inputs and outputs, so they
 * are those that its folder declares, and what comes out is held against them. A run is never ended early: PyTorch has
 * no way to.
 */
final class TorchModelInstance implements ModelInstance {
    private final ModelSignature signature;
    private final Lanes lanes;

    /**
     * @param model     owned by this instance from now on
     * @param signature as declared; outputs in the order in which the module returns them
     */
    TorchModelInstance(ModelSource source, Model model, ModelSignature signature) throws ModelLoadException {
        for (TensorSpec spec : signature.inputs()) {
            requireCarried(spec);
        }
        for (TensorSpec spec : signature.outputs()) {
            requireCarried(spec);
        }
        BatchLayout layout = new BatchLayout(signature, source.padding());
        this.signature = signature;
        this.lanes = new Lanes(model, () -> model.newPredictor(new BatchTranslator(signature, layout)));
    }

    @Override
    public ModelSignature signature() {
        return signature;
    }

    @Override
    public Sharing sharing() {
        return Sharing.rows("");
    }

    @Override
    public CompletionStage<List<List<Tensor>>> run(EngineBatch batch) {
        try {
            return CompletableFuture.completedStage(lanes.predict(batch));
        } catch (TranslateException | RuntimeException failure) {
            if (failure.getCause() instanceof RowsLostException lost) {
                return CompletableFuture.failedStage(lost);
            }
            return CompletableFuture.failedStage(
                    failure.getCause() instanceof EngineFailure known
                            ? known
                            : new EngineFailure("the execution failed: " + EngineMessage.of(failure), failure));
        }
    }

    @Override
    public void close() {
        lanes.close();
    }

    private static void requireCarried(TensorSpec spec) throws ModelLoadException {
        switch (spec.dataType()) {
            case INT16, UINT16, UINT32, UINT64, BYTES ->
                throw new ModelLoadException(
                        "'%s' is of type %s, which this engine does not carry".formatted(spec.name(), spec.dataType()));
            default -> {
                // an array of DJL's
            }
        }
    }

    /** Gathers inputs, scatters outputs. One thread at a time. */
    private static final class BatchTranslator implements NoBatchifyTranslator<EngineBatch, List<List<Tensor>>> {
        private final ModelSignature signature;
        private final BatchLayout layout;
        private final ByteBuffer[] buffers;
        private EngineBatch current = new EngineBatch(List.of(), List.of(), EndableRun.NEVER);

        BatchTranslator(ModelSignature signature, BatchLayout layout) {
            this.signature = signature;
            this.layout = layout;
            this.buffers = new ByteBuffer[signature.inputs().size()];
        }

        @Override
        public NDList processInput(TranslatorContext context, EngineBatch batch) {
            current = batch;
            NDList inputs = new NDList(buffers.length);
            for (int i = 0; i < buffers.length; i++) {
                int input = i;
                Tensor gathered = layout.gather(batch.requests(), i, size -> buffer(input, size));
                inputs.add(OrtTensors.toNDArray(context.getNDManager(), gathered));
            }
            batch.progress().inputsReady();
            return inputs;
        }

        /** Copies of what is wanted; the arrays are freed after this. */
        @Override
        public List<List<Tensor>> processOutput(TranslatorContext context, NDList outputs) {
            current.progress().executed();
            List<TensorSpec> specs = signature.outputs();
            if (outputs.size() != specs.size()) {
                throw new EngineFailure(
                        "the model gives %d outputs, declared are %d".formatted(outputs.size(), specs.size()), null);
            }
            List<List<Tensor>> results = new ArrayList<>(current.requests().size());
            current.requests().forEach(request -> results.add(new ArrayList<>()));
            for (int i = 0; i < specs.size(); i++) {
                if (current.outputs().contains(specs.get(i).name())) {
                    List<Tensor> parts =
                            layout.scatter(current.requests(), specs.get(i), copy(specs.get(i), outputs.get(i)));
                    for (int request = 0; request < parts.size(); request++) {
                        results.get(request).add(parts.get(request));
                    }
                }
            }
            return results;
        }

        private static Tensor copy(TensorSpec spec, NDArray array) {
            Shape shape = Shape.of(array.getShape().getShape());
            if (array.getDataType() != OrtTensors.type(spec.dataType())
                    || !spec.shape().accepts(shape)) {
                throw new EngineFailure(
                        "output '%s' is %s%s, declared is %s%s"
                                .formatted(spec.name(), array.getDataType(), shape, spec.dataType(), spec.shape()),
                        null);
            }
            return new Tensor(
                    spec.name(), spec.dataType(), shape, array.toByteBuffer().order(ByteOrder.LITTLE_ENDIAN));
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
