package io.atelier.api.oip;

import io.atelier.api.ClientTimeout;
import io.atelier.api.Exchange;
import io.atelier.api.JobExchange;
import io.atelier.api.ReceivedBody;
import io.atelier.api.Refusals;
import io.atelier.api.ResponseBody;
import io.atelier.core.Deadline;
import io.atelier.core.InferenceResult;
import io.atelier.core.Tensor;
import io.atelier.serving.InferenceService;
import io.atelier.serving.ModelView;
import io.atelier.serving.jobs.JobPolicy;
import io.atelier.serving.jobs.Jobs;
import io.smallrye.mutiny.Uni;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import java.time.Duration;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.resteasy.reactive.RestPath;
import org.jboss.resteasy.reactive.RestResponse;
import org.jspecify.annotations.Nullable;

/**
 * Inference: tensors in, tensors out. Takes a body of any or no Content-Type, since clients of the protocol send both:
 * the header {@code Inference-Header-Content-Length} alone tells whether tensors in binary follow the JSON.
 *
 * <p>A request has the model's own timeout from the moment its body is complete, or the shorter one that its caller
 * asks for with {@code parameters.timeout} (microseconds) or the header {@code Request-Timeout} (seconds). One whose
 * client disconnects while it waits is never executed.
 *
 * <p>With {@code Prefer: respond-async} it is a job: answered 202 at once, with the jobs' own timeout.
 */
@Path("/v2/models/{model}")
@Tag(name = "Open Inference Protocol")
public class InferResource {
    private final InferenceService service;
    private final Exchange exchange;
    private final JobExchange jobs;
    private final JobPolicy later;

    public InferResource(InferenceService service, Exchange exchange, JobExchange jobExchange, Jobs jobs) {
        this.service = service;
        this.exchange = exchange;
        this.jobs = jobExchange;
        this.later = jobs.policy();
    }

    @POST
    @Path("/infer")
    @Operation(summary = "Infer with a model's newest version")
    @RequestBody(ref = "inference")
    @APIResponse(responseCode = "200", ref = "inferred")
    @APIResponse(responseCode = "202", ref = "accepted")
    @Refusals
    public Uni<RestResponse<Buffer>> infer(@RestPath String model, @Context HttpServerRequest http) {
        return answer(model, null, http);
    }

    @POST
    @Path("/versions/{version}/infer")
    @Operation(summary = "Infer with a model version")
    @RequestBody(ref = "inference")
    @APIResponse(responseCode = "200", ref = "inferred")
    @APIResponse(responseCode = "202", ref = "accepted")
    @Refusals
    public Uni<RestResponse<Buffer>> inferVersion(
            @RestPath String model, @RestPath String version, @Context HttpServerRequest http) {
        return answer(model, version, http);
    }

    private Uni<RestResponse<Buffer>> answer(String model, @Nullable String version, HttpServerRequest http) {
        if (JobExchange.isPreferred(http)) {
            return jobs.accept(
                    http,
                    body -> read(model, version, http, body, later.timeout()),
                    question -> question.predict().request().model(),
                    question -> dataBytes(question.predict().request().inputs()),
                    (question, trace) -> service.infer(
                            question.predict()
                                    .request()
                                    .orPriority(later.priority())
                                    .in(trace),
                            question.deadline()),
                    InferResource::write);
        }
        return exchange.answerInParts(
                http,
                body -> read(model, version, http, body, null),
                (question, trace) -> service.infer(question.predict().request().in(trace), question.deadline()),
                result -> dataBytes(result.outputs()),
                InferResource::write);
    }

    private record Question(PredictRequest predict, Deadline deadline) {}

    /** @param most how long it may take; null for what the model allows */
    private Question read(
            String name, @Nullable String version, HttpServerRequest http, ReceivedBody body, @Nullable Duration most) {
        Duration header = ClientTimeout.of(http);
        int jsonLength = BinarySection.jsonLength(http, body);
        ModelView model = service.model(name, version);
        PredictRequest predict = read(model, jsonLength, body);
        Duration timeout = ClientTimeout.shortest(most == null ? model.timeout() : most, header, predict.timeout());
        return new Question(predict, service.deadline(timeout.minus(body.age())));
    }

    private static PredictRequest read(ModelView model, int jsonLength, ReceivedBody body) {
        if (jsonLength < 0) {
            return InferRequestReader.read(model, body.bytes(), body.length());
        }
        BinarySection binary = new BinarySection(body.after(jsonLength));
        return jsonLength == 0
                ? InferRequestReader.readRaw(model, binary)
                : InferRequestReader.read(model, body.first(jsonLength), jsonLength, binary);
    }

    private static ResponseBody write(Question question, InferenceResult result) {
        return InferResponseWriter.write(question.predict(), result);
    }

    private static long dataBytes(List<Tensor> tensors) {
        return tensors.stream().mapToLong(Tensor::sizeBytes).sum();
    }
}
