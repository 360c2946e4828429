package io.atelier.engine.djl.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.atelier.core.DataType;
import io.atelier.core.ModelSignature;
import io.atelier.core.Shape;
import io.atelier.core.Task;
import io.atelier.core.TaskAnswer.Box;
import io.atelier.core.TaskAnswer.Found;
import io.atelier.core.TaskAnswer.Objects;
import io.atelier.core.TaskInput;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.engine.TaskConfig.Align;
import io.atelier.engine.TaskConfig.BoxFormat;
import io.atelier.engine.TaskConfig.Channels;
import io.atelier.engine.TaskConfig.Fit;
import io.atelier.engine.TaskConfig.ImageInput;
import io.atelier.engine.TaskConfig.ImageSize;
import io.atelier.engine.TaskConfig.Interpolation;
import io.atelier.engine.TaskConfig.Labels;
import io.atelier.engine.TaskConfig.ObjectDetection;
import io.atelier.testing.Images;
import java.awt.Color;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** An image of 20 by 10 pixels on an input of 10 by 10: half its size, 2.5 rows of fill above (floor: 2) and below. */
class ObjectDetectionTest {
    private static final TensorSpec IMAGE = new TensorSpec("x", DataType.FP32, Shape.of(-1, 3, 10, 10));
    private static final double OVERLAP = 0.5;

    @Test
    void readsYoloV5() throws Exception {
        List<Found> found = found(
                BoxFormat.YOLOV5,
                Fit.STRETCH,
                100,
                List.of(spec("y", -1, -1, 7)),
                tensor(
                        Shape.of(1, 3, 7),
                        new float[] {5, 5, 4, 2, 0.5f, 0.2f, 0.8f},
                        new float[] {5, 5, 4, 2, 0.9f, 1, 0},
                        new float[] {5, 5, 4, 2, 0.1f, 1, 0}));

        assertThat(found).extracting(Found::label).containsExactly("cat", "dog");
        assertThat(found.get(0).score()).isCloseTo(0.9, within(1e-6));
        assertThat(found.get(1).score()).isCloseTo(0.4, within(1e-6));
        assertThat(found.get(0).box()).isEqualTo(new Box(6, 4, 14, 6));
    }

    @Test
    void readsYoloV8WhichStandsTheOtherWayRound() throws Exception {
        List<Found> found = found(
                BoxFormat.YOLOV8,
                Fit.PAD,
                100,
                List.of(spec("y", -1, 6, -1)),
                tensor(
                        Shape.of(1, 6, 2),
                        new float[] {5, 1},
                        new float[] {5, 4},
                        new float[] {4, 4},
                        new float[] {2, 2},
                        new float[] {0.9f, 0},
                        new float[] {0, 0.6f}));

        assertThat(found).extracting(Found::label).containsExactly("cat", "dog");
        assertThat(found.get(0).box()).isEqualTo(new Box(6, 4, 14, 8));
        assertThat(found.get(1).box()).isEqualTo(new Box(0, 2, 6, 6)); // what is beside the image is cut off
    }

    @Test
    void readsCornersAndScoresApartAndLeavesTheBackgroundOut() throws Exception {
        List<Found> found = found(
                BoxFormat.SSD,
                Fit.STRETCH,
                100,
                List.of(spec("scores", -1, -1, 3), spec("boxes", -1, -1, 4)),
                tensor(Shape.of(1, 2, 4), new float[] {0.1f, 0.2f, 0.5f, 0.6f}, new float[] {0, 0, 1, 1}),
                tensor(Shape.of(1, 2, 3), new float[] {0.1f, 0.2f, 0.7f}, new float[] {0.98f, 0.01f, 0.01f}));

        assertThat(found).extracting(Found::label).containsExactly("dog");
        assertThat(found.get(0).box().xmin()).isCloseTo(2, within(1e-5));
        assertThat(found.get(0).box().ymax()).isCloseTo(6, within(1e-5));
    }

    @Test
    void keepsTheLikeliestOfBoxesThatOverlapUnlessTheirLabelsDiffer() throws Exception {
        List<Found> found = found(
                BoxFormat.YOLOV5,
                Fit.STRETCH,
                100,
                List.of(spec("y", -1, -1, 7)),
                tensor(
                        Shape.of(1, 4, 7),
                        new float[] {5, 5, 4, 4, 1, 0.7f, 0},
                        new float[] {5.5f, 5, 4, 4, 1, 0.8f, 0}, // 3.5 of 4.5 columns in common: 0.78
                        new float[] {7, 5, 4, 4, 1, 0.6f, 0}, // 2.5 of 5.5 columns with the likeliest: 0.45
                        new float[] {5, 5, 4, 4, 1, 0, 0.5f}));

        assertThat(found).extracting(Found::score).containsExactly((double) 0.8f, (double) 0.6f, (double) 0.5f);
    }

    @Test
    void givesNoMoreThanItMay() throws Exception {
        float[][] many = new float[3000][];
        for (int i = 0; i < many.length; i++) {
            many[i] = new float[] {i, 5, 0.5f, 1, 1, i / 3000f, 0};
        }

        List<Found> found = found(
                BoxFormat.YOLOV5, Fit.STRETCH, 7, List.of(spec("y", -1, -1, 7)), tensor(Shape.of(1, 3000, 7), many));

        assertThat(found).hasSize(7).extracting(Found::score).startsWith((double) (2999 / 3000f));
    }

    @Test
    void leavesOutBoxesThatAreNone() throws Exception {
        assertThat(found(
                        BoxFormat.YOLOV5,
                        Fit.STRETCH,
                        100,
                        List.of(spec("y", -1, -1, 7)),
                        tensor(
                                Shape.of(1, 3, 7),
                                new float[] {5, 5, -4, 4, 1, 1, 0},
                                new float[] {Float.NaN, 5, 4, 4, 1, 1, 0},
                                new float[] {5, 5, 4, 4, 1, Float.NaN, 0})))
                .isEmpty();
    }

    private static List<Found> found(BoxFormat format, Fit fit, int most, List<TensorSpec> outputs, Tensor... tensors)
            throws Exception {
        Task task = Tasks.load(
                new ObjectDetection(
                        image(fit), new Labels(List.of("cat", "dog"), Optional.empty()), format, 0.25, OVERLAP, most),
                Path.of(""),
                new ModelSignature(List.of(IMAGE), outputs));
        TaskInput image = new TaskInput.Image(ByteBuffer.wrap(Images.png(Images.plain(20, 10, Color.RED))));
        Task.Part part = task.prepare(List.of(image), 1).get(0);
        assertThat(task.outputs()).hasSameSizeAs(tensors);
        return ((Objects) part.answers(List.of(tensors)).get(0)).found();
    }

    private static TensorSpec spec(String name, long... shape) {
        return new TensorSpec(name, DataType.FP32, Shape.of(shape));
    }

    private static Tensor tensor(Shape shape, float[]... rows) {
        float[] all = new float[Math.toIntExact(shape.elements().orElseThrow())];
        for (int i = 0; i < rows.length; i++) {
            System.arraycopy(rows[i], 0, all, i * rows[i].length, rows[i].length);
        }
        return ClassScoresTest.tensor(shape, all);
    }

    private static ImageInput image(Fit fit) {
        return new ImageInput(
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Channels.RGB,
                fit,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                0,
                Align.CENTER,
                Interpolation.BILINEAR,
                true,
                1,
                List.of(),
                List.of(),
                1000,
                ImageSize.DETECTED,
                Map.of());
    }
}
