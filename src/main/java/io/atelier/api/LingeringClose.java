package io.atelier.api;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;

/**
 * The end of a connection whose request body nobody wants. Closing it at once would reset it and often destroy the
 * answer on its way; reading on without end would let a sender hold it. So what still comes is thrown away for a short
 * time, then the connection is closed; of one that is shared, an HTTP/2 connection, only the stream.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc9112#section-9.6">RFC 9112, tear-down</a>
 */
final class LingeringClose {
    static final long LINGER_MILLIS = 1_000;

    /** HTTP/2's code for a request that was answered before it was complete. */
    private static final long NO_ERROR = 0;

    private LingeringClose() {}

    /** Announces the close in the answer, which is still to be sent. On the request's event loop. */
    static void of(Vertx vertx, HttpServerRequest request) {
        boolean shared = request.version() == HttpVersion.HTTP_2;
        if (!shared && !request.response().headWritten()) {
            request.response().putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
        }
        request.handler(chunk -> {});
        request.endHandler(nothing -> {});
        request.exceptionHandler(gone -> {});
        request.resume();
        vertx.setTimer(LINGER_MILLIS, fired -> {
            if (shared) {
                request.response().reset(NO_ERROR);
            } else {
                request.connection().close();
            }
        });
    }
}
