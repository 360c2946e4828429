package io.atelier.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.atelier.api.StubInferenceService;
import io.atelier.serving.InferenceService;
import io.atelier.serving.ServingStatus;
import io.quarkus.test.junit.QuarkusTestProfile;
import java.time.Duration;
import java.util.Map;

/** The service as it is shipped, with its engine and its embedded model, instead of the stub of the API's tests. */
public final class RealService implements QuarkusTestProfile {
    @Override
    public Map<String, String> getConfigOverrides() {
        return Map.of("quarkus.arc.exclude-types", StubInferenceService.class.getName());
    }

    /** Waits until loading is over, and fails with its reasons if the service is not ready then. */
    static void awaitReady(InferenceService service) {
        await("loading")
                .atMost(Duration.ofMinutes(1))
                .until(() -> service.status().started());
        assertThat(service.status()).matches(ServingStatus::ready, "is ready");
    }
}
