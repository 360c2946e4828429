package io.atelier.engine.djl.task;

import io.atelier.core.DataType;
import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.ServingException.PayloadTooLarge;
import io.atelier.core.ServingException.UnsupportedMediaType;
import io.atelier.core.Task;
import io.atelier.core.TaskAnswer;
import io.atelier.core.TaskInput;
import io.atelier.core.Tensor;
import io.atelier.engine.ElementBits;
import io.atelier.engine.ImageLayout;
import io.atelier.engine.TaskConfig.Channels;
import io.atelier.engine.TaskConfig.ImageInput;
import io.atelier.engine.TaskConfig.Layout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Images to a model's input: decoded, scaled, placed, and each number normalised. An image is one request, so images of
 * different callers share batches in the queue. Thread-safe.
 */
final class ImageInputs {
    private static final List<Double> IMAGENET_MEAN = List.of(0.485, 0.456, 0.406);
    private static final List<Double> IMAGENET_STD = List.of(0.229, 0.224, 0.225);
    private static final int LEVELS = 256;

    private final ImageInput config;
    private final ImageLayout layout;
    private final long[][] elements;
    private final long[] fill;

    /** @param imageNet whether colours are normalised by ImageNet's mean and deviation where nothing else is said */
    ImageInputs(ImageInput config, ImageLayout layout, boolean imageNet) {
        this.config = config;
        this.layout = layout;
        int channels = layout.channels();
        boolean defaults = imageNet && channels == 3;
        List<Double> mean = numbers(config.mean(), defaults ? IMAGENET_MEAN : Collections.nCopies(channels, 0.0));
        List<Double> std = numbers(config.std(), defaults ? IMAGENET_STD : Collections.nCopies(channels, 1.0));
        this.elements = new long[channels][LEVELS];
        this.fill = new long[channels];
        for (int channel = 0; channel < channels; channel++) {
            for (int level = 0; level < LEVELS; level++) {
                elements[channel][level] = element(level, mean.get(channel), std.get(channel));
            }
            fill[channel] = element(config.fill(), mean.get(channel), std.get(channel));
        }
    }

    int width() {
        return layout.width();
    }

    int height() {
        return layout.height();
    }

    /** An answer for the one row of an image that stood there. */
    @FunctionalInterface
    interface Reading {
        List<TaskAnswer> answers(List<Tensor> outputs, Placement placement);
    }

    List<Task.Part> parts(List<TaskInput> images, Reading reading) {
        List<Task.Part> parts = new ArrayList<>(images.size());
        for (int i = 0; i < images.size(); i++) {
            try {
                parts.add(part(i, (TaskInput.Image) images.get(i), reading));
            } catch (InvalidInput refused) {
                throw images.size() == 1 ? refused : new InvalidInput("image " + i + ": " + refused.detail());
            } catch (PayloadTooLarge refused) {
                throw images.size() == 1 ? refused : new PayloadTooLarge("image " + i + ": " + refused.detail());
            } catch (UnsupportedMediaType refused) {
                throw images.size() == 1 ? refused : new UnsupportedMediaType("image " + i + ": " + refused.detail());
            }
        }
        return parts;
    }

    private Task.Part part(int index, TaskInput.Image image, Reading reading) {
        Picture picture = Picture.decode(image.encoded(), config.maxPixels());
        Placement placement = Placement.of(config, layout, picture.width(), picture.height());
        Tensor tensor = tensor(picture, placement);
        return new Rows(List.of(index), List.of(tensor), outputs -> reading.answers(outputs, placement));
    }

    Tensor tensor(Picture picture, Placement placement) {
        DataType type = layout.input().dataType();
        int size = layout.channels() * layout.height() * layout.width() * type.sizeBytes();
        ByteBuffer data = ByteBuffer.allocateDirect(size).order(ByteOrder.LITTLE_ENDIAN);
        int left = Math.max(0, placement.left());
        int top = Math.max(0, placement.top());
        int right = Math.min(layout.width(), placement.left() + placement.width());
        int bottom = Math.min(layout.height(), placement.top() + placement.height());
        int[] sums = scaled(picture, placement, left, top, right, bottom);
        for (int y = 0; y < layout.height(); y++) {
            for (int x = 0; x < layout.width(); x++) {
                boolean inside = x >= left && x < right && y >= top && y < bottom;
                int at = 3 * ((y - top) * (right - left) + x - left);
                for (int channel = 0; channel < layout.channels(); channel++) {
                    int colour = config.channels() == Channels.BGR ? 2 - channel : channel;
                    long element = inside ? elements[channel][Resampling.level(sums[at + colour])] : fill[channel];
                    put(data, index(channel, y, x) * type.sizeBytes(), type, element);
                }
            }
        }
        return new Tensor(layout.input().name(), type, layout.shape(), data);
    }

    /**
     * The pixels between these sides of the input, red, green and blue by turns, as sums for {@link Resampling#level}; old
     * rows are read once, in order.
     */
    private int[] scaled(Picture picture, Placement placement, int left, int top, int right, int bottom) {
        Resampling columns = Resampling.of(
                config.interpolation(),
                config.antialias(),
                picture.width(),
                placement.width(),
                left - placement.left(),
                right - placement.left());
        Resampling rows = Resampling.of(
                config.interpolation(),
                config.antialias(),
                picture.height(),
                placement.height(),
                top - placement.top(),
                bottom - placement.top());
        int line = 3 * columns.count();
        int[] sums = new int[line * rows.count()];
        int[] old = new int[3 * picture.width()];
        int[] across = new int[line];
        int begun = 0;
        int last = rows.first(rows.count() - 1) + rows.weights(rows.count() - 1).length;
        for (int y = rows.first(0); y < last; y++) {
            while (rows.first(begun) + rows.weights(begun).length <= y) {
                begun++;
            }
            if (rows.first(begun) <= y) {
                picture.row(y, old);
                if (layout.channels() == 1) {
                    grey(old);
                }
                columns.apply(old, across);
                for (int row = begun; row < rows.count() && rows.first(row) <= y; row++) {
                    add(across, rows.weights(row), y - rows.first(row), sums, row * line);
                }
            }
        }
        return sums;
    }

    private static void add(int[] across, int[] weights, int index, int[] sums, int at) {
        if (index < weights.length) {
            int weight = weights[index];
            for (int i = 0; i < across.length; i++) {
                sums[at + i] += weight * across[i];
            }
        }
    }

    /** In place, by the integers with which Pillow weighs colours (ITU-R 601-2). */
    private static void grey(int[] rgb) {
        for (int at = 0; at < rgb.length; at += 3) {
            int level = (19595 * rgb[at] + 38470 * rgb[at + 1] + 7471 * rgb[at + 2] + 0x8000) >> 16;
            rgb[at] = level;
            rgb[at + 1] = level;
            rgb[at + 2] = level;
        }
    }

    private static void put(ByteBuffer data, int at, DataType type, long element) {
        switch (type.sizeBytes()) {
            case Byte.BYTES -> data.put(at, (byte) element);
            case Short.BYTES -> data.putShort(at, (short) element);
            case Integer.BYTES -> data.putInt(at, (int) element);
            default -> data.putLong(at, element);
        }
    }

    private int index(int channel, int y, int x) {
        return layout.layout() == Layout.NCHW
                ? (channel * layout.height() + y) * layout.width() + x
                : (y * layout.width() + x) * layout.channels() + channel;
    }

    /** The bits of an element that stands for a level; an input of UINT8 takes levels as they are. */
    private long element(double level, double mean, double std) {
        DataType type = layout.input().dataType();
        return ElementBits.of(type, type == DataType.UINT8 ? Math.round(level) : (level * config.scale() - mean) / std);
    }

    /** The configured numbers, one for each channel, or the defaults, which are for red, green and blue. */
    private List<Double> numbers(List<Double> configured, List<Double> defaults) {
        if (!configured.isEmpty()) {
            return configured.size() == 1 ? Collections.nCopies(layout.channels(), configured.get(0)) : configured;
        }
        List<Double> ordered = new ArrayList<>(defaults);
        if (config.channels() == Channels.BGR) {
            Collections.reverse(ordered);
        }
        return ordered;
    }
}
