package io.atelier.api.jobs;

import io.atelier.api.JobStatus;
import io.atelier.api.Problem;
import io.atelier.api.ProblemException;
import io.atelier.serving.jobs.Job;
import io.atelier.serving.jobs.JobAnswer;
import io.atelier.serving.jobs.Jobs;
import io.smallrye.common.annotation.NonBlocking;
import io.smallrye.mutiny.Uni;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.resteasy.reactive.RestPath;
import org.jboss.resteasy.reactive.RestResponse;
import org.jboss.resteasy.reactive.RestResponse.ResponseBuilder;

/** Jobs: requests that were answered 202, since their caller said {@code Prefer: respond-async}. */
@Path(JobStatus.PATH + "/{job}")
@NonBlocking
@Tag(name = "Jobs")
public class JobsResource {
    private static final Duration SOON = Duration.ofSeconds(1);

    private final Jobs jobs;

    public JobsResource(Jobs jobs) {
        this.jobs = jobs;
    }

    @GET
    @Produces(MediaType.APPLICATION_JSON)
    @Operation(summary = "How a job stands: queued, running, succeeded, failed or cancelled")
    @APIResponse(responseCode = "200", ref = "job")
    @APIResponse(responseCode = "404", description = "Unknown, deleted or expired")
    public Uni<RestResponse<byte[]>> status(@RestPath("job") String id) {
        return found(() -> jobs.find(id)).onItem().transform(JobsResource::statusOf);
    }

    @GET
    @Path("/result")
    @Operation(summary = "The answer of a job, as the same request gets it that waits for it")
    @APIResponse(responseCode = "200", ref = "inferred")
    @APIResponse(responseCode = "404", description = "Unknown, deleted or expired")
    @APIResponse(responseCode = "409", description = "Not finished")
    @APIResponse(responseCode = "default", description = "Why there is no result")
    public Uni<RestResponse<byte[]>> result(@RestPath("job") String id) {
        return found(() -> jobs.find(id)).onItem().transform(JobsResource::resultOf);
    }

    @DELETE
    @Produces(MediaType.APPLICATION_JSON)
    @Operation(summary = "Cancel a job, or forget its result; one that is queued is never executed")
    @APIResponse(responseCode = "200", ref = "job")
    @APIResponse(responseCode = "404", description = "Unknown, deleted or expired")
    public Uni<RestResponse<byte[]>> delete(@RestPath("job") String id) {
        return found(() -> jobs.cancel(id)).onItem().transform(JobsResource::statusOf);
    }

    private static Uni<Job> found(Supplier<CompletionStage<Optional<Job>>> job) {
        return Uni.createFrom()
                .completionStage(job)
                .onItem()
                .transform(found -> found.orElseThrow(() -> new ProblemException(new Problem(
                        404,
                        "JOB_NOT_FOUND",
                        "Job not found",
                        "there is no such job: it was never accepted, was deleted or has expired",
                        null))));
    }

    private static RestResponse<byte[]> statusOf(Job job) {
        return ResponseBuilder.ok(JobStatus.of(job).json(), MediaType.APPLICATION_JSON_TYPE)
                .build();
    }

    private static RestResponse<byte[]> resultOf(Job job) {
        JobAnswer answer = job.answer();
        if (answer == null) {
            throw new ProblemException(new Problem(
                    409,
                    "JOB_NOT_FINISHED",
                    "Job not finished",
                    "the job is " + JobStatus.of(job).word(),
                    SOON));
        }
        ResponseBuilder<byte[]> response = ResponseBuilder.create(answer.status());
        response.entity(answer.body());
        answer.headers().forEach(response::header);
        return response.build();
    }
}
