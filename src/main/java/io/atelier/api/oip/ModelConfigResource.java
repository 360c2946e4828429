package io.atelier.api.oip;

import io.atelier.serving.ModelControl;
import io.smallrye.common.annotation.NonBlocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.resteasy.reactive.RestPath;

/** How a model is served, with every default filled in. */
@Path("/v2/models/{model}")
@Produces(MediaType.APPLICATION_JSON)
@NonBlocking
@Tag(name = "Open Inference Protocol")
public class ModelConfigResource {
    private final ModelControl models;

    public ModelConfigResource(ModelControl models) {
        this.models = models;
    }

    @GET
    @Path("/config")
    @Operation(summary = "How a model's newest version is served")
    @APIResponse(responseCode = "200", description = "The configuration")
    @APIResponse(responseCode = "404", description = "No such model")
    @APIResponse(responseCode = "503", ref = "not-ready")
    public ModelConfig config(@RestPath String model) {
        return ModelConfig.of(models.configuration(model, null));
    }

    @GET
    @Path("/versions/{version}/config")
    @Operation(summary = "How a model version is served")
    @APIResponse(responseCode = "200", description = "The configuration")
    @APIResponse(responseCode = "404", description = "No such model or version")
    @APIResponse(responseCode = "503", ref = "not-ready")
    public ModelConfig versionConfig(@RestPath String model, @RestPath String version) {
        return ModelConfig.of(models.configuration(model, version));
    }
}
