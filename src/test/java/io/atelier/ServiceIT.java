package io.atelier;

import static io.atelier.testing.ServiceClient.embeddings;
import static io.atelier.testing.ServiceClient.ok;
import static io.atelier.testing.ServiceClient.vector;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.atelier.testing.ServiceClient;
import io.quarkus.test.junit.QuarkusIntegrationTest;
import io.restassured.RestAssured;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The packaged service, whatever it is packaged as, on its defaults. */
@QuarkusIntegrationTest
class ServiceIT {
    private ServiceClient client;

    @BeforeEach
    void awaitTheModel() {
        client = new ServiceClient(RestAssured.port);
        client.awaitStatus("/q/health/started", 200, Duration.ofSeconds(60));
    }

    @Test
    void isLiveReadyAndStarted() {
        for (String path : new String[] {
            "/q/health/live",
            "/q/health/ready",
            "/q/health/started",
            "/v2/health/live",
            "/v2/health/ready",
            "/v2/models/minilm/ready"
        }) {
            assertThat(client.get(path).join().statusCode()).as(path).isEqualTo(200);
        }
    }

    @Test
    void embedsASentence() {
        JsonNode answer =
                ok(client.post("/v1/embeddings", embeddings("hello world")).join());

        assertThat(vector(answer, 0)).hasSize(384);
        assertThat(answer.at("/usage/prompt_tokens").asInt()).isEqualTo(4);
    }

    @Test
    void infersFromTensors() {
        JsonNode answer = ok(client.post("/v2/models/minilm/infer", """
                        {"inputs":[
                          {"name":"input_ids","datatype":"INT64","shape":[1,4],"data":[101,7592,2088,102]},
                          {"name":"attention_mask","datatype":"INT64","shape":[1,4],"data":[1,1,1,1]},
                          {"name":"token_type_ids","datatype":"INT64","shape":[1,4],"data":[0,0,0,0]}]}""").join());

        assertThat(answer.at("/outputs/0/shape")).hasToString("[1,4,384]");
        assertThat(answer.at("/outputs/0/data")).hasSize(4 * 384);
    }

    @Test
    void tellsWhatItIsAndDoes() {
        ok(client.post("/v1/embeddings", embeddings("hello world")).join());

        assertThat(client.get("/q/metrics").join().body())
                .contains("atelier_requests_total{model=\"minilm\",outcome=\"success\"")
                .contains("atelier_execution_duration_seconds_count")
                .contains("atelier_device_up{device=");
        assertThat(client.get("/q/openapi").join().body()).contains("/v2/models/{model}/infer", "/v1/embeddings");
        assertThat(ok(client.get("/v2").join()).get("name").asText()).isEqualTo("atelier");
        assertThat(ok(client.get("/v2/devices").join()).at("/devices/0/state").asText())
                .isEqualTo("ready");
    }
}
