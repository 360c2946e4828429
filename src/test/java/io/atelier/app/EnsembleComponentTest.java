package io.atelier.app;

import static io.atelier.testing.ServiceClient.floats;
import static io.atelier.testing.ServiceClient.json;
import static io.atelier.testing.ServiceClient.ok;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.atelier.core.DeviceId;
import io.atelier.testing.FakeEngine;
import io.atelier.testing.LineStream;
import io.atelier.testing.ServiceClient;
import io.atelier.testing.StartUp;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.RestAssured;
import jakarta.inject.Inject;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Ensembles over real HTTP down to an engine under the test's control: two devices of one permit each. */
@QuarkusTest
@TestProfile(EnsembleComponentTest.FakeDevices.class)
@Timeout(60)
class EnsembleComponentTest {
    private static final DeviceId FIRST = DeviceId.cpu(0);
    private static final DeviceId SECOND = DeviceId.cpu(1);
    private static final String THREE = "/v2/models/three";

    /** Every model adds one. */
    public static class FakeDevices extends FakeService.Profile {
        @Override
        protected Map<String, String> repository() {
            Map<String, String> files = new HashMap<>(Map.of(
                    "c/1/model.onnx", "",
                    "inner/model.yaml", "ensemble: {steps: [{model: c, inputs: {x: in}, outputs: {y: out}}]}",
                    "outer/model.yaml", """
                            ensemble:
                              steps:
                                - {model: inner, inputs: {in: x}, outputs: {out: one}}
                                - {model: a, version: 1, inputs: {x: one}, outputs: {y: two}}
                            """));
            files.putAll(others());
            return files;
        }

        private static Map<String, String> others() {
            return Map.of(
                    "a/1/model.onnx", "",
                    "b/1/model.onnx", "",
                    "three/model.yaml", """
                            ensemble:
                              steps:
                                - {model: a, inputs: {x: in}, outputs: {y: one}}
                                - {model: b, inputs: {x: one}, outputs: {y: two}}
                                - {model: a, inputs: {x: two}, outputs: {y: out}}
                            """,
                    "fork/3/empty", "",
                    "fork/config.pbtxt", """
                            platform: "ensemble"
                            input { name: "in" data_type: TYPE_FP32 dims: [ -1, -1 ] }
                            output [ { name: "l" data_type: TYPE_FP32 dims: [ -1, -1 ] },
                                     { name: "r" data_type: TYPE_FP32 dims: [ -1, -1 ] } ]
                            ensemble_scheduling {
                              step { model_name: "a" input_map { key: "x" value: "in" } output_map { key: "y" value: "l" } }
                              step { model_name: "b" input_map { key: "x" value: "in" } output_map { key: "y" value: "r" } }
                            }
                            """,
                    "four/model.yaml", """
                            ensemble:
                              steps:
                                - {model: three, inputs: {in: x}, outputs: {out: three}}
                                - {model: a, inputs: {x: three}, outputs: {y: four}}
                            """,
                    "lost/model.yaml", "ensemble: {steps: [{model: nobody}]}",
                    "ring/model.yaml", "ensemble: {steps: [{model: gnir}]}",
                    "gnir/model.yaml", "ensemble: {steps: [{model: ring}]}");
        }

        @Override
        protected Map<String, String> settings() {
            return Map.of("atelier.model-control", "explicit");
        }
    }

    @Inject
    StartUp startUp;

    @Inject
    FakeEngine engine;

    @Inject
    FakeService service;

    private ServiceClient client;

    @BeforeEach
    void awaitTheModels() throws InterruptedException {
        startUp.await();
        service.forget();
        client = new ServiceClient(RestAssured.port);
    }

    @AfterEach
    void letGo() {
        engine.letGo(FIRST);
        engine.letGo(SECOND);
    }

    @Test
    void feedsOneModelsOutputToTheNext() {
        JsonNode answer = ok(client.post(THREE + "/infer", infer("in", 100)).join());

        assertThat(answer.get("model_name").asText()).isEqualTo("three");
        assertThat(answer.at("/outputs/0/name").asText()).isEqualTo("out");
        assertThat(floats(answer.at("/outputs/0/data"))).containsExactly(103);
        assertThat(engine.executed()).contains(100f, 101f, 102f);
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
    void stepsRunSideBySideOnWhicheverDeviceIsFree() throws Exception {
        engine.hang(FIRST);
        engine.hang(SECOND);

        CompletableFuture<HttpResponse<String>> answer = client.post("/v2/models/fork/infer", infer("in", 300));

        engine.awaitHanging(FIRST);
        engine.awaitHanging(SECOND);
        letGo();
        JsonNode outputs = ok(answer.get(20, TimeUnit.SECONDS)).get("outputs");
        assertThat(outputs.get(0).get("name").asText()).isEqualTo("l");
        assertThat(floats(outputs.get(0).get("data"))).containsExactly(301);
        assertThat(outputs.get(1).get("name").asText()).isEqualTo("r");
    }

    @Test
    void oneDeadlineIsThatOfAllSteps() throws Exception {
        engine.hang(FIRST);
        engine.hang(SECOND);

        HttpResponse<String> late = client.post(THREE + "/infer", infer("in", 400), "Request-Timeout", "0.1")
                .get(20, TimeUnit.SECONDS);

        assertThat(late.statusCode()).isEqualTo(504);
        letGo();
        ok(client.post(THREE + "/infer", infer("in", 410)).get(20, TimeUnit.SECONDS));
        assertThat(engine.executed()).contains(400f, 412f).doesNotContain(401f);
    }

    @Test
    void whoHangsUpIsNotServedFurther() throws Exception {
        engine.hang(FIRST);
        engine.hang(SECOND);
        String body = infer("in", 500);
        CompletableFuture<?> asked;
        try (Socket socket = new Socket("localhost", RestAssured.port)) {
            socket.getOutputStream()
                    .write(("POST " + THREE + "/infer HTTP/1.1\r\nHost: a\r\nContent-Length: " + body.length()
                                    + "\r\n\r\n" + body)
                            .getBytes(UTF_8));
            asked = service.nextAsked();
        }
        assertThatThrownBy(() -> asked.get(20, TimeUnit.SECONDS)).isInstanceOf(Exception.class);
        letGo();

        ok(client.post(THREE + "/infer", infer("in", 510)).get(20, TimeUnit.SECONDS));
        assertThat(engine.executed()).contains(512f).doesNotContain(501f);
        assertThat(client.get("/q/metrics").join().body())
                .contains("atelier_requests_total{model=\"three\",outcome=\"cancelled\",version=\"1\"} 1.0");
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

        try (LineStream stream = LineStream.open(RestAssured.port, THREE + "/map")) {
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
            String missing = "step 2 (b): Request for unknown model: 'b' is not found";
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

    private static String infer(String input, float number) {
        return "{\"inputs\":[{\"name\":\"" + input + "\",\"datatype\":\"FP32\",\"shape\":[1,1],\"data\":[" + number
                + "]}]}";
    }
}
