package io.atelier.engine.djl.task;

import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.ServingException.PayloadTooLarge;
import io.atelier.core.ServingException.UnsupportedMediaType;
import io.atelier.engine.djl.task.ImageFile.Format;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Locale;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;
import org.jspecify.annotations.Nullable;

/**
 * A decoded JPEG or PNG, turned upright as EXIF says. Colours are taken as they stand in the file, as Pillow does: no
 * colour profile, no transparency; of 16 bits the upper eight. Its size is known, and refused if too large, before a
 * pixel takes memory. One thread.
 */
final class Picture {
    private static final int MOST = 255;

    // what libjpeg makes of brightness and colour differences, in parts of 65536
    private static final int RED_OF_CR = 91881;
    private static final int GREEN_OF_CB = -22554;
    private static final int GREEN_OF_CR = -46802;
    private static final int BLUE_OF_CB = 116130;
    private static final int HALF = 1 << 15;

    /** From here on the sides are swapped. */
    private static final int FIRST_LYING = 5;

    private final Raster raster;
    private final @Nullable BufferedImage looked;
    private final ImageFile file;
    private final int bands;
    private final int shift;
    private final int[] samples;

    /** @param looked the image through whose palette pixels have to be looked up; null where samples are colours */
    private Picture(Raster raster, @Nullable BufferedImage looked, ImageFile file) {
        this.raster = raster;
        this.looked = looked;
        this.file = file;
        this.bands = raster.getNumBands();
        this.shift = Math.max(0, raster.getSampleModel().getSampleSize(0) - 8);
        this.samples = new int[Math.max(raster.getWidth(), raster.getHeight()) * Math.max(3, bands)];
    }

    /**
     * @param encoded   the file's bytes
     * @param maxPixels most pixels that are decoded
     * @throws InvalidInput         if they are no image, or a broken one
     * @throws UnsupportedMediaType if they are an image, but neither JPEG nor PNG
     * @throws PayloadTooLarge      if it has more pixels
     */
    static Picture decode(ByteBuffer encoded, int maxPixels) {
        byte[] bytes = new byte[encoded.remaining()];
        encoded.duplicate().get(bytes);
        ImageFile file = ImageFile.of(bytes);
        ImageReader reader = ImageIO.getImageReadersByFormatName(
                        file.format().name().toLowerCase(Locale.ROOT))
                .next();
        try (ImageInputStream stream = new MemoryCacheImageInputStream(new ByteArrayInputStream(bytes))) {
            reader.setInput(stream, true, true);
            long width = reader.getWidth(0);
            long height = reader.getHeight(0);
            if (width * height > maxPixels) {
                throw new PayloadTooLarge(
                        "the image has %d x %d pixels, the model takes at most %d".formatted(width, height, maxPixels));
            }
            if (file.format() == Format.JPEG) {
                Raster raster = reader.readRaster(0, null); // an image would have the colours of the file's profile
                if (raster.getNumBands() < file.colours().least()) {
                    throw file.broken();
                }
                return new Picture(raster, null, file);
            }
            BufferedImage image = reader.read(0);
            return new Picture(image.getRaster(), isLookedUp(image) ? image : null, file);
        } catch (IOException | IllegalArgumentException | IndexOutOfBoundsException | NegativeArraySizeException e) {
            throw file.broken();
        } finally {
            reader.dispose();
        }
    }

    private static boolean isLookedUp(BufferedImage image) {
        int bits = image.getRaster().getSampleModel().getSampleSize(0);
        return image.getColorModel() instanceof IndexColorModel || (bits != 8 && bits != 16);
    }

    int width() {
        return isLying() ? raster.getHeight() : raster.getWidth();
    }

    int height() {
        return isLying() ? raster.getWidth() : raster.getHeight();
    }

    /** One row's red, green and blue by turns, 0 to 255, into {@code rgb}. */
    void row(int y, int[] rgb) {
        int orientation = file.orientation();
        if (isLying()) {
            int column = orientation >= 7 ? raster.getWidth() - 1 - y : y;
            line(column, 0, 1, raster.getHeight(), orientation == 6 || orientation == 7, rgb);
        } else {
            int row = orientation >= 3 ? raster.getHeight() - 1 - y : y;
            line(0, row, raster.getWidth(), 1, orientation == 2 || orientation == 3, rgb);
        }
    }

    private boolean isLying() {
        return file.orientation() >= FIRST_LYING;
    }

    /** The pixels of a row or a column, as they lie in the file, forwards or backwards. */
    private void line(int x, int y, int width, int height, boolean backwards, int[] rgb) {
        int count = width * height;
        if (looked != null) {
            looked.getRGB(x, y, width, height, samples, 0, width);
        } else {
            // not getRGB: it brightens grey, whose samples Java takes for linear
            raster.getPixels(x, y, width, height, samples);
        }
        for (int i = 0; i < count; i++) {
            colour(i, rgb, 3 * (backwards ? count - 1 - i : i));
        }
    }

    private void colour(int pixel, int[] rgb, int at) {
        if (looked != null) {
            rgb[at] = (samples[pixel] >> 16) & MOST;
            rgb[at + 1] = (samples[pixel] >> 8) & MOST;
            rgb[at + 2] = samples[pixel] & MOST;
            return;
        }
        int from = bands * pixel;
        switch (file.colours()) {
            case PLAIN -> {
                rgb[at] = samples[from] >> shift;
                rgb[at + 1] = samples[from + (bands < 3 ? 0 : 1)] >> shift;
                rgb[at + 2] = samples[from + (bands < 3 ? 0 : 2)] >> shift;
            }
            case YCC -> light(from, rgb, at);
            case CMYK -> {
                for (int i = 0; i < 3; i++) {
                    rgb[at + i] = printed(MOST - samples[from + i], samples[from + 3]);
                }
            }
            case YCCK -> {
                light(from, rgb, at);
                for (int i = 0; i < 3; i++) {
                    rgb[at + i] = printed(rgb[at + i], samples[from + 3]);
                }
            }
        }
    }

    /** Brightness and two differences to red, green and blue, by libjpeg's own integers. */
    private void light(int from, int[] rgb, int at) {
        int brightness = samples[from];
        int cb = samples[from + 1] - 128;
        int cr = samples[from + 2] - 128;
        rgb[at] = level(brightness + ((RED_OF_CR * cr + HALF) >> 16));
        rgb[at + 1] = level(brightness + ((GREEN_OF_CB * cb + GREEN_OF_CR * cr + HALF) >> 16));
        rgb[at + 2] = level(brightness + ((BLUE_OF_CB * cb + HALF) >> 16));
    }

    /** What an ink leaves of the light that black lets through, as Pillow has it. */
    private static int printed(int ink, int light) {
        int product = ink * light + 128;
        return level(light - (((product >> 8) + product) >> 8));
    }

    private static int level(int value) {
        return Math.max(0, Math.min(MOST, value));
    }
}
