package io.atelier.engine.onnx;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.List;

/** Models in parts. */
final class Parts {
    /** A model without weights in other files. */
    static final WeightFiles NO_FILES = (location, offset, length) -> {
        throw new NoSuchFileException(location);
    };

    private Parts() {}

    /** What was written in parts, in one piece. */
    static byte[] joined(List<ByteBuffer> parts) {
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        for (ByteBuffer part : parts) {
            byte[] bytes = new byte[part.remaining()];
            part.get(bytes);
            whole.writeBytes(bytes);
        }
        return whole.toByteArray();
    }
}
