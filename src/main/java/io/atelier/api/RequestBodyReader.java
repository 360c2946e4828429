package io.atelier.api;

import io.atelier.core.ServingException.Cancelled;
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
import java.time.Duration;
import java.util.Arrays;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Collects a body on its event loop, whatever its Content-Type, as it arrives: a chunk is copied once, and a declared
 * length alone reserves next to nothing.
 *
 * <p>A body parameter of Quarkus REST would hand bodies above its buffer size to a worker thread that waits for the
 * rest; this never does. It also bounds the bodies that Quarkus' own limit does not see, the ones without a
 * Content-Length, and the time that a body may take to arrive.
 */
@Singleton
public class RequestBodyReader {
    private static final int FIRST_BYTES = 16 << 10;
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

    /** Most bytes of a body. */
    long maxBytes() {
        return maxBytes;
    }

    /** The body of a request that nobody has begun to read; to be subscribed to on its event loop. */
    Uni<ReceivedBody> read(HttpServerRequest request) {
        return Uni.createFrom().emitter(emitter -> new Collector(request, emitter).start());
    }

    /** Everything happens on the request's event loop. */
    private final class Collector {
        private final HttpServerRequest request;
        private final UniEmitter<? super ReceivedBody> emitter;
        private byte[] bytes;
        private int length;
        private long timer;
        private boolean over;

        Collector(HttpServerRequest request, UniEmitter<? super ReceivedBody> emitter) {
            this.request = request;
            this.emitter = emitter;
            this.bytes = new byte[firstBytes(request)];
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
            if (size > bytes.length - length) {
                long doubled = Math.max((long) length + size, 2L * bytes.length);
                bytes = Arrays.copyOf(bytes, (int) Math.min(doubled, maxBytes));
            }
            chunk.getBytes(bytes, length);
            length += size;
        }

        private void complete() {
            if (end()) {
                emitter.complete(new ReceivedBody(bytes, length, System.nanoTime()));
            }
        }

        private void broken(Throwable cause) {
            fail(new Cancelled());
        }

        private void late() {
            fail(new WebApplicationException("the body took too long to arrive", Status.REQUEST_TIMEOUT));
            LingeringClose.of(vertx, request);
        }

        private void fail(Throwable failure) {
            if (end()) {
                bytes = new byte[0];
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

    private static int firstBytes(HttpServerRequest request) {
        String declared = request.getHeader(HttpHeaders.CONTENT_LENGTH);
        if (declared == null || declared.length() > 9) {
            return FIRST_BYTES;
        }
        try {
            return Math.min(FIRST_BYTES, Integer.parseInt(declared));
        } catch (NumberFormatException e) {
            return FIRST_BYTES;
        }
    }
}
