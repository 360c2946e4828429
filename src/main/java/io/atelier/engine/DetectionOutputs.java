package io.atelier.engine;

import io.atelier.core.ModelSignature;
import io.atelier.core.TensorSpec;
import io.atelier.engine.TaskConfig.BoxFormat;
import io.atelier.engine.TaskConfig.ObjectDetection;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * The outputs from which a detector's boxes are read: one that holds all, or boxes and scores. Immutable.
 *
 * @param boxes  rank 3; the scores stand in it as well where {@code scores} is the same
 * @param scores rank 3
 */
public record DetectionOutputs(TensorSpec boxes, TensorSpec scores) {
    /**
     * Those of a model.
     *
     * @throws ModelLoadException if the model has no such outputs, or more than one could be meant
     */
    public static DetectionOutputs of(ObjectDetection task, ModelSignature signature) throws ModelLoadException {
        if (task.format() != BoxFormat.SSD) {
            String form = task.format() == BoxFormat.YOLOV5 ? "[batch,boxes,5+classes]" : "[batch,4+classes,boxes]";
            TensorSpec one = only(signature, spec -> true, form);
            return new DetectionOutputs(one, one);
        }
        TensorSpec boxes = only(signature, DetectionOutputs::holdsBoxes, "[batch,boxes,4]");
        return new DetectionOutputs(
                boxes, only(signature, spec -> !spec.equals(boxes), "[batch,boxes,classes] beside the boxes"));
    }

    private static TensorSpec only(ModelSignature signature, Predicate<TensorSpec> wanted, String form)
            throws ModelLoadException {
        List<TensorSpec> fitting = signature.outputs().stream()
                .filter(spec -> Floats.are(spec.dataType()) && spec.shape().rank() == 3)
                .filter(wanted)
                .toList();
        if (fitting.size() != 1) {
            throw new ModelLoadException(fitting.size() + " outputs could be " + form + " of " + Floats.types()
                    + ", needed is one; the model has "
                    + signature.outputs().stream()
                            .map(spec -> spec.name() + " " + spec.dataType() + spec.shape())
                            .collect(Collectors.joining(", ")));
        }
        return fitting.get(0);
    }

    private static boolean holdsBoxes(TensorSpec spec) {
        return spec.shape().dimension(2) == 4;
    }
}
