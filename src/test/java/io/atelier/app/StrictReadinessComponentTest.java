package io.atelier.app;

import static io.atelier.testing.ServiceClient.json;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.atelier.testing.ServiceClient;
import io.atelier.testing.StartUp;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.RestAssured;
import jakarta.inject.Inject;
import java.net.http.HttpResponse;
import java.util.Map;
import org.junit.jupiter.api.Test;

@QuarkusTest
@TestProfile(StrictReadinessComponentTest.Strict.class)
class StrictReadinessComponentTest {
    /** One model that serves, one folder that holds none. */
    public static class Strict extends FakeService.Profile {
        @Override
        protected Map<String, String> repository() {
            return Map.of("fake/1/model.onnx", "", "empty/model.yaml", "");
        }

        @Override
        protected Map<String, String> settings() {
            return Map.of("atelier.strict-readiness", "true");
        }
    }

    @Inject
    StartUp startUp;

    @Test
    void isNotReadyWhileAFolderCannotBeServed() throws Exception {
        startUp.await();
        ServiceClient client = new ServiceClient(RestAssured.port);

        HttpResponse<String> ready = client.get("/q/health/ready").join();

        assertThat(ready.statusCode()).isEqualTo(503);
        JsonNode check = ServiceClient.check(json(ready), "serving");
        assertThat(check.get("status").asText()).isEqualTo("DOWN");
        assertThat(check.at("/data/model empty").asText()).startsWith("FAILED: has no version");
        assertThat(check.at("/data/model fake~11").asText()).isEqualTo("READY");
        assertThat(client.get("/v2/health/ready").join().statusCode()).isEqualTo(503);
        assertThat(client.get("/q/health/started").join().statusCode()).isEqualTo(200);
        assertThat(client.get("/q/health/live").join().statusCode()).isEqualTo(200);
        assertThat(client.get("/v2/models/fake/ready").join().statusCode()).isEqualTo(200);
    }
}
