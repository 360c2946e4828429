package io.atelier.repository;

import io.atelier.core.DataType;
import io.atelier.core.ModelSignature;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.engine.EngineBatch;
import io.atelier.engine.GoldenSample;
import io.atelier.engine.ImageLayout;
import io.atelier.engine.ModelInstance;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.TaskConfig.OfImage;
import io.atelier.engine.TaskConfig.OfText;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/**
 * The first executions of a model, on made-up inputs: they pay for what native engines put off until then, and prove
 * that the model answers and that its largest batch fits the device's memory.
 */
final class WarmUp {
    /** Size of dynamic axes other than the first, unless a task knows better. */
    private static final int DYNAMIC_SIZE = 8;

    private final ModelInstance instance;
    private final ModelLoader.Turn turn;
    private final List<Tensor> request;
    private final List<String> outputs;

    WarmUp(ModelConfig config, ModelInstance instance, ModelLoader.Turn turn) throws ModelLoadException {
        ModelSignature signature = instance.signature();
        this.instance = instance;
        this.turn = turn;
        this.request = new ArrayList<>();
        this.outputs = signature.outputs().stream().map(TensorSpec::name).toList();
        for (TensorSpec input : signature.inputs()) {
            request.add(synthetic(input, shape(input, config, signature), isMask(input.name(), config)));
        }
    }

    /** Runs one batch of so many requests and waits until the native call has returned. */
    void run(int requests) throws ModelLoadException {
        answer(request, requests);
    }

    /**
     * The sample that will tell whether the device still computes: the folder's own, which must be answered rightly now,
     * else what the model answers to the made-up inputs, if it answers the same twice.
     */
    GoldenSample golden(ModelDefinition definition) throws ModelLoadException {
        Optional<ModelConfig.Golden> file = definition.config().golden();
        if (file.isPresent()) {
            GoldenSample sample = GoldenFile.read(
                    definition.folder().resolve(file.get().file()),
                    instance.signature(),
                    file.get().tolerance());
            if (!sample.isAnsweredBy(answer(sample.inputs(), 1).get(0))) {
                throw new ModelLoadException(
                        "the model's answer is not the one in " + file.get().file());
            }
            return sample;
        }
        GoldenSample recorded =
                new GoldenSample(request, answer(request, 1).get(0), ModelConfig.Golden.DEFAULT_TOLERANCE);
        return recorded.isAnsweredBy(answer(request, 1).get(0))
                ? recorded
                : new GoldenSample(request, List.of(), ModelConfig.Golden.DEFAULT_TOLERANCE);
    }

    private List<List<Tensor>> answer(List<Tensor> inputs, int requests) throws ModelLoadException {
        String batch = requests == 1 ? "1 request" : requests + " requests";
        CompletionStage<Void> abandoned = new CompletableFuture<>(); // never: the loader waits
        EngineBatch made = new EngineBatch(Collections.nCopies(requests, inputs), outputs, abandoned);
        List<List<Tensor>> answers;
        try {
            answers = turn.run(() -> instance.run(made)).toCompletableFuture().join();
        } catch (RuntimeException e) {
            Throwable cause = e instanceof CompletionException && e.getCause() != null ? e.getCause() : e;
            String reason = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
            throw new ModelLoadException("the warm-up with " + batch + " failed: " + reason, cause);
        }
        if (answers.size() != requests || answers.stream().anyMatch(answer -> answer.size() != outputs.size())) {
            throw new ModelLoadException("the warm-up with " + batch + " did not give every output of every request");
        }
        return answers;
    }

    private static Shape shape(TensorSpec input, ModelConfig config, ModelSignature signature)
            throws ModelLoadException {
        if (config.task().orElse(null) instanceof OfImage task) {
            return ImageLayout.of(task, signature).shape();
        }
        Shape shape = input.shape();
        for (int axis = 0; axis < shape.rank(); axis++) {
            if (shape.isDynamic(axis)) {
                shape = shape.with(axis, axis == 0 ? 1 : DYNAMIC_SIZE);
            }
        }
        return shape;
    }

    /** Zeros, or ones for a mask: a model whose mask keeps nothing divides by zero. */
    private static Tensor synthetic(TensorSpec input, Shape shape, boolean mask) throws ModelLoadException {
        DataType type = input.dataType();
        int elementBytes = type.isFixedSize() ? type.sizeBytes() : Integer.BYTES; // an empty string is its length, 0
        long elements = shape.elements().orElse(Long.MAX_VALUE);
        if (elements > Integer.MAX_VALUE / elementBytes) {
            throw new ModelLoadException("the input " + input.name() + " is too large: " + type + shape);
        }
        ByteBuffer data =
                ByteBuffer.allocateDirect((int) elements * elementBytes).order(ByteOrder.LITTLE_ENDIAN);
        if (mask) {
            while (data.hasRemaining()) {
                putOne(data, type);
            }
            data.flip();
        }
        return new Tensor(input.name(), type, shape, data);
    }

    private static boolean isMask(String input, ModelConfig config) {
        return input.equals(config.batching().padding().mask())
                || (config.task().orElse(null) instanceof OfText && input.equals(OfText.ATTENTION_MASK));
    }

    private static void putOne(ByteBuffer data, DataType type) {
        switch (type) {
            case BOOL, UINT8, INT8 -> data.put((byte) 1);
            case UINT16, INT16 -> data.putShort((short) 1);
            case UINT32, INT32 -> data.putInt(1);
            case UINT64, INT64 -> data.putLong(1);
            case FP16 -> data.putShort((short) 0x3C00);
            case BF16 -> data.putShort((short) 0x3F80);
            case FP32 -> data.putFloat(1);
            case FP64 -> data.putDouble(1);
            case BYTES -> data.putInt(0); // SignatureCheck lets no mask be text
        }
    }
}
