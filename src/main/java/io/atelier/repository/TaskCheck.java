package io.atelier.repository;

import io.atelier.core.DataType;
import io.atelier.core.ModelSignature;
import io.atelier.core.Shape;
import io.atelier.core.TensorSpec;
import io.atelier.engine.DetectionOutputs;
import io.atelier.engine.ImageLayout;
import io.atelier.engine.ModelLoadException;
import io.atelier.engine.TaskConfig;
import io.atelier.engine.TaskConfig.ObjectDetection;
import io.atelier.engine.TaskConfig.OfImage;
import io.atelier.engine.TaskConfig.OfOneOutput;
import io.atelier.engine.TaskConfig.OfText;
import java.util.List;
import java.util.Optional;

/** Whether a model has the inputs and outputs that its task needs. */
final class TaskCheck {
    private TaskCheck() {}

    static void require(TaskConfig task, ModelSignature signature) throws ModelLoadException {
        try {
            if (task instanceof OfText) {
                requireTokens(signature);
            }
            if (task instanceof OfImage image) {
                ImageLayout.of(image, signature);
            }
            if (task instanceof OfOneOutput one) {
                requireOutput(one, signature);
            }
            if (task instanceof ObjectDetection detection) {
                DetectionOutputs.of(detection, signature);
            }
        } catch (ModelLoadException problem) {
            throw new ModelLoadException("task " + task.kind().word() + ": " + problem.reason(), problem);
        }
    }

    private static void requireTokens(ModelSignature signature) throws ModelLoadException {
        if (signature.input(OfText.INPUT_IDS).isEmpty()) {
            throw new ModelLoadException("the model has no input " + OfText.INPUT_IDS + ", it has "
                    + SignatureCheck.names(signature.inputs()));
        }
        for (TensorSpec input : signature.inputs()) {
            if (!OfText.INPUTS.contains(input.name())) {
                throw new ModelLoadException("the input " + input.name()
                        + " cannot be made from a text, allowed are input_ids, attention_mask and token_type_ids");
            }
            if (!takesTokens(input)) {
                throw new ModelLoadException("the input " + input.name() + " is " + SignatureCheck.typeOf(input)
                        + ", allowed is INT64 or INT32 [batch,sequence] with a dynamic sequence");
            }
        }
    }

    private static void requireOutput(OfOneOutput task, ModelSignature signature) throws ModelLoadException {
        if (task.outputOf(signature).isPresent()) {
            return;
        }
        Optional<String> named = task.output();
        if (named.isPresent()) {
            throw new ModelLoadException(signature
                    .output(named.get())
                    .map(output -> "the output " + output.name() + " is " + SignatureCheck.typeOf(output)
                            + ", allowed is " + task.forms())
                    .orElseGet(() -> "the model has no output " + named.get() + ", it has "
                            + SignatureCheck.names(signature.outputs())));
        }
        List<TensorSpec> fitting = task.fitting(signature);
        throw new ModelLoadException(
                fitting.isEmpty()
                        ? "no output fits: " + SignatureCheck.types(signature.outputs()) + ", allowed is "
                                + task.forms()
                        : "several outputs fit, name one as task.output: " + SignatureCheck.names(fitting));
    }

    private static boolean takesTokens(TensorSpec input) {
        Shape shape = input.shape();
        return (input.dataType() == DataType.INT64 || input.dataType() == DataType.INT32)
                && shape.rank() == 2
                && (shape.isDynamic(0) || shape.dimension(0) == 1)
                && shape.isDynamic(1);
    }
}
