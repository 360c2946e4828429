package io.atelier.engine;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.Charset;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads a file with the names of classes: UTF-8, or UTF-16 with a byte order mark. What is neither is refused rather than
 * read as something else.
 */
public final class LabelText {
    private static final long LARGEST_BYTES = 16L << 20;

    private LabelText() {}

    /**
     * The whole text, without a byte order mark.
     *
     * @param name of the file, for errors
     * @throws ModelLoadException if it cannot be read, or is no such text
     */
    public static String read(Path file, String name) throws ModelLoadException {
        byte[] bytes;
        try {
            if (Files.size(file) > LARGEST_BYTES) {
                throw new ModelLoadException(name + " is larger than 16 MiB");
            }
            bytes = Files.readAllBytes(file);
        } catch (IOException failure) {
            throw new ModelLoadException(name + " cannot be read", failure);
        }
        if (startsWith(bytes, 0xFF, 0xFE)) {
            return decode(bytes, 2, StandardCharsets.UTF_16LE, name);
        }
        if (startsWith(bytes, 0xFE, 0xFF)) {
            return decode(bytes, 2, StandardCharsets.UTF_16BE, name);
        }
        return decode(bytes, startsWith(bytes, 0xEF, 0xBB, 0xBF) ? 3 : 0, StandardCharsets.UTF_8, name);
    }

    /** One name a line, in the order of the classes; empty lines at the end do not count. */
    public static List<String> lines(String text) {
        List<String> lines = new ArrayList<>(text.lines().map(String::strip).toList());
        while (!lines.isEmpty() && lines.get(lines.size() - 1).isEmpty()) {
            lines.remove(lines.size() - 1);
        }
        return lines;
    }

    private static boolean startsWith(byte[] bytes, int... mark) {
        for (int i = 0; i < mark.length; i++) {
            if (i >= bytes.length || Byte.toUnsignedInt(bytes[i]) != mark[i]) {
                return false;
            }
        }
        return true;
    }

    private static String decode(byte[] bytes, int from, Charset charset, String name) throws ModelLoadException {
        ByteBuffer left = ByteBuffer.wrap(bytes, from, bytes.length - from);
        CharsetDecoder decoder = charset.newDecoder();
        CharBuffer text = CharBuffer.allocate(left.remaining() + 1);
        CoderResult result = decoder.decode(left, text, true);
        if (result.isUnderflow()) {
            result = decoder.flush(text);
        }
        text.flip();
        if (!result.isUnderflow()) {
            long line = 1 + text.chars().filter(c -> c == '\n').count();
            throw new ModelLoadException(name + ": line " + line + " is not " + charset.name()
                    + ", allowed is UTF-8, or UTF-16 with a byte order mark");
        }
        return text.toString();
    }
}
