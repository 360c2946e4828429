package io.atelier.api;

import io.atelier.core.ServingException;
import io.atelier.core.Trace;
import io.atelier.serving.InferenceService;
import io.netty.buffer.Unpooled;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.jboss.resteasy.reactive.RestResponse;
import org.jboss.resteasy.reactive.RestResponse.ResponseBuilder;

/**
 * How a body becomes an answer: collected, read, asked, written; each step where it belongs.
 *
 * <p>Small bodies are read, and small answers written, on the request's event loop; large ones on the worker pool, so
 * that one large request does not hold up the small ones of its event loop. Nothing runs on the thread that completed
 * the answer: that one has devices to feed. When the client goes away, Quarkus REST cancels the {@link Uni}, which
 * cancels the future that was asked for.
 */
@Singleton
public class Exchange {
    /** What the two ends of a request's way are called in its trace. */
    static final String DECODE = "decode";

    static final String ENCODE = "encode";

    /** Larger bodies are read on the worker pool: a millisecond of parsing is some 100 KB. */
    static final int SMALL_BODY_BYTES = 16 << 10;

    /** Answers of more tensor data are written on the worker pool. */
    static final int SMALL_ANSWER_BYTES = 64 << 10;

    private final RequestBodyReader bodies;
    private final InferenceService service;
    private final HttpTracing tracing;
    private final Executor worker;

    @Inject
    public Exchange(RequestBodyReader bodies, InferenceService service, HttpTracing tracing) {
        this(bodies, service, tracing, Infrastructure.getDefaultExecutor());
    }

    Exchange(RequestBodyReader bodies, InferenceService service, HttpTracing tracing, Executor worker) {
        this.bodies = bodies;
        this.service = service;
        this.tracing = tracing;
        this.worker = worker;
    }

    /**
     * One request's way; to be called on its event loop.
     *
     * @param read  the question in the body
     * @param ask   asks it, as a part of the request's trace; cancelled when the client goes away
     * @param bytes about how much data there is to write
     * @param write the answer as JSON
     */
    public <Q, A> Uni<RestResponse<byte[]>> answer(
            HttpServerRequest request,
            Function<ReceivedBody, Q> read,
            BiFunction<Q, Trace, CompletableFuture<A>> ask,
            ToLongFunction<A> bytes,
            BiFunction<Q, A, byte[]> write) {
        return answered(
                request,
                read,
                ask,
                bytes,
                (question, answer) -> ResponseBody.json(write.apply(question, answer)),
                body -> response(body, body.parts().get(0).array()));
    }

    /**
     * One request's way, as {@link #answer}, to an answer that need not be JSON.
     *
     * @param write the answer, whose buffers go to the connection as they are
     */
    public <Q, A> Uni<RestResponse<Buffer>> answerInParts(
            HttpServerRequest request,
            Function<ReceivedBody, Q> read,
            BiFunction<Q, Trace, CompletableFuture<A>> ask,
            ToLongFunction<A> bytes,
            BiFunction<Q, A, ResponseBody> write) {
        return answered(request, read, ask, bytes, write, body -> response(body, joined(body)));
    }

    private <Q, A, B> Uni<RestResponse<B>> answered(
            HttpServerRequest request,
            Function<ReceivedBody, Q> read,
            BiFunction<Q, Trace, CompletableFuture<A>> ask,
            ToLongFunction<A> bytes,
            BiFunction<Q, A, ResponseBody> write,
            Function<ResponseBody, RestResponse<B>> respond) {
        Executor eventLoop = eventLoop();
        AnswerCompression compression = AnswerCompression.wanted(request);
        int smallAnswer = compression == null ? SMALL_ANSWER_BYTES : SMALL_BODY_BYTES;
        Trace trace = tracing.begin(request);
        Uni<RestResponse<B>> answered = question(request, read, trace)
                .onItem()
                .transformToUni(question -> Uni.createFrom()
                        .completionStage(() -> ask.apply(question, trace))
                        .onItem()
                        .transformToUni(answer -> on(
                                bytes.applyAsLong(answer) > smallAnswer ? worker : eventLoop,
                                () -> trace.stage(ENCODE, () -> {
                                    ResponseBody body = write.apply(question, answer);
                                    return respond.apply(compression == null ? body : compression.apply(body));
                                }))));
        return HttpTracing.ended(trace, answered, RestResponse::getStatus);
    }

    /** The first half of the way: the question in the body. To be called on the request's event loop. */
    <Q> Uni<Q> question(HttpServerRequest request, Function<ReceivedBody, Q> read, Trace trace) {
        return bodies.read(request)
                .onItem()
                .transformToUni(body -> on(
                        body.length() > SMALL_BODY_BYTES ? worker : Runnable::run,
                        () -> trace.stage(DECODE, () -> read.apply(body))))
                .onFailure(ServingException.class)
                .invoke(service::refused);
    }

    private static <T> Uni<T> on(Executor executor, Supplier<T> step) {
        return Uni.createFrom().item(step).runSubscriptionOn(executor);
    }

    private static <B> RestResponse<B> response(ResponseBody body, B entity) {
        ResponseBuilder<B> response = ResponseBuilder.ok(entity, body.mediaType());
        body.headers().forEach(response::header);
        return response.build();
    }

    /** The buffers as one, without a copy. */
    @SuppressWarnings("deprecation") // the public way to a buffer of Vert.x that is not copied
    private static Buffer joined(ResponseBody body) {
        return Buffer.buffer(Unpooled.wrappedBuffer(body.parts().toArray(ByteBuffer[]::new)));
    }

    private static Executor eventLoop() {
        Context context = Vertx.currentContext();
        return context == null ? Runnable::run : step -> context.runOnContext(nothing -> step.run());
    }
}
