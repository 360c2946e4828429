package io.atelier.docs;

import static org.awaitility.Awaitility.await;

import io.atelier.api.StubInferenceService;
import io.atelier.serving.InferenceService;
import io.quarkus.test.junit.QuarkusTestProfile;
import java.time.Duration;
import java.util.Map;

/** The service as it is shipped, with its engine and its embedded model, instead of the stub of the API's tests. */
public final class RealService implements QuarkusTestProfile {
    @Override
    public Map<String, String> getConfigOverrides() {
        return Map.of("quarkus.arc.exclude-types", StubInferenceService.class.getName());
    }

    static void awaitReady(InferenceService service) {
        await("the embedded model")
                .atMost(Duration.ofMinutes(1))
                .until(() -> service.status().ready());
    }
}
