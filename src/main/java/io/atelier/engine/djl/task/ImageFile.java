package io.atelier.engine.djl.task;

import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.ServingException.UnsupportedMediaType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * What is known of an image's file before a pixel is decoded. Immutable.
 *
 * @param format      its format
 * @param orientation how it has to be turned to stand upright, 1 to 8 as in EXIF
 * @param colours     how the numbers of a pixel are meant
 */
record ImageFile(Format format, int orientation, Colours colours) {
    private static final long PNG_SIGNATURE = 0x89504E470D0A1A0AL;
    private static final int PNG_SIGNATURE_BYTES = 8;
    private static final int PNG_END = 0x49454E44;
    private static final int PNG_EXIF = 0x65584966;

    /** A chunk's length, type and checksum. */
    private static final int PNG_CHUNK_BYTES = 12;

    private static final int JPEG_START = 0xFFD8FF;
    private static final int JPEG_SCAN = 0xDA;
    private static final int JPEG_FILL = 0xFF;
    private static final int JPEG_EXIF = 0xE1;
    private static final int JPEG_ADOBE = 0xEE;
    private static final short JPEG_END = (short) 0xFFD9;
    private static final byte[] EXIF_NAME = "Exif\0\0".getBytes(StandardCharsets.US_ASCII);
    private static final int JPEG_JFIF = 0xE0;
    private static final byte[] JFIF_NAME = "JFIF\0".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] ADOBE_NAME = "Adobe".getBytes(StandardCharsets.US_ASCII);

    /** Behind the name, the version and two words of flags. */
    private static final int ADOBE_TRANSFORM = 11;

    private static final int ADOBE_UNTRANSFORMED = 0;
    private static final int ADOBE_YCCK = 2;

    /** First frames of JPEG, but tables, extensions and arithmetic conditioning. */
    private static final int JPEG_FRAMES = 0xC0;

    private static final int JPEG_FRAMES_END = 0xCF;

    /** Behind the precision and two sides; behind it the components, three bytes each, the first its name. */
    private static final int FRAME_COMPONENTS = 5;

    private static final int COMPONENT_BYTES = 3;

    private static final int TIFF_INTEL = 0x4949;
    private static final int TIFF_MOTOROLA = 0x4D4D;
    private static final int TIFF_ENTRY_BYTES = 12;
    private static final int TIFF_ORIENTATION = 0x0112;
    private static final int TIFF_SHORT = 3;
    private static final int UPRIGHT = 1;
    private static final int LAST_ORIENTATION = 8;

    /** First bytes of what people also call an image; a dot stands for any byte. */
    private static final Map<String, String> OTHERS = Map.of(
            "RIFF....WEBP", "WebP",
            "GIF8", "GIF",
            "BM....\0\0\0\0", "BMP",
            "II*\0", "TIFF",
            "MM\0*", "TIFF",
            "....ftypavif", "AVIF",
            "....ftyp", "HEIF or a video",
            "\0\0\0\014JXL ", "JPEG XL",
            "\0\0\0\014jP  ", "JPEG 2000");

    /** What can be decoded. */
    enum Format {
        JPEG,
        PNG
    }

    /** The colours of a pixel. */
    enum Colours {
        /** Grey, or red, green and blue; behind them perhaps transparency. */
        PLAIN(1),
        /** Brightness and two differences of colour. */
        YCC(3),
        /** Cyan, magenta, yellow and black, each 255 less its amount. */
        CMYK(4),
        /** The same, of which the first three are written as brightness and differences. */
        YCCK(4);

        private final int least;

        Colours(int least) {
            this.least = least;
        }

        /** Numbers of a pixel, at least. */
        int least() {
            return least;
        }
    }

    /**
     * Looks at a file.
     *
     * @throws InvalidInput         if it is no image, or not the whole of one
     * @throws UnsupportedMediaType if it is an image of another format
     */
    static ImageFile of(byte[] file) {
        ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.BIG_ENDIAN);
        if (file.length > PNG_SIGNATURE_BYTES && bytes.getLong(0) == PNG_SIGNATURE) {
            return new ImageFile(Format.PNG, pngOrientation(bytes), Colours.PLAIN);
        }
        if (file.length > 3 && bytes.getInt(0) >>> 8 == JPEG_START) {
            return jpeg(bytes);
        }
        OTHERS.entrySet().stream()
                .filter(other -> startsWith(file, other.getKey()))
                .max((a, b) -> Integer.compare(a.getKey().length(), b.getKey().length()))
                .ifPresent(other -> {
                    throw new UnsupportedMediaType("the image is " + other.getValue() + ", allowed are JPEG and PNG");
                });
        throw new InvalidInput("the image is neither JPEG nor PNG");
    }

    InvalidInput broken() {
        return broken(format);
    }

    private static InvalidInput broken(Format format) {
        return new InvalidInput("the image is a broken or unusual " + (format == Format.PNG ? "png" : "jpeg")
                + " file and cannot be decoded");
    }

    /** Walks through the chunks: one that claims more than there is would be given memory before it is missed. */
    private static int pngOrientation(ByteBuffer bytes) {
        int orientation = UPRIGHT;
        long at = PNG_SIGNATURE_BYTES;
        while (at + PNG_CHUNK_BYTES <= bytes.limit()) {
            int type = bytes.getInt((int) at + 4);
            long length = Integer.toUnsignedLong(bytes.getInt((int) at));
            if (type == PNG_END) {
                return orientation;
            }
            if (type == PNG_EXIF && at + PNG_CHUNK_BYTES + length <= bytes.limit()) {
                orientation = tiffOrientation(bytes.slice((int) at + 8, (int) length));
            }
            at += length + PNG_CHUNK_BYTES;
        }
        throw broken(Format.PNG);
    }

    /** Walks through the segments; the decoder makes up what is missing, so the end has to be there, behind a scan. */
    private static ImageFile jpeg(ByteBuffer bytes) {
        int orientation = 0;
        String components = "";
        boolean isJfif = false;
        int transform = -1;
        int at = 2;
        boolean scanned = false;
        while (!scanned && at + 4 <= bytes.limit()) {
            int marker = bytes.get(at + 1) & 0xFF;
            int length = Short.toUnsignedInt(bytes.getShort(at + 2));
            if (marker == JPEG_FILL) {
                at++;
                continue;
            }
            if (length >= 2 && at + 2 + length <= bytes.limit()) {
                ByteBuffer segment = bytes.slice(at + 4, length - 2);
                if (marker == JPEG_EXIF && orientation == 0 && startsWith(segment, EXIF_NAME)) {
                    orientation = tiffOrientation(segment.slice(EXIF_NAME.length, segment.limit() - EXIF_NAME.length));
                } else if (marker == JPEG_ADOBE && startsWith(segment, ADOBE_NAME)) {
                    transform = segment.limit() > ADOBE_TRANSFORM ? segment.get(ADOBE_TRANSFORM) : transform;
                } else if (marker == JPEG_JFIF && startsWith(segment, JFIF_NAME)) {
                    isJfif = true;
                } else if (isFrame(marker)) {
                    components = components(segment);
                }
            }
            scanned = marker == JPEG_SCAN;
            at += 2 + length;
        }
        for (; scanned && at + 2 <= bytes.limit(); at++) {
            if (bytes.getShort(at) == JPEG_END) {
                return new ImageFile(
                        Format.JPEG, Math.max(UPRIGHT, orientation), colours(components, isJfif, transform));
            }
        }
        throw broken(Format.JPEG);
    }

    /** The names of the components, a character for each. */
    private static String components(ByteBuffer frame) {
        StringBuilder names = new StringBuilder();
        for (int at = FRAME_COMPONENTS + 1; at + COMPONENT_BYTES <= frame.limit(); at += COMPONENT_BYTES) {
            names.append((char) (frame.get(at) & 0xFF));
        }
        return names.toString();
    }

    /** As libjpeg takes it: JFIF has brightness and differences, Adobe says what it has, and else the names tell. */
    private static Colours colours(String components, boolean isJfif, int transform) {
        if (components.length() == 4) {
            return transform == ADOBE_YCCK ? Colours.YCCK : Colours.CMYK;
        }
        boolean isPlain = !isJfif && (transform < 0 ? components.equals("RGB") : transform == ADOBE_UNTRANSFORMED);
        return components.length() != 3 || isPlain ? Colours.PLAIN : Colours.YCC;
    }

    private static boolean isFrame(int marker) {
        return marker >= JPEG_FRAMES && marker <= JPEG_FRAMES_END && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    }

    /** From the first directory of a TIFF, which is what EXIF is; upright where that makes no sense. */
    private static int tiffOrientation(ByteBuffer tiff) {
        if (tiff.limit() < 8) {
            return UPRIGHT;
        }
        int order = Short.toUnsignedInt(tiff.getShort(0));
        if (order != TIFF_INTEL && order != TIFF_MOTOROLA) {
            return UPRIGHT;
        }
        tiff.order(order == TIFF_INTEL ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        long directory = Integer.toUnsignedLong(tiff.getInt(4));
        if (directory + 2 > tiff.limit()) {
            return UPRIGHT;
        }
        int entries = Short.toUnsignedInt(tiff.getShort((int) directory));
        for (long at = directory + 2; entries > 0 && at + TIFF_ENTRY_BYTES <= tiff.limit(); at += TIFF_ENTRY_BYTES) {
            int entry = (int) at;
            if (Short.toUnsignedInt(tiff.getShort(entry)) == TIFF_ORIENTATION) {
                int value = tiff.getShort(entry + 2) == TIFF_SHORT
                        ? Short.toUnsignedInt(tiff.getShort(entry + 8))
                        : tiff.getInt(entry + 8);
                return value >= UPRIGHT && value <= LAST_ORIENTATION ? value : UPRIGHT;
            }
            entries--;
        }
        return UPRIGHT;
    }

    private static boolean startsWith(ByteBuffer bytes, byte[] name) {
        return bytes.limit() >= name.length && bytes.slice(0, name.length).equals(ByteBuffer.wrap(name));
    }

    private static boolean startsWith(byte[] file, String pattern) {
        for (int i = 0; i < pattern.length(); i++) {
            if (i >= file.length || (pattern.charAt(i) != '.' && pattern.charAt(i) != (file[i] & 0xFF))) {
                return false;
            }
        }
        return true;
    }
}
