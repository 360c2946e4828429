package io.atelier.api.oip;

import io.atelier.api.ClientTimeout;
import io.atelier.api.Exchange;
import io.atelier.api.JobExchange;
import io.atelier.api.ReceivedBody;
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
import jakarta.ws.rs.core.MediaType;
import java.time.Duration;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.ParameterIn;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.ExampleObject;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
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
    private static final String REQUEST = """
            {"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [0.5, 1, 2]}]}""";

    private static final String ANSWER = """
            {"model_name": "m", "model_version": "1",
             "outputs": [{"name": "y", "datatype": "FP32", "shape": [1, 1], "data": [3.5]}]}""";

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
    @RequestBody(
            required = true,
            content = {
                @Content(
                        mediaType = MediaType.APPLICATION_JSON,
                        schema = @Schema(type = SchemaType.OBJECT),
                        examples = @ExampleObject(name = "request", value = REQUEST)),
                @Content(
                        mediaType = MediaType.APPLICATION_OCTET_STREAM,
                        schema = @Schema(type = SchemaType.STRING, format = "binary"))
            })
    @Parameter(
            name = BinarySection.HEADER,
            in = ParameterIn.HEADER,
            description = "Length of the JSON where tensors in binary follow it; 0 if the body is nothing but one",
            schema = @Schema(type = SchemaType.INTEGER, minimum = "0"))
    @APIResponse(
            responseCode = "200",
            description = "The answer",
            content = {
                @Content(
                        mediaType = MediaType.APPLICATION_JSON,
                        schema = @Schema(type = SchemaType.OBJECT),
                        examples = @ExampleObject(name = "answer", value = ANSWER)),
                @Content(
                        mediaType = MediaType.APPLICATION_OCTET_STREAM,
                        schema = @Schema(type = SchemaType.STRING, format = "binary"))
            })
    @APIResponse(responseCode = "202", description = "Accepted as a job, since Prefer says respond-async; see Location")
    @APIResponse(responseCode = "400", description = "Names, shapes, types or values do not fit the model")
    @APIResponse(responseCode = "404", description = "No such model or version")
    @APIResponse(responseCode = "413", description = "The body is too large")
    @APIResponse(
            responseCode = "429",
            description = "No room, or no answer in time; Retry-After says when to try again")
    @APIResponse(responseCode = "500", description = "The execution failed")
    @APIResponse(responseCode = "503", description = "Loading, draining, or no healthy device")
    @APIResponse(responseCode = "504", description = "No result in time")
    public Uni<RestResponse<Buffer>> infer(@RestPath String model, @Context HttpServerRequest http) {
        return answer(model, null, http);
    }

    @POST
    @Path("/versions/{version}/infer")
    @Operation(summary = "Infer with a model version")
    @RequestBody(
            required = true,
            content = {
                @Content(
                        mediaType = MediaType.APPLICATION_JSON,
                        schema = @Schema(type = SchemaType.OBJECT),
                        examples = @ExampleObject(name = "request", value = REQUEST)),
                @Content(
                        mediaType = MediaType.APPLICATION_OCTET_STREAM,
                        schema = @Schema(type = SchemaType.STRING, format = "binary"))
            })
    @Parameter(
            name = BinarySection.HEADER,
            in = ParameterIn.HEADER,
            description = "Length of the JSON where tensors in binary follow it; 0 if the body is nothing but one",
            schema = @Schema(type = SchemaType.INTEGER, minimum = "0"))
    @APIResponse(
            responseCode = "200",
            description = "The answer",
            content = {
                @Content(
                        mediaType = MediaType.APPLICATION_JSON,
                        schema = @Schema(type = SchemaType.OBJECT),
                        examples = @ExampleObject(name = "answer", value = ANSWER)),
                @Content(
                        mediaType = MediaType.APPLICATION_OCTET_STREAM,
                        schema = @Schema(type = SchemaType.STRING, format = "binary"))
            })
    @APIResponse(responseCode = "202", description = "Accepted as a job, since Prefer says respond-async; see Location")
    @APIResponse(responseCode = "400", description = "Names, shapes, types or values do not fit the model")
    @APIResponse(responseCode = "404", description = "No such model or version")
    @APIResponse(responseCode = "413", description = "The body is too large")
    @APIResponse(
            responseCode = "429",
            description = "No room, or no answer in time; Retry-After says when to try again")
    @APIResponse(responseCode = "500", description = "The execution failed")
    @APIResponse(responseCode = "503", description = "Loading, draining, or no healthy device")
    @APIResponse(responseCode = "504", description = "No result in time")
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
                    question -> service.infer(
                            question.predict().request().orPriority(later.priority()), question.deadline()),
                    InferResource::write);
        }
        return exchange.answerInParts(
                http,
                body -> read(model, version, http, body, null),
                question -> service.infer(question.predict().request(), question.deadline()),
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
