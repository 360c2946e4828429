package io.atelier.docs;

import io.atelier.api.StubInferenceService;
import io.atelier.testing.TaskModels;
import io.quarkus.test.junit.QuarkusTestProfile;
import java.nio.file.Files;
import java.util.Map;

/** The service with its engine, over the models that the pages speak of: {@link TaskModels}. */
public final class TaskService implements QuarkusTestProfile {
    @Override
    public Map<String, String> getConfigOverrides() {
        try {
            return Map.of(
                    "atelier.model-repository",
                    TaskModels.write(Files.createTempDirectory("atelier-docs-")).toString(),
                    "atelier.model-control",
                    "explicit",
                    "quarkus.arc.exclude-types",
                    StubInferenceService.class.getName());
        } catch (Exception failure) {
            throw new IllegalStateException(failure);
        }
    }
}
