package io.atelier.engine.djl.task;

import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.ServingException.PayloadTooLarge;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * A decoded JPEG or PNG. Colours are taken as they stand in the file, as Pillow and OpenCV do: no colour profile, no
 * transparency, no turning by EXIF. Its size is known, and refused if too large, before a pixel takes memory. One thread.
 */
final class Picture {
    private static final int PNG_SIGNATURE_BYTES = 8;
    private static final long PNG_SIGNATURE = 0x89504E470D0A1A0AL;
    private static final int PNG_END = 0x49454E44;

    /** A chunk's length, type and checksum. */
    private static final int PNG_CHUNK_BYTES = 12;

    private static final int JPEG_START = 0xFFD8FF;
    private static final int JPEG_SCAN = 0xDA;
    private static final int JPEG_FILL = 0xFF;
    private static final short JPEG_END = (short) 0xFFD9;

    private final BufferedImage image;
    private final Raster raster;
    private final int bands;
    private final int shift;
    private final int[] samples;

    private Picture(BufferedImage image) {
        this.image = image;
        this.raster = image.getRaster();
        this.bands = raster.getNumBands();
        int bits = raster.getSampleModel().getSampleSize(0);
        boolean plain = !(image.getColorModel() instanceof IndexColorModel) && (bits == 8 || bits == 16) && bands <= 4;
        this.shift = plain ? bits - 8 : -1;
        this.samples = new int[image.getWidth() * Math.max(3, bands)];
    }

    /**
     * @param encoded   the file's bytes
     * @param maxPixels most pixels that are decoded
     * @throws InvalidInput    if they are no JPEG or PNG, or a broken one
     * @throws PayloadTooLarge if it has more pixels
     */
    static Picture decode(ByteBuffer encoded, int maxPixels) {
        byte[] bytes = new byte[encoded.remaining()];
        encoded.duplicate().get(bytes);
        String format = format(ByteBuffer.wrap(bytes));
        ImageReader reader = ImageIO.getImageReadersByFormatName(format).next();
        try (ImageInputStream stream = new MemoryCacheImageInputStream(new ByteArrayInputStream(bytes))) {
            reader.setInput(stream, true, true);
            long width = reader.getWidth(0);
            long height = reader.getHeight(0);
            if (width * height > maxPixels) {
                throw new PayloadTooLarge(
                        "the image has %d x %d pixels, the model takes at most %d".formatted(width, height, maxPixels));
            }
            return new Picture(reader.read(0));
        } catch (IOException | IllegalArgumentException | IndexOutOfBoundsException | NegativeArraySizeException e) {
            throw broken(format);
        } finally {
            reader.dispose();
        }
    }

    int width() {
        return image.getWidth();
    }

    int height() {
        return image.getHeight();
    }

    /** One row's red, green and blue by turns, 0 to 255, into {@code rgb}. */
    void row(int y, int[] rgb) {
        int width = image.getWidth();
        if (shift < 0) {
            image.getRGB(0, y, width, 1, samples, 0, width);
            for (int x = 0; x < width; x++) {
                rgb[3 * x] = samples[x] >> 16 & 0xFF;
                rgb[3 * x + 1] = samples[x] >> 8 & 0xFF;
                rgb[3 * x + 2] = samples[x] & 0xFF;
            }
            return;
        }
        // not getRGB: it brightens grey, whose samples Java takes for linear
        raster.getPixels(0, y, width, 1, samples);
        int green = bands < 3 ? 0 : 1;
        int blue = bands < 3 ? 0 : 2;
        for (int x = 0; x < width; x++) {
            rgb[3 * x] = samples[bands * x] >> shift;
            rgb[3 * x + 1] = samples[bands * x + green] >> shift;
            rgb[3 * x + 2] = samples[bands * x + blue] >> shift;
        }
    }

    private static String format(ByteBuffer bytes) {
        bytes.order(ByteOrder.BIG_ENDIAN);
        if (bytes.limit() > PNG_SIGNATURE_BYTES && bytes.getLong(0) == PNG_SIGNATURE) {
            requireWholeChunks(bytes);
            return "png";
        }
        if (bytes.limit() > 3 && bytes.getInt(0) >>> 8 == JPEG_START) {
            requireEnd(bytes);
            return "jpeg";
        }
        throw new InvalidInput("the image is neither JPEG nor PNG");
    }

    /** A chunk that claims more than there is would be given memory before it is missed. */
    private static void requireWholeChunks(ByteBuffer bytes) {
        long at = PNG_SIGNATURE_BYTES;
        while (at + PNG_CHUNK_BYTES <= bytes.limit()) {
            if (bytes.getInt((int) at + 4) == PNG_END) {
                return;
            }
            at += Integer.toUnsignedLong(bytes.getInt((int) at)) + PNG_CHUNK_BYTES;
        }
        throw broken("png");
    }

    /** The JPEG reader makes up what is missing, so the end has to be there: behind a scan, not in a preview. */
    private static void requireEnd(ByteBuffer bytes) {
        int at = 2;
        boolean scanned = false;
        while (!scanned && at + 4 <= bytes.limit()) {
            int marker = bytes.get(at + 1) & 0xFF;
            scanned = marker == JPEG_SCAN;
            at += marker == JPEG_FILL ? 1 : 2 + Short.toUnsignedInt(bytes.getShort(at + 2));
        }
        for (; scanned && at + 2 <= bytes.limit(); at++) {
            if (bytes.getShort(at) == JPEG_END) {
                return;
            }
        }
        throw broken("jpeg");
    }

    private static InvalidInput broken(String format) {
        return new InvalidInput("the image is a broken or unusual " + format + " file and cannot be decoded");
    }
}
