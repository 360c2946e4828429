package io.atelier.api;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * Compression of answers, for clients that ask for it and where it pays: not of a small answer, and not of numbers in
 * binary that hardly shrink, which their first bytes tell.
 */
enum AnswerCompression {
    GZIP {
        @Override
        OutputStream over(OutputStream out) throws IOException {
            return new FastGzip(out);
        }
    },
    DEFLATE {
        @Override
        OutputStream over(OutputStream out) {
            return new DeflaterOutputStream(out, new Deflater(Deflater.BEST_SPEED));
        }
    };

    /** Smaller answers fit one packet anyway. */
    static final int MIN_BYTES = 1 << 10;

    private static final int SAMPLE_BYTES = 16 << 10;

    /** What must be left of the sample at most. */
    private static final double WORTHWHILE = 0.8;

    abstract OutputStream over(OutputStream out) throws IOException;

    /** What the client asks for, gzip first; null for none. */
    static @Nullable AnswerCompression wanted(HttpServerRequest request) {
        String header = request.getHeader(HttpHeaders.ACCEPT_ENCODING);
        if (header == null) {
            return null;
        }
        AnswerCompression wanted = null;
        for (String coding : header.toLowerCase(Locale.ROOT).split(",", -1)) {
            String[] parts = coding.split(";", 2);
            boolean refused = parts.length == 2 && parts[1].strip().matches("q=0(\\.0*)?");
            switch (parts[0].strip()) {
                case "gzip" -> wanted = refused ? wanted : GZIP;
                case "deflate" -> wanted = refused || wanted != null ? wanted : DEFLATE;
                default -> {
                    // another coding, which is not spoken here
                }
            }
        }
        return wanted;
    }

    /** The same answer, compressed if that pays. */
    ResponseBody apply(ResponseBody body) {
        if (body.sizeBytes() < MIN_BYTES || !shrinks(body)) {
            return body;
        }
        Map<String, String> headers = new HashMap<>(body.headers());
        headers.put("Content-Encoding", name().toLowerCase(Locale.ROOT));
        return new ResponseBody(body.mediaType(), headers, List.of(ByteBuffer.wrap(compress(body.parts()))));
    }

    private boolean shrinks(ResponseBody body) {
        List<ByteBuffer> sample = new ArrayList<>();
        int left = SAMPLE_BYTES;
        for (ByteBuffer part : body.parts()) {
            int size = Math.min(left, part.remaining());
            sample.add(part.slice(part.position(), size));
            left -= size;
        }
        return compress(sample).length < WORTHWHILE * (SAMPLE_BYTES - left);
    }

    private byte[] compress(List<ByteBuffer> parts) {
        ByteArrayOutputStream compressed = new ByteArrayOutputStream();
        try (OutputStream out = over(compressed)) {
            byte[] piece = new byte[SAMPLE_BYTES];
            for (ByteBuffer part : parts) {
                ByteBuffer rest = part.duplicate();
                while (rest.hasRemaining()) {
                    int size = Math.min(piece.length, rest.remaining());
                    rest.get(piece, 0, size);
                    out.write(piece, 0, size);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return compressed.toByteArray();
    }

    /** Gzip at its fastest. */
    private static final class FastGzip extends GZIPOutputStream {
        FastGzip(OutputStream out) throws IOException {
            super(out);
            def.setLevel(Deflater.BEST_SPEED);
        }
    }
}
