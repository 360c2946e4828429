package io.atelier.api.kserve;

import io.atelier.api.ClientTimeout;
import io.atelier.api.Exchange;
import io.atelier.api.ReceivedBody;
import io.atelier.core.Deadline;
import io.atelier.core.Tensor;
import io.atelier.serving.InferenceService;
import io.atelier.serving.ModelView;
import io.smallrye.mutiny.Uni;
import io.vertx.core.http.HttpServerRequest;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response.Status;
import java.time.Duration;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.ExampleObject;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.resteasy.reactive.RestPath;
import org.jboss.resteasy.reactive.RestResponse;

/**
 * Predictions: rows in, rows out. Takes a body of any or no Content-Type; the header {@code Request-Timeout} shortens the
 * model's own timeout, as it does for inference.
 */
@Path("/v1/models")
@Tag(name = "KServe v1")
public class PredictResource {
    /** Stands in one segment with the name, where RESTEasy Reactive finds no parameter. */
    static final String VERB = ":predict";

    private static final String REQUEST = """
            {"instances": [[0.5, 1, 2], [3, 4, 5]]}""";

    private static final String ANSWER = """
            {"predictions": [[3.5], [12.0]]}""";

    private final InferenceService service;
    private final Exchange exchange;

    public PredictResource(InferenceService service, Exchange exchange) {
        this.service = service;
        this.exchange = exchange;
    }

    @POST
    @Path("/{model}")
    @Operation(summary = "Predict with a model's newest version: the path ends with its name and :predict")
    @RequestBody(
            required = true,
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(type = SchemaType.OBJECT),
                            examples = @ExampleObject(name = "request", value = REQUEST)))
    @APIResponse(
            responseCode = "200",
            description = "The answer",
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(type = SchemaType.OBJECT),
                            examples = @ExampleObject(name = "answer", value = ANSWER)))
    @APIResponse(responseCode = "400", description = "Names, shapes, types or values do not fit the model")
    @APIResponse(responseCode = "404", description = "No such model")
    @APIResponse(responseCode = "413", description = "The body is too large")
    @APIResponse(
            responseCode = "429",
            description = "No room, or no answer in time; Retry-After says when to try again")
    @APIResponse(responseCode = "500", description = "The execution failed")
    @APIResponse(responseCode = "503", description = "Loading, draining, or no healthy device")
    @APIResponse(responseCode = "504", description = "No result in time")
    public Uni<RestResponse<byte[]>> predict(@RestPath String model, @Context HttpServerRequest http) {
        if (!model.endsWith(VERB)) {
            throw new WebApplicationException(Status.METHOD_NOT_ALLOWED);
        }
        String name = model.substring(0, model.length() - VERB.length());
        return exchange.answer(
                http,
                body -> read(name, http, body),
                question -> service.infer(question.prediction().request(), question.deadline()),
                result -> result.outputs().stream().mapToLong(Tensor::sizeBytes).sum(),
                (question, result) ->
                        PredictionWriter.write(result, question.prediction().byRow()));
    }

    private record Question(Prediction prediction, Deadline deadline) {}

    private Question read(String name, HttpServerRequest http, ReceivedBody body) {
        Duration header = ClientTimeout.of(http);
        ModelView model = service.model(name, null);
        Prediction prediction = PredictionReader.read(model, body.bytes(), body.length());
        Duration timeout = ClientTimeout.shortest(model.timeout(), header);
        return new Question(prediction, service.deadline(timeout.minus(body.age())));
    }
}
