package io.atelier.engine.onnx;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.List;

/** What was written in parts, in one piece. */
final class Parts {
    private Parts() {}

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
