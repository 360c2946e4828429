package io.atelier.api;

import io.atelier.core.ServingException.Cancelled;
import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.ServingException.PayloadTooLarge;
import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.Response.Status;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Collects a body on its event loop, whatever its Content-Type, as it arrives: a chunk is kept as it is, only small ones
 * are copied together, and a declared length alone reserves next to nothing. Compressed bodies are decompressed before;
 * the limit is one of what comes out.
 *
 * <p>A body parameter of Quarkus REST would hand bodies above its buffer size to a worker thread that waits for the
 * rest; this never does. It also bounds the bodies that Quarkus' own limit does not see, the ones without a
 * Content-Length, and the time that a body may take to arrive.
 */
@Singleton
public class RequestBodyReader {
    /** Smaller chunks are copied together, since each has a cost of its own. */
    static final int OWN_PART_BYTES = 4 << 10;

    private static final int TAIL_BYTES = 16 << 10;
    private static final byte[] NOTHING = {};
    private static final int ROUGH_LIMIT = Integer.MAX_VALUE - Byte.MAX_VALUE;

    private final Vertx vertx;
    private final int maxBytes;
    private final Duration readTimeout;

    @Inject
    public RequestBodyReader(
            Vertx vertx,
            @ConfigProperty(name = "quarkus.http.limits.max-body-size", defaultValue = "10240K") MemorySize maxBodySize,
            @ConfigProperty(name = "quarkus.http.read-timeout", defaultValue = "60s") Duration readTimeout) {
        this.vertx = vertx;
        this.maxBytes = (int) Math.min(maxBodySize.asLongValue(), ROUGH_LIMIT);
        this.readTimeout = readTimeout;
    }

    /** Whether the head says that a body follows. */
    static boolean isAnnounced(HttpServerRequest request) {
        String length = request.getHeader(HttpHeaders.CONTENT_LENGTH);
        return length == null
                ? request.headers().contains(HttpHeaders.TRANSFER_ENCODING)
                : !length.strip().equals("0");
    }

    /** Most bytes of a body. */
    long maxBytes() {
        return maxBytes;
    }

    /** The body of a request that nobody has begun to read; to be subscribed to on its event loop. */
    Uni<ReceivedBody> read(HttpServerRequest request) {
        InvalidInput refusal = BodyCoding.refusal(request);
        if (refusal != null) {
            LingeringClose.of(vertx, request);
            return Uni.createFrom().failure(refusal);
        }
        return Uni.createFrom().emitter(emitter -> new Collector(request, emitter).start());
    }

    /** Everything happens on the request's event loop. */
    private final class Collector {
        private final HttpServerRequest request;
        private final UniEmitter<? super ReceivedBody> emitter;
        private final List<ByteBuffer> parts = new ArrayList<>();
        private byte[] tail;
        private int tailLength;
        private int length;
        private long timer;
        private boolean over;

        Collector(HttpServerRequest request, UniEmitter<? super ReceivedBody> emitter) {
            this.request = request;
            this.emitter = emitter;
            this.tail = new byte[firstBytes(request)];
        }

        void start() {
            timer = vertx.setTimer(Math.max(1, readTimeout.toMillis()), fired -> late());
            request.handler(this::take).endHandler(nothing -> complete()).exceptionHandler(this::broken);
            if ("100-continue".equalsIgnoreCase(request.getHeader(HttpHeaders.EXPECT))) {
                request.response().writeContinue();
            }
            request.resume();
        }

        private void take(Buffer chunk) {
            if (over) {
                return; // a refused body runs out unread
            }
            int size = chunk.length();
            if (size > maxBytes - length) {
                fail(new PayloadTooLarge("the body is larger than " + maxBytes + " bytes"));
                LingeringClose.of(vertx, request);
                return;
            }
            length += size;
            if (size >= OWN_PART_BYTES) {
                endTail();
                parts.add(bytes(chunk));
                return;
            }
            if (size > tail.length - tailLength) {
                endTail();
                tail = new byte[TAIL_BYTES];
            }
            chunk.getBytes(tail, tailLength);
            tailLength += size;
        }

        /** What was copied together becomes a part; room that is left over is not kept with it. */
        private void endTail() {
            if (tailLength > 0) {
                byte[] bytes = tailLength < tail.length / 2 ? Arrays.copyOf(tail, tailLength) : tail;
                parts.add(ByteBuffer.wrap(bytes, 0, tailLength));
                tail = bytes == tail ? NOTHING : tail;
                tailLength = 0;
            }
        }

        private void complete() {
            if (end()) {
                endTail();
                emitter.complete(new ReceivedBody(parts, System.nanoTime()));
            }
        }

        private void broken(Throwable cause) {
            if (!over && BodyCoding.answerIfBroken(request, cause)) {
                end();
            }
            fail(new Cancelled());
        }

        private void late() {
            fail(new WebApplicationException("the body took too long to arrive", Status.REQUEST_TIMEOUT));
            LingeringClose.of(vertx, request);
        }

        private void fail(Throwable failure) {
            if (end()) {
                parts.clear();
                tail = NOTHING;
                emitter.fail(failure);
            }
        }

        private boolean end() {
            if (over) {
                return false;
            }
            over = true;
            vertx.cancelTimer(timer);
            return true;
        }
    }

    /** The chunk's own bytes: a buffer on the heap, which Vert.x has filled from the socket's and gives away. */
    @SuppressWarnings("deprecation") // the public way to them that does not copy
    private static ByteBuffer bytes(Buffer chunk) {
        return chunk.getByteBuf().nioBuffer();
    }

    private static int firstBytes(HttpServerRequest request) {
        String declared = request.getHeader(HttpHeaders.CONTENT_LENGTH);
        if (declared == null || declared.length() > 9) {
            return TAIL_BYTES;
        }
        try {
            return Math.min(TAIL_BYTES, Integer.parseInt(declared));
        } catch (NumberFormatException e) {
            return TAIL_BYTES;
        }
    }
}
