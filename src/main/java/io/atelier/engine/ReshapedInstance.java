package io.atelier.engine;

import io.atelier.core.ModelSignature;
import io.atelier.core.Reshape;
import io.atelier.core.ServingException.EngineFailure;
import io.atelier.core.Shape;
import io.atelier.core.Sharing;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * A model as its owner shows it to callers: with other shapes of the same elements, fewer outputs, or without rows. Owns
 * the model; thread-safe as that is. Nothing is copied: a tensor of another shape is a view.
 */
public final class ReshapedInstance implements ModelInstance {
    private final ModelInstance model;
    private final ModelSignature signature;

    /** @param signature for callers: the model's inputs in their order, and some of its outputs */
    public ReshapedInstance(ModelInstance model, ModelSignature signature) {
        this.model = model;
        this.signature = signature;
    }

    @Override
    public ModelSignature signature() {
        return signature;
    }

    @Override
    public Sharing sharing() {
        return model.sharing();
    }

    @Override
    public CompletionStage<List<List<Tensor>>> run(EngineBatch batch) {
        List<List<Tensor>> requests = new ArrayList<>(batch.requests().size());
        for (List<Tensor> request : batch.requests()) {
            List<Tensor> inputs = new ArrayList<>(request.size());
            for (int i = 0; i < request.size(); i++) {
                Tensor input = request.get(i);
                Reshape reshape = i < signature.inputs().size()
                        ? signature.inputs().get(i).reshape()
                        : null;
                inputs.add(
                        reshape == null
                                ? input
                                : input.reshaped(reshape.toModel(input.shape()).orElseThrow()));
            }
            requests.add(inputs);
        }
        EngineBatch inner = new EngineBatch(requests, batch.outputs(), batch.abandoned(), batch.progress());
        return model.run(inner)
                .thenApply(answers -> answers.stream()
                        .map(outputs -> outputs.stream().map(this::forCallers).toList())
                        .toList());
    }

    private Tensor forCallers(Tensor output) {
        Reshape reshape =
                signature.output(output.name()).map(TensorSpec::reshape).orElse(null);
        if (reshape == null) {
            return output;
        }
        Shape shape = reshape.toCallers(output.shape())
                .orElseThrow(() -> new EngineFailure(
                        "the output '%s' is %s, its configuration reshapes %s"
                                .formatted(output.name(), output.shape(), reshape.model()),
                        null));
        return output.reshaped(shape);
    }

    @Override
    public void close() {
        model.close();
    }
}
