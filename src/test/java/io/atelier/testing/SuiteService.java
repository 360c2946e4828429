package io.atelier.testing;

import io.quarkus.test.junit.QuarkusTestProfile;
import io.restassured.RestAssured;
import java.io.IOException;
import java.io.Reader;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;

/**
 * The service that most integration tests ask: what was packaged, over {@link SuiteModels} and with the settings of
 * {@code src/test/service/application.properties}. With {@code -Dquarkus.http.test-host} and
 * {@code -Dquarkus.http.test-port} they ask one that runs there, which somebody started in the same way.
 */
public final class SuiteService implements QuarkusTestProfile {
    private static final Path SETTINGS = Path.of("src", "test", "service", "application.properties");

    @Override
    public Map<String, String> getConfigOverrides() {
        if (elsewhere().isPresent()) {
            return Map.of();
        }
        try (Reader file = Files.newBufferedReader(SETTINGS)) {
            Properties settings = new Properties();
            settings.load(file);
            Map<String, String> overrides = new HashMap<>();
            settings.stringPropertyNames().forEach(name -> overrides.put(name, settings.getProperty(name)));
            overrides.put("atelier.model-repository", Models.FOLDER.toString());
            return overrides;
        } catch (IOException failure) {
            throw new IllegalStateException(failure);
        }
    }

    /** The host of a service that runs already, if the tests are to ask one. */
    public static Optional<String> elsewhere() {
        return Optional.ofNullable(System.getProperty("quarkus.http.test-host")).filter(host -> !host.isEmpty());
    }

    /** Where the service is that a {@code @QuarkusTest} or a {@code @QuarkusIntegrationTest} asks. */
    public static URI url() {
        return URI.create("http://" + elsewhere().orElse("localhost") + ":" + RestAssured.port);
    }

    /** Written once, before the service reads them. */
    private static final class Models {
        static final Path FOLDER = write();

        private static Path write() {
            try {
                return SuiteModels.write(Files.createTempDirectory("atelier-suite-"));
            } catch (Exception failure) {
                throw new IllegalStateException(failure);
            }
        }
    }
}
