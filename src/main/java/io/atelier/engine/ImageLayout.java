package io.atelier.engine;

import io.atelier.core.DataType;
import io.atelier.core.ModelSignature;
import io.atelier.core.Shape;
import io.atelier.core.TensorSpec;
import io.atelier.engine.TaskConfig.ImageInput;
import io.atelier.engine.TaskConfig.Layout;
import java.util.Optional;

/**
 * One image as a model takes it: what the folder says and what the model's own input says, joined. Immutable.
 *
 * @param channels 1 or 3
 */
public record ImageLayout(TensorSpec input, Layout layout, int channels, int height, int width) {
    private static final int LONGEST_SIDE = 8192;

    /**
     * How the only input of a model takes images.
     *
     * @throws ModelLoadException if it takes none, or none of the configured form
     */
    public static ImageLayout of(TaskConfig.OfImage task, ModelSignature signature) throws ModelLoadException {
        if (signature.inputs().size() != 1) {
            throw new ModelLoadException(
                    "the model has " + signature.inputs().size() + " inputs, allowed is one that takes the image");
        }
        TensorSpec input = signature.inputs().get(0);
        Shape shape = input.shape();
        String given = "the input " + input.name() + " is " + input.dataType() + shape;
        boolean numbers = Floats.are(input.dataType()) || input.dataType() == DataType.UINT8;
        if (!numbers || shape.rank() != 4 || (!shape.isDynamic(0) && shape.dimension(0) != 1)) {
            throw new ModelLoadException(given
                    + ", allowed is [batch,channels,height,width] or [batch,height,width,channels] of UINT8, "
                    + Floats.types());
        }
        ImageInput image = task.image();
        Layout layout = image.layout().orElseGet(() -> inferred(shape));
        int channelAxis = layout == Layout.NCHW ? 1 : 3;
        int heightAxis = layout == Layout.NCHW ? 2 : 1;
        if (!shape.isDynamic(channelAxis) && !holdsChannels(shape, channelAxis)) {
            throw new ModelLoadException(
                    given + " with " + shape.dimension(channelAxis) + " channels, allowed are 1 or 3");
        }
        int channels = shape.isDynamic(channelAxis) ? image.usual().channels() : (int) shape.dimension(channelAxis);
        requireChannels(image, "mean", image.mean().size(), channels);
        requireChannels(image, "std", image.std().size(), channels);
        return new ImageLayout(
                input,
                layout,
                channels,
                side(
                        image,
                        given,
                        "height",
                        image.height(),
                        shape,
                        heightAxis,
                        image.usual().height()),
                side(
                        image,
                        given,
                        "width",
                        image.width(),
                        shape,
                        heightAxis + 1,
                        image.usual().width()));
    }

    /** The shape of one image. */
    public Shape shape() {
        return layout == Layout.NCHW ? Shape.of(1, channels, height, width) : Shape.of(1, height, width, channels);
    }

    private static Layout inferred(Shape shape) {
        return !holdsChannels(shape, 1) && holdsChannels(shape, 3) ? Layout.NHWC : Layout.NCHW;
    }

    private static boolean holdsChannels(Shape shape, int axis) {
        return shape.dimension(axis) == 1 || shape.dimension(axis) == 3;
    }

    private static void requireChannels(ImageInput image, String key, int numbers, int channels)
            throws ModelLoadException {
        if (numbers > 1 && numbers != channels) {
            throw new ModelLoadException(
                    named(image, key) + " has " + numbers + " numbers, the model has " + channels + " channels");
        }
    }

    private static int side(
            ImageInput image,
            String given,
            String key,
            Optional<Integer> configured,
            Shape shape,
            int axis,
            int otherwise)
            throws ModelLoadException {
        if (shape.isDynamic(axis)) {
            return configured.orElse(otherwise);
        }
        long size = shape.dimension(axis);
        if (configured.isPresent() && configured.get() != size) {
            throw new ModelLoadException(named(image, key) + " is " + configured.get() + ", " + given);
        }
        if (size < 1 || size > LONGEST_SIDE) {
            throw new ModelLoadException(given + ", a side may have 1 to " + LONGEST_SIDE + " pixels");
        }
        return (int) size;
    }

    /** A key with the file that said it, where that was not the model's own configuration. */
    private static String named(ImageInput image, String key) {
        String source = image.inferred().get(key);
        return "task.image." + key + (source == null ? "" : " of " + source);
    }
}
