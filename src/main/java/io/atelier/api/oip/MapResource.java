package io.atelier.api.oip;

import io.atelier.api.ClientTimeout;
import io.atelier.api.LineExchange;
import io.atelier.core.Deadline;
import io.atelier.core.ServingException.InvalidInput;
import io.atelier.serving.InferenceService;
import io.atelier.serving.ModelView;
import io.atelier.serving.map.MapPolicy;
import io.smallrye.mutiny.Uni;
import io.vertx.core.http.HttpServerRequest;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import java.time.Duration;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.resteasy.reactive.RestPath;
import org.jspecify.annotations.Nullable;

/**
 * Inference over a stream: an infer request in each line, its answer in each line of the response, in order, from the
 * first line on and however many there are.
 *
 * <p>A line that cannot be answered gives {@code {"error":…,"code":…,"line":n}} in its place. A model without room makes
 * the stream wait rather than fail. A model that is not ready ends it: the line that says so is the last.
 */
@Path("/v2/models/{model}")
@Tag(name = "Open Inference Protocol")
public class MapResource {
    private final InferenceService service;
    private final LineExchange exchange;
    private final MapPolicy policy;

    public MapResource(InferenceService service, LineExchange exchange, MapPolicy policy) {
        this.service = service;
        this.exchange = exchange;
        this.policy = policy;
    }

    @POST
    @Path("/map")
    @Operation(summary = "Infer with a model's newest version, a request in each line")
    @RequestBody(ref = "lines")
    @Parameter(ref = "request-timeout")
    @APIResponse(responseCode = "200", ref = "lines")
    @APIResponse(responseCode = "404", ref = "unknown")
    @APIResponse(responseCode = "429", description = "Too many streams at once")
    @APIResponse(responseCode = "503", ref = "not-ready")
    public Uni<Void> map(@RestPath String model, @Context HttpServerRequest http) {
        return answer(model, null, http);
    }

    @POST
    @Path("/versions/{version}/map")
    @Operation(summary = "Infer with a model version, a request in each line")
    @RequestBody(ref = "lines")
    @Parameter(ref = "request-timeout")
    @APIResponse(responseCode = "200", ref = "lines")
    @APIResponse(responseCode = "404", ref = "unknown")
    @APIResponse(responseCode = "429", description = "Too many streams at once")
    @APIResponse(responseCode = "503", ref = "not-ready")
    public Uni<Void> mapVersion(@RestPath String model, @RestPath String version, @Context HttpServerRequest http) {
        return answer(model, version, http);
    }

    private Uni<Void> answer(String name, @Nullable String version, HttpServerRequest http) {
        Duration header = ClientTimeout.of(http);
        service.model(name, version); // unknown: refused before the first line
        return exchange.answer(
                http,
                line -> read(name, version, header, line),
                (question, trace) -> service.infer(
                        question.predict()
                                .request()
                                .orPriority(policy.priority())
                                .in(trace),
                        question.deadline()),
                (question, result) ->
                        InferResponseWriter.write(question.predict(), result).bytes());
    }

    private record Question(PredictRequest predict, Deadline deadline) {}

    private Question read(String name, @Nullable String version, @Nullable Duration header, byte[] line) {
        ModelView model = service.model(name, version);
        PredictRequest predict = InferRequestReader.read(model, line, line.length);
        if (predict.forms().stream().anyMatch(OutputForm::binary)) {
            throw new InvalidInput("a line is JSON, its outputs cannot be binary");
        }
        Duration timeout = ClientTimeout.shortest(policy.timeout(), header, predict.timeout());
        return new Question(predict, service.deadline(timeout));
    }
}
