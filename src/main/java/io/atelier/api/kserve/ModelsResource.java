package io.atelier.api.kserve;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.atelier.core.ServingException.NotReady;
import io.atelier.serving.InferenceService;
import io.smallrye.common.annotation.NonBlocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response.Status;
import java.time.Instant;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.resteasy.reactive.RestPath;
import org.jboss.resteasy.reactive.RestResponse;
import org.jboss.resteasy.reactive.RestResponse.ResponseBuilder;
import org.jspecify.annotations.Nullable;

/** The models by name, in one body that clients of KServe and of OpenAI both understand. */
@Path("/v1/models")
@Produces(MediaType.APPLICATION_JSON)
@NonBlocking
@Tag(name = "KServe v1")
public class ModelsResource {
    private final InferenceService service;
    private final long started = Instant.now().getEpochSecond();

    public ModelsResource(InferenceService service) {
        this.service = service;
    }

    /**
     * Every model.
     *
     * @param models for clients of KServe
     * @param data   for clients of OpenAI
     */
    record Models(List<String> models, String object, List<Model> data) {}

    /**
     * A model.
     *
     * @param name    its name, for clients of KServe
     * @param id      the same, for clients of OpenAI
     * @param created when the service started, in seconds since 1970
     * @param reason  why it does not serve; null if it does
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Model(
            String name,
            boolean ready,
            String id,
            String object,
            long created,
            @JsonProperty("owned_by") String owner,
            @Nullable String reason) {}

    @GET
    @Operation(summary = "Every model that serves, for clients of KServe and of OpenAI")
    public Models models() {
        List<String> names = service.models().stream()
                .map(model -> model.id().name())
                .distinct()
                .toList();
        return new Models(
                names,
                "list",
                names.stream().map(name -> model(name, true, null)).toList());
    }

    @GET
    @Path("/{model}")
    @Operation(summary = "Whether a model serves, for clients of KServe and of OpenAI")
    @APIResponse(responseCode = "200", description = "It does")
    @APIResponse(responseCode = "404", description = "No such model")
    @APIResponse(
            responseCode = "503",
            description = "Not now",
            content = @Content(mediaType = MediaType.APPLICATION_JSON, schema = @Schema(implementation = Model.class)))
    public RestResponse<Model> model(@RestPath String model) {
        if (model.endsWith(PredictResource.VERB)) {
            throw new WebApplicationException(Status.METHOD_NOT_ALLOWED);
        }
        Model answer;
        try {
            answer = model(model, service.model(model, null).ready(), null);
        } catch (NotReady refusal) {
            answer = model(model, false, refusal.detail());
        }
        return ResponseBuilder.create(
                        answer.ready() ? RestResponse.Status.OK : RestResponse.Status.SERVICE_UNAVAILABLE, answer)
                .build();
    }

    private Model model(String name, boolean ready, @Nullable String reason) {
        return new Model(name, ready, name, "model", started, "atelier", reason);
    }
}
