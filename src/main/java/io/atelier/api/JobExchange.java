package io.atelier.api;

import io.atelier.core.ModelId;
import io.atelier.core.Trace;
import io.atelier.serving.jobs.Job;
import io.atelier.serving.jobs.JobAnswer;
import io.atelier.serving.jobs.Jobs;
import io.smallrye.mutiny.Uni;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import jakarta.inject.Singleton;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.jboss.logging.Logger;
import org.jboss.resteasy.reactive.RestResponse;
import org.jboss.resteasy.reactive.RestResponse.ResponseBuilder;

/** How a body becomes a job: collected, read, asked; and an answer that says where the result will be. */
@Singleton
public class JobExchange {
    private static final Logger LOG = Logger.getLogger(JobExchange.class);
    private static final String PREFER = "Prefer";
    private static final String RESPOND_ASYNC = "respond-async";

    private final Exchange exchange;
    private final Jobs jobs;
    private final HttpTracing tracing;

    public JobExchange(Exchange exchange, Jobs jobs, HttpTracing tracing) {
        this.exchange = exchange;
        this.jobs = jobs;
        this.tracing = tracing;
    }

    /**
     * Whether the caller would rather come back than wait.
     *
     * @see <a href="https://www.rfc-editor.org/rfc/rfc7240#section-4.1">RFC 7240, respond-async</a>
     */
    public static boolean isPreferred(HttpServerRequest request) {
        return request.headers().getAll(PREFER).stream()
                .flatMap(header -> Stream.of(header.split(",")))
                .map(preference -> preference.split(";", 2)[0].strip())
                .anyMatch(RESPOND_ASYNC::equalsIgnoreCase);
    }

    /**
     * Accepts a request; to be called on its event loop. It stays accepted when the client goes away.
     *
     * @param read  the question in the body
     * @param model whom it is for
     * @param bytes what it holds until it is answered
     * @param ask   asks it, as a part of the request's trace; cancelled when the job is
     * @param write the answer, as the same request gets it that waits
     */
    public <Q, A> Uni<RestResponse<Buffer>> accept(
            HttpServerRequest request,
            Function<ReceivedBody, Q> read,
            Function<Q, ModelId> model,
            ToLongFunction<Q> bytes,
            BiFunction<Q, Trace, CompletableFuture<A>> ask,
            BiFunction<Q, A, ResponseBody> write) {
        String path = request.path();
        Trace trace = tracing.begin(request);
        Uni<RestResponse<Buffer>> accepted = exchange.question(request, read, trace)
                .onItem()
                .transformToUni(question -> Uni.createFrom()
                        .completionStage(() -> jobs.submit(
                                model.apply(question),
                                bytes.applyAsLong(question),
                                () -> ask.apply(question, trace),
                                writer(
                                        path,
                                        answer -> trace.stage(Exchange.ENCODE, () -> write.apply(question, answer))))))
                .onItem()
                .transform(JobExchange::accepted);
        return HttpTracing.ended(trace, accepted, RestResponse::getStatus);
    }

    private static RestResponse<Buffer> accepted(Job job) {
        JobStatus status = JobStatus.of(job);
        return ResponseBuilder.create(RestResponse.Status.ACCEPTED, Buffer.buffer(status.json()))
                .type(MediaType.APPLICATION_JSON_TYPE)
                .header("Preference-Applied", RESPOND_ASYNC)
                .header(HttpHeaders.LOCATION, JobStatus.PATH + "/" + job.id())
                .header(HttpHeaders.VARY, PREFER)
                .build();
    }

    private static <A> Jobs.Writer<A> writer(String path, Function<A, ResponseBody> write) {
        return new Jobs.Writer<>() {
            @Override
            public JobAnswer result(A result) {
                ResponseBody body = write.apply(result);
                Map<String, String> headers = new HashMap<>(body.headers());
                headers.put(HttpHeaders.CONTENT_TYPE, body.mediaType());
                return new JobAnswer(200, headers, body.bytes(), null);
            }

            @Override
            public JobAnswer failure(Throwable failure) {
                Problem problem = Problem.of(failure);
                if (problem == null) {
                    LOG.error("unexpected failure", failure);
                    problem = Problem.internal();
                }
                Map<String, String> headers = new HashMap<>();
                headers.put(HttpHeaders.CONTENT_TYPE, Problem.MEDIA_TYPE);
                String retryAfter = problem.retryAfterSeconds();
                if (retryAfter != null) {
                    headers.put(HttpHeaders.RETRY_AFTER, retryAfter);
                }
                return new JobAnswer(problem.status(), headers, problem.json(path), problem.detail());
            }
        };
    }
}
