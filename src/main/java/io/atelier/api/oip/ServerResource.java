package io.atelier.api.oip;

import io.atelier.serving.InferenceService;
import io.smallrye.common.annotation.NonBlocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.List;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.resteasy.reactive.RestResponse;
import org.jboss.resteasy.reactive.RestResponse.ResponseBuilder;

/** What the server is, and whether it lives and is ready. */
@Path("/v2")
@Produces(MediaType.APPLICATION_JSON)
@NonBlocking
@Tag(name = "Open Inference Protocol")
public class ServerResource {
    private static final List<String> EXTENSIONS = List.of(
            "binary_tensor_data",
            "classification",
            "schedule_policy",
            "statistics",
            "model_configuration",
            "model_repository",
            "model_repository(unload_dependents)",
            "atelier_devices");

    private final InferenceService service;
    private final ServerMetadata metadata;

    public ServerResource(
            InferenceService service,
            @ConfigProperty(name = "atelier.server-name") String name,
            @ConfigProperty(name = "quarkus.application.version") String version) {
        this.service = service;
        this.metadata = new ServerMetadata(name, version, EXTENSIONS);
    }

    record Live(boolean live) {}

    record Ready(boolean ready) {}

    @GET
    @Operation(summary = "Name, version and the extensions of the protocol that are served")
    public ServerMetadata metadata() {
        return metadata;
    }

    @GET
    @Path("/health/live")
    @Operation(summary = "Whether the process works at all")
    @APIResponse(responseCode = "200", description = "It does")
    @APIResponse(
            responseCode = "503",
            description = "Only a restart would help",
            content = @Content(mediaType = MediaType.APPLICATION_JSON, schema = @Schema(implementation = Live.class)))
    public RestResponse<Live> live() {
        boolean live = service.status().live();
        return answer(new Live(live), live);
    }

    @GET
    @Path("/health/ready")
    @Operation(summary = "Whether requests are welcome")
    @APIResponse(responseCode = "200", description = "They are")
    @APIResponse(
            responseCode = "503",
            description = "Loading, draining, or no healthy device",
            content = @Content(mediaType = MediaType.APPLICATION_JSON, schema = @Schema(implementation = Ready.class)))
    public RestResponse<Ready> ready() {
        boolean ready = service.status().ready();
        return answer(new Ready(ready), ready);
    }

    static <T> RestResponse<T> answer(T body, boolean good) {
        return ResponseBuilder.create(good ? RestResponse.Status.OK : RestResponse.Status.SERVICE_UNAVAILABLE, body)
                .build();
    }
}
