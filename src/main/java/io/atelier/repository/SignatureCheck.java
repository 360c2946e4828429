package io.atelier.repository;

import io.atelier.core.DataType;
import io.atelier.core.ModelSignature;
import io.atelier.core.Padding;
import io.atelier.core.Shape;
import io.atelier.core.TensorSpec;
import io.atelier.engine.ModelLoadException;
import io.atelier.repository.TaskConfig.TextEmbedding;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Whether what a folder says of a model fits the inputs and outputs that the model has. */
final class SignatureCheck {
    private SignatureCheck() {}

    static void require(ModelConfig config, ModelSignature signature) throws ModelLoadException {
        requirePadding(config.batching().padding(), signature);
        if (config.task().orElse(null) instanceof TextEmbedding embedding) {
            requireTextEmbedding(embedding, signature);
        }
    }

    private static void requirePadding(Padding padding, ModelSignature signature) throws ModelLoadException {
        String mask = padding.mask();
        if (mask != null && signature.input(mask).isEmpty()) {
            throw new ModelLoadException(
                    "padding.mask: the model has no input " + mask + ", it has " + names(signature.inputs()));
        }
        for (Map.Entry<String, Double> entry : new TreeMap<>(padding.values()).entrySet()) {
            String key = "padding.values." + entry.getKey() + ": ";
            TensorSpec input = signature
                    .input(entry.getKey())
                    .orElseThrow(() -> new ModelLoadException(
                            key + "the model has no such input, it has " + names(signature.inputs())));
            if (IntStream.range(1, input.shape().rank()).noneMatch(input.shape()::isDynamic)) {
                throw new ModelLoadException(key + "the input is " + typeOf(input)
                        + " and has no dynamic axis after the first, so there is nothing to pad");
            }
            if (!fits(entry.getValue(), input.dataType())) {
                throw new ModelLoadException(key + entry.getValue() + " is no value of " + input.dataType());
            }
        }
    }

    private static void requireTextEmbedding(TextEmbedding task, ModelSignature signature) throws ModelLoadException {
        String prefix = "task " + TextEmbedding.NAME + ": ";
        if (signature.input(TextEmbedding.INPUT_IDS).isEmpty()) {
            throw new ModelLoadException(prefix + "the model has no input " + TextEmbedding.INPUT_IDS + ", it has "
                    + names(signature.inputs()));
        }
        for (TensorSpec input : signature.inputs()) {
            if (!TextEmbedding.INPUTS.contains(input.name())) {
                throw new ModelLoadException(prefix + "the input " + input.name()
                        + " cannot be made from a text, allowed are input_ids, attention_mask and token_type_ids");
            }
            if (!takesTokens(input)) {
                throw new ModelLoadException(prefix + "the input " + input.name() + " is " + typeOf(input)
                        + ", allowed is INT64[batch,sequence] with a dynamic sequence");
            }
        }
        if (task.outputOf(signature).isPresent()) {
            return;
        }
        String shapes = ", allowed is FP32[batch,sequence,d] or FP32[batch,d]";
        if (task.output().isPresent()) {
            String name = task.output().get();
            throw new ModelLoadException(signature
                    .output(name)
                    .map(output -> prefix + "the output " + name + " is " + typeOf(output) + shapes)
                    .orElse(prefix + "the model has no output " + name + ", it has " + names(signature.outputs())));
        }
        List<TensorSpec> fitting = TextEmbedding.outputsThatFit(signature);
        throw new ModelLoadException(
                fitting.isEmpty()
                        ? prefix + "no output fits: " + types(signature.outputs()) + shapes
                        : prefix + "several outputs fit, name one as task.output: " + names(fitting));
    }

    private static boolean takesTokens(TensorSpec input) {
        Shape shape = input.shape();
        return input.dataType() == DataType.INT64
                && shape.rank() == 2
                && (shape.isDynamic(0) || shape.dimension(0) == 1)
                && shape.isDynamic(1);
    }

    private static boolean fits(double value, DataType type) {
        return switch (type) {
            case BOOL -> value == 0 || value == 1;
            case UINT8, UINT16, UINT32, UINT64 ->
                value == Math.rint(value) && value >= 0 && value < Math.pow(2, 8 * type.sizeBytes());
            case INT8, INT16, INT32, INT64 ->
                value == Math.rint(value)
                        && value >= -Math.pow(2, 8 * type.sizeBytes() - 1)
                        && value < Math.pow(2, 8 * type.sizeBytes() - 1);
            case FP16, BF16, FP32, FP64 -> true;
            case BYTES -> false;
        };
    }

    private static String typeOf(TensorSpec spec) {
        return spec.dataType().name() + spec.shape();
    }

    private static String names(List<TensorSpec> specs) {
        return specs.stream().map(TensorSpec::name).collect(Collectors.joining(", "));
    }

    private static String types(List<TensorSpec> specs) {
        return specs.stream().map(spec -> spec.name() + " " + typeOf(spec)).collect(Collectors.joining(", "));
    }
}
