package io.atelier.api;

import io.atelier.core.InferenceResult;
import io.atelier.core.ServingException;
import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.ServingException.Overloaded;
import io.atelier.core.ServingException.PayloadTooLarge;
import io.atelier.core.Tensor;
import io.atelier.core.Trace;
import io.atelier.serving.InferenceService;
import io.atelier.serving.map.MapPolicy;
import io.atelier.serving.map.MapWindow;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import io.smallrye.mutiny.subscription.UniEmitter;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * How a stream of lines becomes a stream of answers, one line for each, in order, however long it is.
 *
 * <p>The request's socket is read only while the {@link MapWindow} has room and one chunk at a time; an answer leaves the
 * window when the client takes it. So what a stream holds is bounded, and a client that does not read its answers is
 * not read either. Everything happens on the request's event loop, but large lines are read and large answers written
 * on the worker pool.
 */
@Singleton
public class LineExchange {
    private static final Logger LOG = Logger.getLogger(LineExchange.class);
    private static final String NDJSON = "application/x-ndjson";

    /** Answers that are ready are sent together, up to about this size. */
    private static final int CHUNK_BYTES = 16 << 10;

    private static final int EXPECTED_BYTES = 128;
    private static final int OK = 200;
    private static final byte LINE_FEED = '\n';

    private static final Problem TOO_SLOW =
            new Problem(408, "REQUEST_TIMEOUT", "Request timeout", "the line took too long to arrive", null);

    private final Vertx vertx;
    private final InferenceService service;
    private final MapPolicy policy;
    private final HttpTracing tracing;
    private final Duration readTimeout;
    private final Executor worker;
    private final AtomicInteger streams = new AtomicInteger();

    @Inject
    public LineExchange(
            Vertx vertx,
            InferenceService service,
            MapPolicy policy,
            HttpTracing tracing,
            @ConfigProperty(name = "quarkus.http.read-timeout", defaultValue = "60s") Duration readTimeout) {
        this.vertx = vertx;
        this.service = service;
        this.policy = policy;
        this.tracing = tracing;
        this.readTimeout = readTimeout;
        this.worker = Infrastructure.getDefaultExecutor();
    }

    /**
     * One stream's way; to be called on its event loop. When the client goes away, what has not begun is never executed.
     *
     * @param read  the question in a line
     * @param ask   asks it, as a part of the request's trace
     * @param write the answer as JSON, in one line
     * @return completes when the last answer has been written
     */
    public <Q> Uni<Void> answer(
            HttpServerRequest request,
            Function<byte[], Q> read,
            BiFunction<Q, Trace, CompletableFuture<InferenceResult>> ask,
            BiFunction<Q, InferenceResult, byte[]> write) {
        InvalidInput refusal = BodyCoding.refusal(request);
        if (refusal != null) {
            LingeringClose.of(vertx, request);
            return Uni.createFrom().failure(refusal);
        }
        Trace trace = tracing.begin(request);
        Uni<Void> answered = Uni.createFrom().emitter(emitter -> {
            if (streams.incrementAndGet() > policy.maxStreams()) {
                streams.decrementAndGet();
                emitter.fail(new Overloaded(
                        "%d streams are open, more are not taken".formatted(policy.maxStreams()),
                        Duration.ofSeconds(1)));
                return;
            }
            Stream<Q> stream = new Stream<>(request, read, ask, write, trace, emitter);
            emitter.onTermination(stream::close);
            stream.start();
        });
        return HttpTracing.ended(trace, answered, nothing -> OK);
    }

    /** Everything happens on the request's event loop. */
    private final class Stream<Q> implements MapWindow.Asking<Q> {
        private final HttpServerRequest request;
        private final HttpServerResponse response;
        private final Function<byte[], Q> read;
        private final BiFunction<Q, Trace, CompletableFuture<InferenceResult>> ask;
        private final BiFunction<Q, InferenceResult, byte[]> write;
        private final Trace trace;
        private final UniEmitter<? super Void> emitter;
        private final Context context = vertx.getOrCreateContext();
        private final LineSplitter lines = new LineSplitter(policy.maxLineBytes());
        private final MapWindow<Q> window;
        private final long clock;
        private boolean fetching;
        private boolean woken;
        private boolean received;
        private boolean closed;
        private long lineAtLastTick;

        Stream(
                HttpServerRequest request,
                Function<byte[], Q> read,
                BiFunction<Q, Trace, CompletableFuture<InferenceResult>> ask,
                BiFunction<Q, InferenceResult, byte[]> write,
                Trace trace,
                UniEmitter<? super Void> emitter) {
            this.request = request;
            this.response = request.response();
            this.read = read;
            this.ask = ask;
            this.write = write;
            this.trace = trace;
            this.emitter = emitter;
            this.window = new MapWindow<>(
                    policy,
                    this,
                    step -> context.runOnContext(nothing -> step.run()),
                    (nanos, task) -> {
                        long timer = vertx.setTimer(Math.max(1, nanos / 1_000_000), fired -> task.run());
                        return () -> vertx.cancelTimer(timer);
                    },
                    this::wake);
            this.clock = vertx.setPeriodic(Math.max(1, readTimeout.toMillis()), fired -> tick());
        }

        void start() {
            response.setChunked(true).putHeader(HttpHeaders.CONTENT_TYPE, NDJSON);
            response.drainHandler(nothing -> work());
            request.pause();
            request.handler(this::take)
                    .endHandler(nothing -> {
                        received = true;
                        lines.end();
                        work();
                    })
                    .exceptionHandler(this::broken);
            if ("100-continue".equalsIgnoreCase(request.getHeader(HttpHeaders.EXPECT))) {
                response.writeContinue();
            }
            work();
        }

        private void broken(Throwable cause) {
            if (!closed && !response.headWritten()) {
                BodyCoding.answerIfBroken(request, cause);
            }
            close();
        }

        /** The client has gone, or all is said. */
        void close() {
            if (!closed) {
                closed = true;
                streams.decrementAndGet();
                vertx.cancelTimer(clock);
                window.cancel();
            }
        }

        private void take(Buffer chunk) {
            fetching = false;
            if (!closed) {
                lines.add(chunk.getBytes());
                work();
            }
        }

        /** Works soon, once for all answers that have come until then. */
        private void wake() {
            if (!woken) {
                woken = true;
                context.runOnContext(nothing -> {
                    woken = false;
                    work();
                });
            }
        }

        private void work() {
            if (closed) {
                return;
            }
            sendAnswers();
            if (window.isClosed()) {
                endEarly();
                return;
            }
            readLines();
            if (received && window.isEmpty()) {
                finish();
            } else if (!received && !fetching && window.hasRoom()) {
                fetching = true;
                request.fetch(1);
            }
        }

        private void endEarly() {
            finish();
            LingeringClose.of(vertx, request);
        }

        private void finish() {
            close();
            response.end();
            emitter.complete(null);
        }

        private void sendAnswers() {
            while (!response.writeQueueFull()) {
                Buffer ready = Buffer.buffer();
                for (byte[] answer = window.poll(); answer != null; answer = next(ready)) {
                    ready.appendBytes(answer).appendByte(LINE_FEED);
                }
                if (ready.length() == 0) {
                    return;
                }
                response.write(ready);
            }
        }

        private byte @Nullable [] next(Buffer ready) {
            return ready.length() < CHUNK_BYTES ? window.poll() : null;
        }

        private void readLines() {
            while (window.hasRoom()) {
                LineSplitter.Line line = lines.next();
                if (line == null) {
                    return;
                }
                byte[] bytes = line.bytes();
                if (bytes == null) {
                    window.add(line.number(), 0, CompletableFuture.failedFuture(tooLong()));
                } else {
                    window.add(
                            line.number(),
                            bytes.length,
                            on(bytes.length > Exchange.SMALL_BODY_BYTES, () -> question(bytes)));
                }
            }
        }

        private PayloadTooLarge tooLong() {
            PayloadTooLarge refused =
                    new PayloadTooLarge("the line is longer than " + policy.maxLineBytes() + " bytes");
            service.refused(refused);
            return refused;
        }

        private Q question(byte[] line) {
            try {
                return trace.stage(Exchange.DECODE, () -> read.apply(line));
            } catch (ServingException refused) {
                service.refused(refused);
                throw refused;
            }
        }

        @Override
        public CompletableFuture<InferenceResult> ask(Q question) {
            return ask.apply(question, trace);
        }

        @Override
        public CompletableFuture<byte[]> write(Q question, InferenceResult result) {
            long bytes = result.outputs().stream().mapToLong(Tensor::sizeBytes).sum();
            return on(
                    bytes > Exchange.SMALL_ANSWER_BYTES,
                    () -> trace.stage(Exchange.ENCODE, () -> write.apply(question, result)));
        }

        @Override
        public byte[] refuse(long line, Throwable failure) {
            Problem problem = Problem.of(failure);
            if (problem == null) {
                LOG.error("unexpected failure", failure);
                problem = Problem.internal();
            }
            return error(line, problem);
        }

        /** A line that has begun has to end in time; a client may think as long as it likes between two lines. */
        private void tick() {
            long now = lines.lineNumber();
            if (fetching && lines.isInsideLine() && now == lineAtLastTick) {
                response.write(Buffer.buffer(error(now, TOO_SLOW)).appendByte(LINE_FEED));
                endEarly();
            }
            lineAtLastTick = now;
        }

        private <T> CompletableFuture<T> on(boolean elsewhere, Supplier<T> step) {
            return elsewhere
                    ? CompletableFuture.supplyAsync(step, worker)
                    : CompletableFuture.completedFuture(step).thenApply(Supplier::get);
        }
    }

    private static byte[] error(long line, Problem problem) {
        return Json.write(EXPECTED_BYTES, json -> {
            json.writeStartObject();
            json.writeStringField("error", problem.detail());
            json.writeStringField("code", problem.code());
            json.writeNumberField("line", line);
            json.writeEndObject();
        });
    }
}
