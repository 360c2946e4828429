package io.atelier;

import io.atelier.testing.StartUp;
import io.atelier.testing.TaskModels;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.nio.file.Files;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;

/** {@link PredictScenarios} in this process. */
@QuarkusTest
@TestProfile(PredictComponentTest.Models.class)
class PredictComponentTest extends PredictScenarios {
    /** The service over {@link TaskModels}. */
    public static class Models implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            try {
                return Map.of(
                        "atelier.model-repository",
                        TaskModels.write(Files.createTempDirectory("atelier-tasks-"))
                                .toString(),
                        "quarkus.arc.exclude-types",
                        "io.atelier.api.StubInferenceService");
            } catch (Exception failure) {
                throw new IllegalStateException(failure);
            }
        }
    }

    @Inject
    StartUp startUp;

    @BeforeEach
    @Override
    void awaitTheModels() throws InterruptedException {
        startUp.await();
        super.awaitTheModels();
    }
}
