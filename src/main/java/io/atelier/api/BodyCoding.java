package io.atelier.api;

import io.atelier.core.ErrorCode;
import io.atelier.core.ServingException.InvalidInput;
import io.netty.handler.codec.compression.DecompressionException;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.impl.HttpServerConnection;
import org.jspecify.annotations.Nullable;

/**
 * What is refused of a body's {@code Content-Encoding}. Vert.x decompresses gzip and deflate before anybody reads, and takes
 * the header away; so a header that is still there says what could not be decompressed.
 */
final class BodyCoding {
    private static final int MOST_SHOWN = 40;

    private BodyCoding() {}

    /** Why the body cannot be read; null if it can. */
    static @Nullable InvalidInput refusal(HttpServerRequest request) {
        String coding = request.getHeader(HttpHeaders.CONTENT_ENCODING);
        if (coding == null || coding.equalsIgnoreCase("identity")) {
            return null;
        }
        return new InvalidInput("Content-Encoding is '" + shown(coding) + "', what is read here is gzip and deflate");
    }

    /**
     * What to do when a request's body breaks off: if it is not what its coding says, the caller is told, or gets the answer
     * that is already there. That has to happen here, since Vert.x closes the connection as soon as it has told of such a
     * body.
     *
     * @return whether it was that
     */
    static boolean answerIfBroken(HttpServerRequest request, Throwable cause) {
        if (!(cause instanceof DecompressionException)) {
            return false;
        }
        if (!request.response().ended()) {
            request.response().putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
            Problem.of(ErrorCode.INVALID_INPUT, "the body is not what its Content-Encoding says", null)
                    .send(request);
        }
        if (request.connection() instanceof HttpServerConnection connection) {
            connection.channel().flush(); // inside a read Vert.x itself flushes at its end, and then it is too late
        }
        return true;
    }

    private static String shown(String text) {
        return text.length() <= MOST_SHOWN ? text : text.substring(0, MOST_SHOWN) + "…";
    }
}
