package io.atelier.api.oip;

import io.atelier.core.ModelId;
import io.atelier.serving.InferenceService;
import io.atelier.serving.ModelStatistics;
import io.atelier.serving.ModelView;
import io.smallrye.common.annotation.NonBlocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.resteasy.reactive.RestPath;

/** What a model has done since it was loaded. */
@Path("/v2/models/{model}")
@Produces(MediaType.APPLICATION_JSON)
@NonBlocking
@Tag(name = "Open Inference Protocol")
public class StatisticsResource {
    private final InferenceService service;
    private final ModelStatistics statistics;

    public StatisticsResource(InferenceService service, ModelStatistics statistics) {
        this.service = service;
        this.statistics = statistics;
    }

    @GET
    @Path("/stats")
    @Operation(summary = "What every version of a model has done")
    @APIResponse(responseCode = "200", description = "Statistics")
    @APIResponse(responseCode = "404", description = "No such model")
    public StatisticsAnswer statistics(@RestPath String model) {
        return new StatisticsAnswer(service.model(model, null).versions().stream()
                .map(version -> of(new ModelId(model, version)))
                .toList());
    }

    @GET
    @Path("/versions/{version}/stats")
    @Operation(summary = "What a model version has done")
    @APIResponse(responseCode = "200", description = "Statistics")
    @APIResponse(responseCode = "404", description = "No such model or version")
    public StatisticsAnswer versionStatistics(@RestPath String model, @RestPath String version) {
        return new StatisticsAnswer(List.of(of(service.model(model, version).id())));
    }

    private StatisticsAnswer.Model of(ModelId id) {
        return StatisticsAnswer.model(id, statistics.of(id));
    }

    /** What every model has done: a path of its own, since it would be a model's otherwise. */
    @Path("/v2/models/stats")
    @Produces(MediaType.APPLICATION_JSON)
    @NonBlocking
    @Tag(name = "Open Inference Protocol")
    public static class All {
        private final InferenceService service;
        private final ModelStatistics statistics;

        public All(InferenceService service, ModelStatistics statistics) {
            this.service = service;
            this.statistics = statistics;
        }

        @GET
        @Operation(summary = "What every model has done")
        @APIResponse(responseCode = "200", description = "Statistics")
        public StatisticsAnswer allStatistics() {
            return new StatisticsAnswer(service.models().stream()
                    .map(ModelView::id)
                    .map(id -> StatisticsAnswer.model(id, statistics.of(id)))
                    .toList());
        }
    }
}
