package io.atelier.engine.djl.task;

import io.atelier.core.TaskAnswer.Box;
import io.atelier.engine.ImageLayout;
import io.atelier.engine.TaskConfig.Align;
import io.atelier.engine.TaskConfig.Fit;
import io.atelier.engine.TaskConfig.ImageInput;

/**
 * Where an image stands on a model's input: scaled to {@code width} by {@code height}, its corner at {@code left},
 * {@code top}, which are negative where it is cut. Immutable.
 */
record Placement(int imageWidth, int imageHeight, int width, int height, int left, int top) {
    /** Of the shorter side that is left where nothing else is said: 224 of 256. */
    private static final double CROPPED = 0.875;

    static Placement of(ImageInput config, ImageLayout layout, int imageWidth, int imageHeight) {
        double across = (double) layout.width() / imageWidth;
        double down = (double) layout.height() / imageHeight;
        if (config.fit() == Fit.STRETCH) {
            return new Placement(imageWidth, imageHeight, layout.width(), layout.height(), 0, 0);
        }
        double scale = Math.min(across, down);
        if (config.fit() == Fit.CROP) {
            double shorter =
                    config.shorterSide().orElse((int) Math.round(Math.min(layout.width(), layout.height()) / CROPPED));
            scale = Math.max(Math.max(across, down), shorter / Math.min(imageWidth, imageHeight));
        }
        int width = (int) Math.max(1, Math.round(imageWidth * scale));
        int height = (int) Math.max(1, Math.round(imageHeight * scale));
        boolean middle = config.fit() == Fit.CROP || config.align() == Align.CENTER;
        return new Placement(
                imageWidth,
                imageHeight,
                width,
                height,
                middle ? Math.floorDiv(layout.width() - width, 2) : 0,
                middle ? Math.floorDiv(layout.height() - height, 2) : 0);
    }

    /** Where a box on the model's input is on the image, cut to it. */
    Box onImage(double xmin, double ymin, double xmax, double ymax) {
        return new Box(
                within((xmin - left) * imageWidth / width, imageWidth),
                within((ymin - top) * imageHeight / height, imageHeight),
                within((xmax - left) * imageWidth / width, imageWidth),
                within((ymax - top) * imageHeight / height, imageHeight));
    }

    private static double within(double value, int most) {
        return Math.max(0, Math.min(most, value));
    }
}
