package io.atelier.engine.djl.task;

import io.atelier.core.TaskAnswer.Box;
import io.atelier.engine.ImageLayout;
import io.atelier.engine.TaskConfig.Align;
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
        return switch (config.fit()) {
            case NONE -> aligned(config, layout, imageWidth, imageHeight, imageWidth, imageHeight);
            case STRETCH ->
                aligned(
                        config,
                        layout,
                        imageWidth,
                        imageHeight,
                        config.scaledWidth().orElse(layout.width()),
                        config.scaledHeight().orElse(layout.height()));
            case CROP -> {
                int least = (int) Math.round(Math.min(layout.width(), layout.height()) / CROPPED);
                int shorter = config.shorterSide().orElse(least);
                boolean covers = config.shorterSide().isPresent() || layout.width() == layout.height();
                yield covers
                        ? ofShorterSide(shorter, config, layout, imageWidth, imageHeight)
                        : covering(shorter, config, layout, imageWidth, imageHeight);
            }
            case PAD -> {
                double scale = Math.min(across, down);
                int width = scaled(imageWidth, scale);
                int height = scaled(imageHeight, scale);
                boolean middle = config.align() != Align.START;
                yield new Placement(
                        imageWidth,
                        imageHeight,
                        width,
                        height,
                        middle ? Math.floorDiv(layout.width() - width, 2) : 0,
                        middle ? Math.floorDiv(layout.height() - height, 2) : 0);
            }
        };
    }

    /** The longer side is cut down to whole pixels, as torchvision and Hugging Face do. */
    private static Placement ofShorterSide(
            int shorter, ImageInput config, ImageLayout layout, int imageWidth, int imageHeight) {
        long longer = (long) shorter * Math.max(imageWidth, imageHeight) / Math.min(imageWidth, imageHeight);
        boolean wide = imageWidth > imageHeight;
        return aligned(
                config,
                layout,
                imageWidth,
                imageHeight,
                wide ? whole(longer) : shorter,
                wide ? shorter : whole(longer));
    }

    /** Both sides of an input that is no square have to be covered. */
    private static Placement covering(
            int shorter, ImageInput config, ImageLayout layout, int imageWidth, int imageHeight) {
        double across = (double) layout.width() / imageWidth;
        double down = (double) layout.height() / imageHeight;
        double scale = Math.max(Math.max(across, down), (double) shorter / Math.min(imageWidth, imageHeight));
        return aligned(config, layout, imageWidth, imageHeight, scaled(imageWidth, scale), scaled(imageHeight, scale));
    }

    private static Placement aligned(
            ImageInput config, ImageLayout layout, int imageWidth, int imageHeight, int width, int height) {
        return new Placement(
                imageWidth,
                imageHeight,
                width,
                height,
                -before(config.align(), width - layout.width()),
                -before(config.align(), height - layout.height()));
    }

    /** Of so many pixels too many those that are cut off before the image; of too few the other way round. */
    private static int before(Align align, int excess) {
        return switch (align) {
            case START -> 0;
            case CENTER -> Math.floorDiv(excess, 2);
            case EVEN -> excess > 0 ? (int) Math.rint(excess / 2.0) : excess / 2;
        };
    }

    private static int scaled(int side, double scale) {
        return whole(Math.max(1, Math.round(side * scale)));
    }

    private static int whole(long side) {
        return (int) Math.min(Integer.MAX_VALUE, side);
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
