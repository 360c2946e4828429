package io.atelier.serving.pipeline;

import io.atelier.core.DataType;
import io.atelier.core.ModelId;
import io.atelier.core.ModelSignature;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.repository.EnsembleConfig;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Ensembles in few words: a model's inputs and outputs are {@code name:TYPE[shape]}, FP32[-1,-1] where nothing is said, and {@code [*]} of any shape. */
final class Ensembles {
    private final List<EnsembleConfig.Step> steps = new ArrayList<>();
    private final List<PipelinePlan.StepModel> models = new ArrayList<>();
    private List<TensorSpec> inputs = List.of();
    private List<TensorSpec> outputs = List.of();

    /** Adds a step of a model with these inputs and outputs, and how they map to tensors. */
    Ensembles step(
            String model, List<String> in, List<String> out, Map<String, String> takes, Map<String, String> gives) {
        steps.add(new EnsembleConfig.Step(model, Optional.empty(), takes, gives));
        models.add(new PipelinePlan.StepModel(
                new ModelId(model, "1"),
                new ModelSignature(
                        in.stream().map(Ensembles::spec).toList(),
                        out.stream().map(Ensembles::spec).toList())));
        return this;
    }

    /** Adds a step of a model from x to y. */
    Ensembles step(String model, String from, String to) {
        return step(model, List.of("x"), List.of("y"), Map.of("x", from), Map.of("y", to));
    }

    Ensembles inputs(String... declared) {
        inputs = List.of(declared).stream().map(Ensembles::spec).toList();
        return this;
    }

    Ensembles outputs(String... declared) {
        outputs = List.of(declared).stream().map(Ensembles::spec).toList();
        return this;
    }

    PipelinePlan plan() throws PipelineException {
        return PipelinePlan.of(new EnsembleConfig(steps, inputs, outputs), models);
    }

    static TensorSpec spec(String text) {
        String[] parts = text.split("[:\\[\\]]", -1);
        if (parts.length == 1) {
            return new TensorSpec(text, DataType.FP32, Shape.of(-1, -1));
        }
        if (parts[2].equals("*")) {
            return new TensorSpec(parts[0], DataType.valueOf(parts[1]), Shape.UNKNOWN);
        }
        long[] sizes = List.of(parts[2].split(",", -1)).stream()
                .mapToLong(Long::parseLong)
                .toArray();
        return new TensorSpec(parts[0], DataType.valueOf(parts[1]), Shape.of(sizes));
    }

    /** A tensor of FP32 in one row. */
    static Tensor row(String name, float... numbers) {
        ByteBuffer data = ByteBuffer.allocate(numbers.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (float number : numbers) {
            data.putFloat(number);
        }
        return new Tensor(name, DataType.FP32, Shape.of(1, numbers.length), data.flip());
    }
}
