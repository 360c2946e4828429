package io.atelier.repository;

import io.atelier.core.DataType;
import io.atelier.core.ModelSignature;
import io.atelier.core.Padding;
import io.atelier.core.TensorSpec;
import io.atelier.engine.ModelLoadException;
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
        if (config.task().isPresent()) {
            TaskCheck.require(config.task().get(), signature);
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

    static String typeOf(TensorSpec spec) {
        return spec.dataType().name() + spec.shape();
    }

    /** A shape of a configuration, as {@code [3,224]}. */
    static String sizes(List<Long> dims) {
        return dims.toString().replace(" ", "");
    }

    static String names(List<TensorSpec> specs) {
        return specs.stream().map(TensorSpec::name).collect(Collectors.joining(", "));
    }

    static String types(List<TensorSpec> specs) {
        return specs.stream().map(spec -> spec.name() + " " + typeOf(spec)).collect(Collectors.joining(", "));
    }
}
