package io.atelier;

import static io.atelier.testing.ServiceClient.embeddings;
import static io.atelier.testing.ServiceClient.json;
import static io.atelier.testing.ServiceClient.ok;
import static io.atelier.testing.ServiceClient.vector;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.atelier.testing.ServiceClient;
import io.atelier.testing.SuiteService;
import io.quarkus.test.junit.QuarkusIntegrationTest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The service on its defaults, whatever it is packaged as; or one that runs already with the embedded model. */
@QuarkusIntegrationTest
class ServiceIT {
    private ServiceClient client;

    @BeforeEach
    void awaitTheModel() {
        client = ServiceClient.ofTestedService();
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
        assertThat(ok(client.get("/v2/devices").join()).at("/devices/0/state").asText())
                .isEqualTo("ready");
    }

    @Test
    void isCalledAtelierAndLetsNobodyControlItsModels() {
        assumeTrue(
                SuiteService.elsewhere().isEmpty(),
                "a service that runs already may be called otherwise and let its models be controlled");

        assertThat(ok(client.get("/v2").join()).get("name").asText()).isEqualTo("atelier");
        for (String change : List.of("load", "unload")) {
            refusesAsProblems("/v2/repository/models/minilm/" + change, "{}", 403, "FORBIDDEN");
        }
    }

    @Test
    void tellsOfItsModel() {
        JsonNode model = ok(client.get("/v2/models/minilm").join());

        assertThat(model.get("platform").asText()).isEqualTo("onnxruntime_onnx");
        assertThat(model.at("/inputs")).hasSize(3);
        assertThat(model.at("/outputs/0/shape")).hasToString("[-1,-1,384]");
        assertThat(ok(client.get("/v2/models/minilm/versions/1").join())).isEqualTo(model);
        ok(client.get("/v2/models/minilm/versions/1/ready").join());
    }

    @Test
    void embedsAsOneVectorWhatIsTheSameAloneAndInABatch() {
        String body = embeddings("hello world", "a longer sentence about something else", "hello world");

        JsonNode batch = ok(client.post("/v1/embeddings", body).join());
        JsonNode alone =
                ok(client.post("/v1/embeddings", embeddings("hello world")).join());

        assertThat(vector(batch, 0)).isEqualTo(vector(alone, 0)).isEqualTo(vector(batch, 2));
        assertThat(vector(batch, 1)).isNotEqualTo(vector(alone, 0));
    }

    @Test
    void tellsWhatModelsItHasHowTheyAreServedAndWhatTheyHaveDone() {
        ok(client.post("/v1/embeddings", embeddings("hello world")).join());

        assertThat(ok(client.get("/v1/models").join()).get("data").findValuesAsText("id"))
                .contains("minilm");
        assertThat(ok(client.get("/v1/models/minilm").join()).get("ready").asBoolean())
                .isTrue();
        assertThat(ok(client.get("/v2/models/minilm/config").join()).get("name").asText())
                .isEqualTo("minilm");
        assertThat(ok(client.get("/v2/models/minilm/versions/1/config").join()))
                .isEqualTo(ok(client.get("/v2/models/minilm/config").join()));
        for (String path :
                List.of("/v2/models/stats", "/v2/models/minilm/stats", "/v2/models/minilm/versions/1/stats")) {
            assertThat(ok(client.get(path).join())
                            .at("/model_stats/0/inference_count")
                            .asLong())
                    .as(path)
                    .isPositive();
        }
        assertThat(ok(client.post("/v2/repository/index", "{\"ready\": true}").join())
                        .findValuesAsText("name"))
                .contains("minilm");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/v2/models/minilm/infer | {\"inputs\": []} | 400 | INVALID_INPUT",
                "/v2/models/minilm/infer | no JSON | 400 | INVALID_INPUT",
                "/v2/models/other/infer | {\"inputs\": []} | 404 | MODEL_NOT_FOUND",
                "/v2/models/minilm/versions/7/infer | {\"inputs\": []} | 404 | MODEL_NOT_FOUND",
                "/v2/nothing | {} | 404 | NOT_FOUND",
                "/v2/devices | {} | 405 | METHOD_NOT_ALLOWED",
            })
    void refusesAsProblems(String path, String body, int status, String code) {
        HttpResponse<String> answer = client.post(path, body).join();

        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(answer.headers().firstValue("Content-Type").orElse("")).startsWith("application/problem+json");
        JsonNode problem = json(answer);
        assertThat(problem.get("code").asText()).isEqualTo(code);
        assertThat(problem.get("status").asInt()).isEqualTo(status);
        assertThat(problem.get("error").asText()).isNotEmpty();
    }

    @Test
    void refusesInOpenAisForm() {
        HttpResponse<String> answer = client.post("/v1/embeddings", "{\"model\": \"other\", \"input\": \"a\"}")
                .join();

        assertThat(answer.statusCode()).isEqualTo(404);
        assertThat(json(answer).at("/error/code").asText()).isEqualTo("model_not_found");
    }

    @Test
    void refusesABodyThatIsTooLarge() {
        HttpResponse<String> answer =
                client.post("/v1/embeddings", " ".repeat((64 << 20) + 1)).join();

        assertThat(answer.statusCode()).isEqualTo(413);
        assertThat(json(answer).get("code").asText()).isEqualTo("PAYLOAD_TOO_LARGE");
    }

    @Test
    void refusesAtOnceWhatCannotBeAnsweredInTime() {
        HttpResponse<String> answer = client.post(
                        "/v1/embeddings", embeddings("hello world"), "Request-Timeout", "0.000001")
                .join();

        assertThat(answer.statusCode()).as(answer.body()).isIn(429, 504);
        assertThat(json(answer).get("code").asText()).isIn("OVERLOADED", "DEADLINE_EXCEEDED");
    }
}
