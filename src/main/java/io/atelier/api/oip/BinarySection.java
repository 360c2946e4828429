package io.atelier.api.oip;

import io.atelier.api.ReceivedBody;
import io.atelier.core.ServingException.InvalidInput;
import io.vertx.core.http.HttpServerRequest;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The raw tensors of a body, taken from front to back as they came from the network: nothing is copied. Used by one
 * thread.
 *
 * @see <a href="https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md">The
 *     binary tensor data extension</a>
 */
final class BinarySection {
    /** How long the JSON is, and that tensors follow it; 0 says that the body is one tensor and nothing else. */
    static final String HEADER = "Inference-Header-Content-Length";

    private static final Pattern LENGTH = Pattern.compile("\\d{1,18}");

    private final Deque<ByteBuffer> parts;
    private int remaining;

    BinarySection(List<ByteBuffer> parts) {
        this.parts = new ArrayDeque<>(parts);
        this.remaining = parts.stream().mapToInt(ByteBuffer::remaining).sum();
    }

    /**
     * How long the body's JSON is by the header; -1 if there is no header.
     *
     * @throws InvalidInput if it is no number, or more than there is
     */
    static int jsonLength(HttpServerRequest request, ReceivedBody body) {
        List<String> given = request.headers().getAll(HEADER);
        if (given.isEmpty()) {
            return -1;
        }
        String text = given.get(0).strip();
        if (given.size() > 1 || !LENGTH.matcher(text).matches()) {
            throw new InvalidInput("header " + HEADER + " is not a number of bytes");
        }
        if (Long.parseLong(text) > body.length()) {
            throw new InvalidInput("header %s is %s, but the body has %d bytes".formatted(HEADER, text, body.length()));
        }
        return Integer.parseInt(text);
    }

    int remaining() {
        return remaining;
    }

    /**
     * The next bytes.
     *
     * @param size at most {@link #remaining}
     */
    List<ByteBuffer> take(int size) {
        List<ByteBuffer> taken = new ArrayList<>();
        int missing = size;
        while (missing > 0) {
            ByteBuffer part = parts.remove();
            if (part.remaining() > missing) {
                parts.addFirst(part.slice(part.position() + missing, part.remaining() - missing));
                part = part.slice(part.position(), missing);
            }
            taken.add(part);
            missing -= part.remaining();
        }
        remaining -= size;
        return taken;
    }
}
