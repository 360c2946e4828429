package io.atelier.api.kserve;

import io.atelier.api.ClientTimeout;
import io.atelier.api.Exchange;
import io.atelier.api.ReceivedBody;
import io.atelier.api.Refusals;
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
import jakarta.ws.rs.core.Response.Status;
import java.time.Duration;
import org.eclipse.microprofile.openapi.annotations.Operation;
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

    private final InferenceService service;
    private final Exchange exchange;

    public PredictResource(InferenceService service, Exchange exchange) {
        this.service = service;
        this.exchange = exchange;
    }

    @POST
    @Path("/{model}")
    @Operation(summary = "Predict with a model's newest version: the path ends with its name and :predict")
    @RequestBody(ref = "prediction")
    @APIResponse(responseCode = "200", ref = "predicted")
    @Refusals
    public Uni<RestResponse<byte[]>> predict(@RestPath String model, @Context HttpServerRequest http) {
        if (!model.endsWith(VERB)) {
            throw new WebApplicationException(Status.METHOD_NOT_ALLOWED);
        }
        String name = model.substring(0, model.length() - VERB.length());
        return exchange.answer(
                http,
                body -> read(name, http, body),
                (question, trace) ->
                        service.infer(question.prediction().request().in(trace), question.deadline()),
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
