package io.atelier.api;

import jakarta.ws.rs.core.MediaType;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;

/**
 * An answer as it goes to the connection: buffers that follow each other there and are never joined. Immutable; nobody
 * may write to the buffers any more.
 *
 * @param headers beside the Content-Type
 */
public record ResponseBody(String mediaType, Map<String, String> headers, List<ByteBuffer> parts) {
    public ResponseBody {
        headers = Map.copyOf(headers);
        parts = List.copyOf(parts);
    }

    /** A JSON document. */
    public static ResponseBody json(byte[] document) {
        return new ResponseBody(MediaType.APPLICATION_JSON, Map.of(), List.of(ByteBuffer.wrap(document)));
    }

    /** Bytes of the whole. */
    public long sizeBytes() {
        return parts.stream().mapToLong(ByteBuffer::remaining).sum();
    }

    /** A copy of the whole in one piece. */
    public byte[] bytes() {
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(sizeBytes()));
        parts.forEach(part -> bytes.put(part.duplicate()));
        return bytes.array();
    }
}
