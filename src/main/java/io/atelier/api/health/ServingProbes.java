package io.atelier.api.health;

import io.atelier.serving.InferenceService;
import io.atelier.serving.ServingStatus;
import io.smallrye.health.api.AsyncHealthCheck;
import io.smallrye.mutiny.Uni;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.util.function.Predicate;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.HealthCheckResponseBuilder;
import org.eclipse.microprofile.health.Liveness;
import org.eclipse.microprofile.health.Readiness;
import org.eclipse.microprofile.health.Startup;

/**
 * One check for each of a probe's questions. They answer on the event loop, so that a probe is answered in time also
 * when every worker thread is taken.
 */
@Singleton
public class ServingProbes {
    private static final String NAME = "serving";

    private final InferenceService service;

    public ServingProbes(InferenceService service) {
        this.service = service;
    }

    @Produces
    @Singleton
    @Liveness
    AsyncHealthCheck live() {
        return () -> check(ServingStatus::live);
    }

    @Produces
    @Singleton
    @Readiness
    AsyncHealthCheck ready() {
        return () -> check(ServingStatus::ready);
    }

    @Produces
    @Singleton
    @Startup
    AsyncHealthCheck started() {
        return () -> check(ServingStatus::started);
    }

    private Uni<HealthCheckResponse> check(Predicate<ServingStatus> question) {
        return Uni.createFrom().item(() -> {
            ServingStatus status = service.status();
            HealthCheckResponseBuilder response =
                    HealthCheckResponse.named(NAME).status(question.test(status));
            status.details().forEach(response::withData);
            return response.build();
        });
    }
}
