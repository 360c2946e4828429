package io.atelier.api.oip;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.atelier.api.Authentication;
import io.atelier.api.Exchange;
import io.atelier.api.Json;
import io.atelier.serving.ModelControl;
import io.atelier.serving.ModelState;
import io.atelier.serving.ModelState.State;
import io.smallrye.mutiny.Uni;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.resteasy.reactive.RestPath;
import org.jboss.resteasy.reactive.RestResponse;

/**
 * What the model repository holds, and loading and unloading while the service serves. A body may be empty. What a caller
 * has asked for goes on when it disconnects.
 *
 * @see <a href="https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_model_repository.md">Triton:
 *     model repository extension</a>
 */
@Path("/v2/repository")
@Tag(name = "Model repository")
public class RepositoryResource {
    private final ModelControl models;
    private final Exchange exchange;
    private final Authentication authentication;

    public RepositoryResource(ModelControl models, Exchange exchange, Authentication authentication) {
        this.models = models;
        this.exchange = exchange;
        this.authentication = authentication;
    }

    @POST
    @Path("/index")
    @Operation(summary = "Every model of the repository, and how it stands")
    @RequestBody(ref = "index")
    @APIResponse(responseCode = "200", ref = "indexed")
    @APIResponse(responseCode = "400", description = "The body is no such request")
    public Uni<RestResponse<byte[]>> index(@Context HttpServerRequest http) {
        return exchange.answer(
                http,
                RepositoryRequest::read,
                (request, trace) -> models.index(),
                states -> 0,
                (request, states) -> write(states.stream()
                        .filter(state -> !request.readyOnly() || state.state() == State.READY)
                        .toList()));
    }

    @POST
    @Path("/models/{model}/load")
    @Operation(summary = "Load a model, or load it anew; without a lost request")
    @RequestBody(ref = "load")
    @APIResponse(responseCode = "200", ref = "changed")
    @APIResponse(responseCode = "400", description = "It cannot be loaded; what served before goes on")
    @APIResponse(responseCode = "403", description = "Model control is off, or the API key is no admin's")
    @APIResponse(responseCode = "404", description = "The repository has no such model")
    @APIResponse(responseCode = "429", description = "Too many changes of this model wait")
    @APIResponse(responseCode = "503", description = "Loading, draining, or a device is out of service")
    public Uni<RestResponse<byte[]>> load(@RestPath String model, @Context RoutingContext http) {
        return change(http, request -> models.load(model, request.config()));
    }

    @POST
    @Path("/models/{model}/unload")
    @Operation(summary = "Unload every version of a model, when it has answered what it has taken in")
    @RequestBody(ref = "unload")
    @APIResponse(responseCode = "200", ref = "changed")
    @APIResponse(responseCode = "403", description = "Model control is off, or the API key is no admin's")
    @APIResponse(responseCode = "404", description = "No such model")
    @APIResponse(responseCode = "429", description = "Too many changes of this model wait")
    @APIResponse(responseCode = "503", description = "Loading or draining")
    public Uni<RestResponse<byte[]>> unload(@RestPath String model, @Context RoutingContext http) {
        return change(http, request -> request.withSteps() ? models.unloadWithSteps(model) : models.unload(model));
    }

    private Uni<RestResponse<byte[]>> change(
            RoutingContext http, Function<RepositoryRequest, CompletableFuture<Void>> change) {
        return exchange.answer(
                http.request(),
                RepositoryRequest::read,
                (request, trace) -> {
                    authentication.requireAdmin(http);
                    return change.apply(request).thenApply(done -> "{}");
                },
                answer -> 0,
                (request, answer) -> answer.getBytes(UTF_8));
    }

    private static byte[] write(List<ModelState> states) {
        return Json.write(64 * (1 + states.size()), json -> {
            json.writeStartArray();
            for (ModelState state : states) {
                json.writeStartObject();
                json.writeStringField("name", state.name());
                if (state.version() != null) {
                    json.writeStringField("version", state.version());
                }
                json.writeStringField("state", state.state().name());
                json.writeStringField("reason", state.reason());
                json.writeEndObject();
            }
            json.writeEndArray();
        });
    }
}
