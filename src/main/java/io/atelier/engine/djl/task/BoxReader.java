package io.atelier.engine.djl.task;

import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.atelier.engine.DetectionOutputs;
import io.atelier.engine.Floats;
import io.atelier.engine.TaskConfig.BoxFormat;
import io.atelier.engine.TaskConfig.ObjectDetection;
import java.nio.FloatBuffer;
import java.util.List;

/**
 * The boxes that a detector wrote in its own way, one by one. Immutable.
 *
 * @param classes how many classes the model tells apart; negative where it does not say
 */
record BoxReader(BoxFormat format, DetectionOutputs outputs, long classes) {
    private static final int CORNERS = 4;

    static BoxReader of(ObjectDetection config, DetectionOutputs outputs) {
        Shape shape = outputs.scores().shape();
        int axis = config.format() == BoxFormat.YOLOV8 ? 1 : 2;
        return new BoxReader(
                config.format(),
                outputs,
                shape.isDynamic(axis) ? -1 : shape.dimension(axis) - beforeClasses(config.format()));
    }

    List<String> names() {
        return outputs.boxes().equals(outputs.scores())
                ? List.of(outputs.boxes().name())
                : List.of(outputs.boxes().name(), outputs.scores().name());
    }

    /** Takes one box for the likeliest of its classes, its corners in pixels of the input. */
    @FunctionalInterface
    interface Sink {
        void take(int label, double score, double xmin, double ymin, double xmax, double ymax);
    }

    /** Reads every box of one row whose score is at least {@code threshold}. */
    void read(List<Tensor> tensors, double threshold, int width, int height, Sink sink) {
        Tensor boxes = tensors.get(0);
        Tensor scores = tensors.get(tensors.size() - 1);
        Numbers box = new Numbers(boxes, format == BoxFormat.YOLOV8);
        Numbers score = new Numbers(scores, format == BoxFormat.YOLOV8);
        int before = beforeClasses(format);
        for (int i = 0; i < score.count(); i++) {
            int best = before;
            for (int j = before + 1; j < score.size(); j++) {
                if (score.at(i, j) > score.at(i, best)) {
                    best = j;
                }
            }
            double likely = score.at(i, best) * (format == BoxFormat.YOLOV5 ? score.at(i, CORNERS) : 1);
            if (likely >= threshold) {
                double a = box.at(i, 0);
                double b = box.at(i, 1);
                double c = box.at(i, 2);
                double d = box.at(i, 3);
                if (format == BoxFormat.SSD) {
                    sink.take(best - before, likely, a * width, b * height, c * width, d * height);
                } else {
                    sink.take(best - before, likely, a - c / 2, b - d / 2, a + c / 2, b + d / 2);
                }
            }
        }
    }

    /** Numbers that stand before the scores of the classes. */
    private static int beforeClasses(BoxFormat format) {
        return switch (format) {
            case YOLOV5 -> CORNERS + 1;
            case YOLOV8 -> CORNERS;
            case SSD -> 1;
        };
    }

    /** Lists of numbers, one for each box; in YOLOv8's form the other way round. */
    private static final class Numbers {
        private final FloatBuffer data;
        private final boolean turned;
        private final int rows;
        private final int columns;

        Numbers(Tensor tensor, boolean turned) {
            this.data = Floats.of(tensor);
            this.turned = turned;
            this.rows = Math.toIntExact(tensor.shape().dimension(1));
            this.columns = Math.toIntExact(tensor.shape().dimension(2));
        }

        int count() {
            return turned ? columns : rows;
        }

        int size() {
            return turned ? rows : columns;
        }

        float at(int box, int index) {
            return data.get(turned ? index * columns + box : box * columns + index);
        }
    }
}
