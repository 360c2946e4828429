package io.atelier.api.oip;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.atelier.core.ServingException.NotReady;
import io.atelier.serving.InferenceService;
import io.smallrye.common.annotation.NonBlocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.resteasy.reactive.RestPath;
import org.jboss.resteasy.reactive.RestResponse;
import org.jspecify.annotations.Nullable;

/** What a model takes and gives, and whether it is ready. Without a version the newest one answers. */
@Path("/v2/models/{model}")
@Produces(MediaType.APPLICATION_JSON)
@NonBlocking
@Tag(name = "Open Inference Protocol")
public class ModelResource {
    private final InferenceService service;

    public ModelResource(InferenceService service) {
        this.service = service;
    }

    /** @param reason why it does not serve; null if it does */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Ready(String name, boolean ready, @Nullable String reason) {}

    @GET
    @Operation(summary = "Inputs and outputs of a model's newest version")
    @APIResponse(responseCode = "200", description = "Metadata")
    @APIResponse(responseCode = "404", description = "No such model")
    public ModelMetadata metadata(@RestPath String model) {
        return ModelMetadata.of(service.model(model, null));
    }

    @GET
    @Path("/versions/{version}")
    @Operation(summary = "Inputs and outputs of a model version")
    @APIResponse(responseCode = "200", description = "Metadata")
    @APIResponse(responseCode = "404", description = "No such model or version")
    public ModelMetadata versionMetadata(@RestPath String model, @RestPath String version) {
        return ModelMetadata.of(service.model(model, version));
    }

    @GET
    @Path("/ready")
    @Operation(summary = "Whether a model's newest version takes requests")
    @APIResponse(responseCode = "200", description = "It does")
    @APIResponse(responseCode = "404", description = "No such model")
    @APIResponse(
            responseCode = "503",
            description = "Not now",
            content = @Content(mediaType = MediaType.APPLICATION_JSON, schema = @Schema(implementation = Ready.class)))
    public RestResponse<Ready> ready(@RestPath String model) {
        return ready(model, null);
    }

    @GET
    @Path("/versions/{version}/ready")
    @Operation(summary = "Whether a model version takes requests")
    @APIResponse(responseCode = "200", description = "It does")
    @APIResponse(responseCode = "404", description = "No such model or version")
    @APIResponse(
            responseCode = "503",
            description = "Not now",
            content = @Content(mediaType = MediaType.APPLICATION_JSON, schema = @Schema(implementation = Ready.class)))
    public RestResponse<Ready> versionReady(@RestPath String model, @RestPath String version) {
        return ready(model, version);
    }

    private RestResponse<Ready> ready(String name, @Nullable String version) {
        Ready ready;
        try {
            ready = new Ready(name, service.model(name, version).ready(), null);
        } catch (NotReady refusal) {
            ready = new Ready(name, false, refusal.detail());
        }
        return ServerResource.answer(ready, ready.ready());
    }
}
