package io.atelier.api.predict;

import io.atelier.api.ClientTimeout;
import io.atelier.api.Exchange;
import io.atelier.api.ReceivedBody;
import io.atelier.api.Refusals;
import io.atelier.core.Deadline;
import io.atelier.core.InferenceRequest;
import io.atelier.core.InferenceResult;
import io.atelier.core.Trace;
import io.atelier.serving.InferenceService;
import io.atelier.serving.ModelView;
import io.atelier.serving.Prediction;
import io.smallrye.mutiny.Uni;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.resteasy.reactive.RestPath;
import org.jboss.resteasy.reactive.RestResponse;
import org.jspecify.annotations.Nullable;

/**
 * Plain bodies for people with curl: what a model's task takes, or named arrays where it has no task.
 *
 * <p>The header {@code Request-Timeout} shortens the model's own timeout, as it does for inference.
 */
@Path("/predict/{model}")
@Tag(name = "Plain")
public class PredictResource {
    private final InferenceService service;
    private final Exchange exchange;

    public PredictResource(InferenceService service, Exchange exchange) {
        this.service = service;
        this.exchange = exchange;
    }

    @POST
    @Operation(summary = "Ask a model's newest version plainly")
    @RequestBody(ref = "plain")
    @APIResponse(
            responseCode = "200",
            ref = "answered",
            description = "The answer of the one value, or a list of answers")
    @APIResponse(responseCode = "415", description = "The model takes no such body; the message lists what it takes")
    @Refusals
    public Uni<RestResponse<byte[]>> predict(@RestPath String model, @Context HttpServerRequest http) {
        return answer(model, null, http);
    }

    @POST
    @Path("/versions/{version}")
    @Operation(summary = "Ask a model version plainly")
    @RequestBody(ref = "plain")
    @APIResponse(
            responseCode = "200",
            ref = "answered",
            description = "The answer of the one value, or a list of answers")
    @APIResponse(responseCode = "415", description = "The model takes no such body; the message lists what it takes")
    @Refusals
    public Uni<RestResponse<byte[]>> predictVersion(
            @RestPath String model, @RestPath String version, @Context HttpServerRequest http) {
        return answer(model, version, http);
    }

    private Uni<RestResponse<byte[]>> answer(String model, @Nullable String version, HttpServerRequest http) {
        return exchange.answer(
                http,
                body -> read(model, version, http, body),
                this::ask,
                Answer::bytes,
                (question, answer) -> answer.json(question));
    }

    private sealed interface Question {
        /** Values for the model's task. */
        record Plain(ModelView model, PlainValues plain, Deadline deadline) implements Question {}

        /** Tensors for a model without one. */
        record Arrays(InferenceRequest request, Deadline deadline) implements Question {}
    }

    private sealed interface Answer {
        long bytes();

        byte[] json(Question question);

        record Plain(Prediction prediction) implements Answer {
            @Override
            public long bytes() {
                return PredictionWriter.bytes(prediction);
            }

            @Override
            public byte[] json(Question question) {
                return PredictionWriter.write(
                        prediction, ((Question.Plain) question).plain().single());
            }
        }

        record Arrays(InferenceResult result) implements Answer {
            @Override
            public long bytes() {
                return NamedArrays.bytes(result);
            }

            @Override
            public byte[] json(Question question) {
                return NamedArrays.write(result);
            }
        }
    }

    private Question read(String name, @Nullable String version, HttpServerRequest http, ReceivedBody body) {
        Duration header = ClientTimeout.of(http);
        ModelView model = service.model(name, version);
        String contentType = http.getHeader(HttpHeaders.CONTENT_TYPE);
        BodyKind kind = BodyKind.of(contentType, body, model);
        Duration timeout = ClientTimeout.shortest(model.timeout(), header);
        if (model.task() == null) {
            InferenceRequest request = NamedArrays.read(model, body);
            return new Question.Arrays(request, service.deadline(timeout.minus(body.age())));
        }
        PlainValues plain = PlainValues.read(kind, model.task().medium(), contentType, body);
        return new Question.Plain(model, plain, service.deadline(timeout.minus(body.age())));
    }

    private CompletableFuture<Answer> ask(Question question, Trace trace) {
        if (question instanceof Question.Plain plain) {
            return mapped(
                    service.predict(
                            plain.model().id().name(),
                            plain.model().id().version(),
                            plain.plain().values(),
                            plain.deadline(),
                            trace),
                    Answer.Plain::new);
        }
        Question.Arrays arrays = (Question.Arrays) question;
        return mapped(service.infer(arrays.request().in(trace), arrays.deadline()), Answer.Arrays::new);
    }

    /** The answer in another form; cancelling it cancels what was asked. */
    private static <T> CompletableFuture<Answer> mapped(CompletableFuture<T> asked, Function<T, Answer> form) {
        CompletableFuture<Answer> answer = new CompletableFuture<>() {
            @Override
            public boolean cancel(boolean mayInterruptIfRunning) {
                asked.cancel(mayInterruptIfRunning);
                return super.cancel(mayInterruptIfRunning);
            }
        };
        var unused = asked.whenComplete((result, failure) -> {
            if (failure == null) {
                answer.complete(form.apply(result));
            } else {
                answer.completeExceptionally(failure);
            }
        });
        return answer;
    }
}
