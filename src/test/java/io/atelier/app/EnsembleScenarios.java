package io.atelier.app;

import static io.atelier.testing.ServiceClient.floats;
import static io.atelier.testing.ServiceClient.json;
import static io.atelier.testing.ServiceClient.ok;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.atelier.testing.EnsembleModels;
import io.atelier.testing.LineStream;
import io.atelier.testing.ServiceClient;
import io.atelier.testing.SuiteService;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** {@link EnsembleModels} over real HTTP. */
abstract class EnsembleScenarios {
    static final String THREE = "/v2/models/three";

    ServiceClient client;

    @BeforeEach
    void awaitTheModels() throws InterruptedException {
        client = ServiceClient.ofTestedService();
        client.awaitStatus("/q/health/started", 200, Duration.ofSeconds(60));
    }

    @Test
    void feedsOneModelsOutputToTheNext() {
        JsonNode answer = ok(client.post(THREE + "/infer", infer("in", 100)).join());

        assertThat(answer.get("model_name").asText()).isEqualTo("three");
        assertThat(answer.at("/outputs/0/name").asText()).isEqualTo("out");
        assertThat(floats(answer.at("/outputs/0/data"))).containsExactly(103);
    }

    @Test
    void anEnsembleMayBeAStep() {
        JsonNode answer =
                ok(client.post("/v2/models/four/infer", infer("x", 200)).join());

        assertThat(floats(answer.at("/outputs/0/data"))).containsExactly(204);
    }

    @Test
    void saysWhatItTakesAndGives() {
        JsonNode three = ok(client.get(THREE).join());
        assertThat(three.get("platform").asText()).isEqualTo("ensemble");
        assertThat(three.at("/versions/0").asText()).isEqualTo("1");
        assertThat(three.get("inputs").toString())
                .isEqualTo("[{\"name\":\"in\",\"datatype\":\"FP32\",\"shape\":[-1,-1]}]");
        assertThat(three.get("outputs").toString())
                .isEqualTo("[{\"name\":\"out\",\"datatype\":\"FP32\",\"shape\":[-1,-1]}]");
        assertThat(ok(client.get("/v2/models/fork/versions/3").join()).get("outputs"))
                .hasSize(2);
        assertThat(client.get(THREE + "/ready").join().statusCode()).isEqualTo(200);
        assertThat(client.get("/v2/models/fork/versions/2").join().statusCode()).isEqualTo(404);
    }

    @Test
    void checksItsInputsAsAnyModelDoes() {
        HttpResponse<String> refused =
                client.post(THREE + "/infer", infer("x", 1)).join();

        assertThat(refused.statusCode()).isEqualTo(400);
        assertThat(json(refused).get("error").asText()).contains("the model has no input 'x'");
    }

    @Test
    void isAJobAndAStreamToo() throws Exception {
        HttpResponse<String> accepted = client.post(THREE + "/infer", infer("in", 600), "Prefer", "respond-async")
                .join();
        String result = accepted.headers().firstValue("Location").orElseThrow() + "/result";
        client.awaitStatus(result, 200, Duration.ofSeconds(20));
        assertThat(floats(ok(client.get(result).join()).at("/outputs/0/data"))).containsExactly(603);

        try (LineStream stream = LineStream.open(SuiteService.url(), THREE + "/map")) {
            stream.send(infer("in", 610));
            assertThat(floats(new ObjectMapper().readTree(stream.readLine()).at("/outputs/0/data")))
                    .containsExactly(613);
            stream.end();
            assertThat(stream.readLine()).isNull();
        }
    }

    @Test
    void countsTheEnsembleAndItsSteps() {
        double before = count("three");
        double steps = count("a");

        ok(client.post(THREE + "/infer", infer("in", 700)).join());

        assertThat(count("three") - before).isEqualTo(1);
        assertThat(count("a") - steps).isEqualTo(2);
    }

    @Test
    void whatDoesNotFitIsRefusedByName() {
        JsonNode data = ServiceClient.check(ok(client.get("/q/health/ready").join()), "serving")
                .get("data");

        assertThat(data.get("model three/1").asText()).isEqualTo("READY");
        assertThat(data.get("model lost/1").asText())
                .isEqualTo("FAILED: step 1 (nobody): Request for unknown model: 'nobody' is not found");
        assertThat(data.get("model ring/1").asText()).isEqualTo("FAILED: a cycle of ensembles: ring/1, gnir/1");
        assertThat(client.get("/v2/models/ring/ready").join().statusCode()).isEqualTo(503);
    }

    @Test
    void isLoadedUnloadedAndListedAsAnyModel() throws Exception {
        String changes = "/v2/repository/models/four/";
        assertThat(state("four")).isEqualTo("READY");
        assertThat(ok(client.get("/v2/models/four/config").join())
                        .get("platform")
                        .asText())
                .isEqualTo("ensemble");

        ok(client.post(changes + "unload", "").get(20, TimeUnit.SECONDS));
        assertThat(state("four")).isEqualTo("UNAVAILABLE");
        assertThat(client.post("/v2/models/four/infer", infer("x", 1)).join().statusCode())
                .isEqualTo(404);

        ok(client.post(changes + "load", "").get(20, TimeUnit.SECONDS));
        assertThat(state("four")).isEqualTo("READY");
        ok(client.post("/v2/models/four/infer", infer("x", 800)).join());
        assertThat(ok(client.get("/v2/models/four/stats").join())
                        .at("/model_stats/0/inference_stats/success/count")
                        .asInt())
                .isPositive();

        HttpResponse<String> refused =
                client.post("/v2/repository/models/lost/load", "").join();
        assertThat(refused.statusCode()).isEqualTo(400);
        assertThat(json(refused).get("error").asText()).contains("step 1 (nobody): Request for unknown model");
    }

    @Test
    void isNotReadyWithoutItsModels() throws Exception {
        ok(client.post("/v2/repository/models/b/unload", "").get(20, TimeUnit.SECONDS));
        try {
            String missing = "step 2 (b): Request for unknown model: 'b' is not found, it has been unloaded";
            assertThat(client.get(THREE + "/ready").join().statusCode()).isEqualTo(503);
            for (HttpResponse<String> refused : List.of(
                    client.post(THREE + "/infer", infer("in", 900)).join(),
                    client.get(THREE + "/config").join())) {
                assertThat(refused.statusCode()).isEqualTo(503);
                assertThat(json(refused).get("error").asText()).isEqualTo("ensemble 'three' is not ready: " + missing);
            }
            assertThat(entry("three").get("state").asText()).isEqualTo("UNAVAILABLE");
            assertThat(entry("three").get("reason").asText()).isEqualTo(missing);
            assertThat(entry("four").get("reason").asText())
                    .isEqualTo("step 1 (three): ensemble 'three' is not ready: " + missing);
            assertThat(entry("outer").get("state").asText()).isEqualTo("READY");
            assertThat(client.get("/q/health/ready").join().body()).contains("UNAVAILABLE: " + missing);
        } finally {
            ok(client.post("/v2/repository/models/b/load", "").get(20, TimeUnit.SECONDS));
        }
        assertThat(client.get(THREE + "/ready").join().statusCode()).isEqualTo(200);
        assertThat(state("four")).isEqualTo("READY");
    }

    @Test
    void isUnloadedWithTheStepsThatServeNothingElse() throws Exception {
        String unload = "{\"parameters\":{\"unload_dependents\":true}}";

        ok(client.post("/v2/repository/models/outer/unload", unload).get(20, TimeUnit.SECONDS));

        for (String gone : List.of("outer", "inner", "c")) {
            assertThat(client.get("/v2/models/" + gone).join().statusCode())
                    .as(gone)
                    .isEqualTo(404);
        }
        assertThat(state("a")).isEqualTo("READY");
        ok(client.post(THREE + "/infer", infer("in", 1000)).join());

        for (String again : List.of("c", "inner", "outer")) {
            ok(client.post("/v2/repository/models/" + again + "/load", "").get(20, TimeUnit.SECONDS));
        }
        ok(client.post("/v2/repository/models/outer/unload", "").get(20, TimeUnit.SECONDS));
        assertThat(state("inner")).as("nobody asked for more").isEqualTo("READY");
        ok(client.post("/v2/repository/models/outer/load", "").get(20, TimeUnit.SECONDS));
    }

    @Test
    void showsItsStepsInItsConfiguration() throws Exception {
        JsonNode outer = ok(client.get("/v2/models/outer/config").join());

        assertThat(outer.get("ensemble_scheduling")).isEqualTo(new ObjectMapper().readTree("""
                {"step": [
                  {"model_name": "inner", "model_version": -1,
                   "input_map": {"in": "x"}, "output_map": {"out": "one"}},
                  {"model_name": "a", "model_version": 1,
                   "input_map": {"x": "one"}, "output_map": {"y": "two"}}]}"""));
        assertThat(ok(client.get("/v2/models/fork/config").join())
                        .at("/ensemble_scheduling/step/1/output_map/y")
                        .asText())
                .isEqualTo("r");
        assertThat(ok(client.get("/v2/models/a/config").join()).has("ensemble_scheduling"))
                .isFalse();
    }

    private String state(String model) {
        return entry(model).get("state").asText();
    }

    private JsonNode entry(String model) {
        for (JsonNode entry : ok(client.post("/v2/repository/index", "{}").join())) {
            if (entry.get("name").asText().equals(model)) {
                return entry;
            }
        }
        throw new AssertionError("no model " + model);
    }

    private double count(String model) {
        return client.get("/q/metrics")
                .join()
                .body()
                .lines()
                .filter(line -> line.startsWith("atelier_requests_total{model=\"" + model + "\",outcome=\"success\""))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.indexOf("} ") + 2)))
                .sum();
    }

    static String infer(String input, float number) {
        return "{\"inputs\":[{\"name\":\"" + input + "\",\"datatype\":\"FP32\",\"shape\":[1,1],\"data\":[" + number
                + "]}]}";
    }
}
