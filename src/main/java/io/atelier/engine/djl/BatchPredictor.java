package io.atelier.engine.djl;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.onnxruntime.engine.OrtNDArray;
import ai.djl.translate.NoBatchifyTranslator;
import ai.djl.translate.TranslateException;
import ai.djl.translate.TranslatorContext;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.atelier.core.ModelSignature;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.engine.BatchLayout;
import io.atelier.engine.EngineBatch;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;

/**
 * A DJL predictor for whole batches, with the buffers into which they are gathered. Used by one thread at a time.
 *
 * <p>DJL makes the input arrays, but for those of types that it does not carry, and owns model, session and memory. The
 * session itself is run here, for two things that DJL's block does not pass on: the names of the outputs that are wanted,
 * and the options by which a run is ended when nobody waits for it any more.
 */
final class BatchPredictor extends Predictor<EngineBatch, List<List<Tensor>>> {
    private final LoadedSession session;

    BatchPredictor(Model model, LoadedSession session, BatchLayout layout) {
        super(model, new BatchTranslator(session, layout), model.getNDManager().getDevice(), false);
        this.session = session;
    }

    @Override
    protected NDList predictInternal(TranslatorContext context, NDList inputs) throws TranslateException {
        BatchTranslator batch = (BatchTranslator) translator;
        Map<String, OnnxTensor> feeds = new LinkedHashMap<>();
        for (NDArray input : inputs) {
            feeds.put(input.getName(), ((OrtNDArray) input).getTensor());
        }
        feeds.putAll(batch.own);
        batch.current().progress().inputsReady();
        try (EndableRun run = new EndableRun(batch.current().abandoned());
                OrtSession.Result result =
                        session.run(feeds, Set.copyOf(batch.current().outputs()), run.options())) {
            batch.current().progress().executed();
            batch.keep(result);
            return new NDList();
        } catch (OrtException failure) {
            if (batch.current().abandoned().toCompletableFuture().isDone()) {
                throw new CancellationException("ended, since nobody waits for it any more");
            }
            throw new TranslateException(failure);
        } finally {
            batch.closeOwn();
        }
    }

    /** Gathers inputs and scatters outputs; keeps the batch that is on its way. */
    private static final class BatchTranslator implements NoBatchifyTranslator<EngineBatch, List<List<Tensor>>> {
        private final LoadedSession session;
        private final ModelSignature signature;
        private final BatchLayout layout;
        private final ByteBuffer[] buffers;
        private final Map<String, OnnxTensor> own = new HashMap<>();
        private EngineBatch current = new EngineBatch(List.of(), List.of(), EndableRun.NEVER);
        private List<List<Tensor>> results = List.of();

        BatchTranslator(LoadedSession session, BatchLayout layout) {
            this.session = session;
            this.signature = session.signature();
            this.layout = layout;
            this.buffers = new ByteBuffer
                    [signature.inputs().size() + signature.optionalInputs().size()];
        }

        EngineBatch current() {
            return current;
        }

        @Override
        public NDList processInput(TranslatorContext context, EngineBatch batch) throws OrtException {
            current = batch;
            int count = batch.requests().get(0).size(); // a request that has optional inputs is alone in its batch
            NDList inputs = new NDList(count);
            boolean whole = false;
            try {
                for (int i = 0; i < count; i++) {
                    int input = i;
                    Tensor gathered = layout.gather(batch.requests(), i, size -> buffer(input, size));
                    String name = i < signature.inputs().size()
                            ? signature.inputs().get(i).name()
                            : gathered.name();
                    if (OrtTensors.isOfDjl(gathered.dataType())) {
                        NDArray array = OrtTensors.toNDArray(context.getNDManager(), gathered);
                        array.setName(name);
                        inputs.add(array);
                    } else {
                        own.put(name, OrtTensors.toOnnxTensor(gathered));
                    }
                }
                whole = true;
                return inputs;
            } finally {
                if (!whole) {
                    closeOwn();
                }
            }
        }

        void closeOwn() {
            own.values().forEach(OnnxTensor::close);
            own.clear();
        }

        /** Copies what is wanted out of the session's memory, which is freed after this. */
        void keep(OrtSession.Result result) throws OrtException {
            List<List<Tensor>> kept = new ArrayList<>(current.requests().size());
            current.requests()
                    .forEach(request ->
                            kept.add(new ArrayList<>(current.outputs().size())));
            for (TensorSpec spec : signature.outputs()) {
                if (current.outputs().contains(spec.name())) {
                    OnnxValue value = result.get(spec.name()).orElseThrow();
                    List<Tensor> parts = layout.scatter(current.requests(), spec, session.read(spec, value));
                    for (int request = 0; request < parts.size(); request++) {
                        kept.get(request).add(parts.get(request));
                    }
                }
            }
            results = kept;
        }

        @Override
        public List<List<Tensor>> processOutput(TranslatorContext context, NDList none) {
            List<List<Tensor>> taken = results;
            results = List.of();
            current = new EngineBatch(List.of(), List.of(), EndableRun.NEVER);
            return taken;
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
