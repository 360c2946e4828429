package io.atelier.app;

import static io.atelier.testing.ServiceClient.floats;
import static io.atelier.testing.ServiceClient.json;
import static io.atelier.testing.ServiceClient.ok;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.atelier.core.DeviceId;
import io.atelier.core.ServingException.Cancelled;
import io.atelier.core.ServingListener;
import io.atelier.core.Tracing;
import io.atelier.testing.ServiceClient;
import io.prometheus.client.exemplars.ExemplarSampler;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.RestAssured;
import jakarta.inject.Inject;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Real HTTP down to an engine under the test's control: two devices of one permit each. */
@QuarkusTest
@TestProfile(ServingComponentTest.FakeDevices.class)
@Timeout(60)
class ServingComponentTest extends OverFakeService {
    private static final Logger LOG = Logger.getLogger(ServingComponentTest.class);
    private static final DeviceId FIRST = DeviceId.cpu(0);
    private static final DeviceId SECOND = DeviceId.cpu(1);
    private static final String INFER = "/v2/models/fake/infer";
    private static final String COUNTED = "/v2/models/counted/infer";
    private static final String SMALL = "/v2/models/small/infer";

    /** What the design promises a caller after its deadline. */
    private static final Duration PROMISE = Duration.ofMillis(50);

    /** What a shared build machine may add on the way to the client, beyond the promise: threads that wait for a core. */
    private static final Duration NOISE = Duration.ofSeconds(1);

    /** {@code fake}, {@code small} of batches of one with a short queue, and two that cannot be served. */
    public static class FakeDevices extends FakeService.Profile {
        @Override
        protected Map<String, String> repository() {
            return Map.ofEntries(
                    Map.entry("fake/1/model.onnx", ""),
                    Map.entry("counted/1/model.onnx", ""),
                    Map.entry(
                            "counted/model.yaml", "batching: {max-batch-size: 4, max-queue-delay: 0s}\nversions: [1]"),
                    Map.entry("holder/1/model.onnx", ""),
                    Map.entry("holder/model.yaml", "batching: {max-batch-size: 1}"),
                    Map.entry("small/1/model.onnx", ""),
                    Map.entry("small/model.yaml", "batching: {max-batch-size: 1, max-queue-size: 2}"),
                    Map.entry("misfit/1/model.onnx", ""),
                    Map.entry("misfit/model.yaml", "batching: {padding: {values: {gone: 0}}}"),
                    Map.entry("misspelt/1/model.onnx", ""),
                    Map.entry("misspelt/model.yaml", "baching: {}"));
        }

        @Override
        protected Map<String, String> settings() {
            return Map.of("quarkus.http.limits.max-body-size", "64K");
        }
    }

    @Inject
    Tracing tracing;

    @Inject
    Optional<ExemplarSampler> exemplars;

    @AfterEach
    void mend() {
        letGo();
        engine.breakOn(number -> false);
    }

    @Test
    void answersThroughTheWholeService() {
        JsonNode answer = ok(client.post(INFER, infer(1, 41)).join());

        assertThat(floats(answer.at("/outputs/0/data"))).containsExactly(42);
        assertThat(answer.get("model_name").asText()).isEqualTo("fake");
    }

    @Test
    void aHungDeviceCostsItsCallersTheirDeadlineAndNobodyElseAnything() throws Exception {
        for (CompletableFuture<HttpResponse<String>> warming : askAtOnce(300)) {
            ok(warming.get(20, TimeUnit.SECONDS));
        }
        Duration timeout = Duration.ofMillis(400);
        engine.hang(FIRST);
        CompletableFuture<Answered> victim = hangOneRequest(timeout);

        List<CompletableFuture<HttpResponse<String>>> others = askAtOnce(300);

        Answered late = victim.get(20, TimeUnit.SECONDS);
        LOG.infof(
                "deadline %d ms, answered after %.1f ms",
                timeout.toMillis(), late.after().toNanos() / 1e6);
        problem(late.answer(), 504, "DEADLINE_EXCEEDED");
        assertThat(late.after()).isBetween(timeout, timeout.plus(PROMISE).plus(NOISE));
        for (int i = 0; i < others.size(); i++) {
            assertThat(floats(ok(others.get(i).get(20, TimeUnit.SECONDS)).at("/outputs/0/data")))
                    .containsExactly(i + 1);
        }

        JsonNode hung = device(FIRST);
        assertThat(hung.get("running")).hasSize(1);
        assertThat(hung.at("/running/0/model").asText()).isEqualTo("fake");
        assertThat(hung.at("/running/0/for_seconds").asDouble()).isGreaterThanOrEqualTo(0.4);
        assertThat(engine.mostAtOnce(FIRST)).isEqualTo(1);
        assertThat(engine.mostAtOnce(SECOND)).isEqualTo(1);
    }

    @Test
    void aDeviceThatCameBackServesAgain() throws Exception {
        engine.hang(FIRST);
        CompletableFuture<Answered> victim = hangOneRequest(Duration.ofMillis(50));
        problem(victim.get(20, TimeUnit.SECONDS).answer(), 504, "DEADLINE_EXCEEDED");
        engine.letGo(FIRST);

        engine.hang(SECOND);
        engine.hang(FIRST);
        CompletableFuture<HttpResponse<String>> one = client.post(SMALL, infer(1, 1));
        CompletableFuture<HttpResponse<String>> two = client.post(SMALL, infer(1, 2));
        engine.awaitHanging(FIRST);
        engine.awaitHanging(SECOND);
        letGo();

        ok(one.get(20, TimeUnit.SECONDS));
        ok(two.get(20, TimeUnit.SECONDS));
    }

    @Test
    void refusesWhatDoesNotFitIntoTheQueueAndSaysWhenToComeBack() throws Exception {
        List<CompletableFuture<HttpResponse<String>>> taken = occupyBothDevices();
        List<CompletableFuture<HttpResponse<String>>> waiting = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            waiting.add(client.post(SMALL, infer(1, i)));
            service.awaitAsked(1);
        }

        HttpResponse<String> refused = client.post(SMALL, infer(1, 3)).get(20, TimeUnit.SECONDS);

        problem(refused, 429, "OVERLOADED");
        assertThat(refused.headers().firstValue("Retry-After"))
                .hasValueSatisfying(
                        seconds -> assertThat(Integer.parseInt(seconds)).isBetween(1, 60));
        letGo();
        for (CompletableFuture<HttpResponse<String>> answer : taken) {
            ok(answer.get(20, TimeUnit.SECONDS));
        }
        for (CompletableFuture<HttpResponse<String>> answer : waiting) {
            ok(answer.get(20, TimeUnit.SECONDS));
        }
    }

    @Test
    void nothingExecutesAfterItsDeadline() throws Exception {
        String body = "{\"parameters\":{\"timeout\":1},\"inputs\":[" + input(1, 7001) + "]}";

        problem(client.post(INFER, body).get(20, TimeUnit.SECONDS), 504, "DEADLINE_EXCEEDED");

        occupyBothDevices();
        problem(
                client.post(SMALL, infer(1, 7002), "Request-Timeout", "1").get(20, TimeUnit.SECONDS),
                504,
                "DEADLINE_EXCEEDED");
        letGo();
        ok(client.post(SMALL, infer(1, 7003)).get(20, TimeUnit.SECONDS));
        assertThat(engine.executed()).contains(7003f).doesNotContain(7001f, 7002f);
    }

    @Test
    void whoHangsUpWhileQueuedIsNeverExecuted() throws Exception {
        List<CompletableFuture<HttpResponse<String>>> taken = occupyBothDevices();
        String body = infer(1, 7004);
        CompletableFuture<?> queued = hangUpWhileQueued(SMALL, body);

        assertThatThrownBy(() -> queued.get(20, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class)
                .hasRootCauseInstanceOf(Cancelled.class);
        letGo();
        for (CompletableFuture<HttpResponse<String>> answer : taken) {
            ok(answer.get(20, TimeUnit.SECONDS));
        }
        ok(client.post(SMALL, infer(1, 7005)).get(20, TimeUnit.SECONDS));
        assertThat(engine.executed()).contains(7005f).doesNotContain(7004f);
        assertThat(client.get("/q/metrics").join().body())
                .contains("atelier_requests_total{model=\"small\",outcome=\"cancelled\",version=\"1\"} 1.0");
    }

    @Test
    void whoBreaksABatchFailsAlone() throws Exception {
        engine.breakOn(number -> number == 13);
        List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
        engine.hang(FIRST);
        engine.hang(SECOND);
        CompletableFuture<HttpResponse<String>> one = client.post(SMALL, infer(1, 1));
        CompletableFuture<HttpResponse<String>> two = client.post(SMALL, infer(1, 2));
        engine.awaitHanging(FIRST);
        engine.awaitHanging(SECOND);
        for (int i = 10; i < 20; i++) {
            answers.add(client.post(INFER, infer(1, i)));
        }
        letGo();

        ok(one.get(20, TimeUnit.SECONDS));
        ok(two.get(20, TimeUnit.SECONDS));
        for (int i = 10; i < 20; i++) {
            HttpResponse<String> answer = answers.get(i - 10).get(20, TimeUnit.SECONDS);
            if (i == 13) {
                problem(answer, 500, "ENGINE_FAILURE");
                assertThat(answer.body()).doesNotContain("IllegalState", "io.atelier.testing");
            } else {
                assertThat(floats(ok(answer).at("/outputs/0/data"))).containsExactly(i + 1);
            }
        }
    }

    @Test
    void refusesWithTheCodesOfTheDesign() {
        problem(client.post(INFER, "{").join(), 400, "INVALID_INPUT");
        problem(client.post(INFER, infer(2, 1)).join(), 400, "INVALID_INPUT");
        problem(client.post("/v2/models/nobody/infer", infer(1, 1)).join(), 404, "MODEL_NOT_FOUND");
        problem(client.post("/v2/models/fake/versions/2/infer", infer(1, 1)).join(), 404, "MODEL_NOT_FOUND");
        problem(client.post(INFER, " ".repeat(65 * 1024)).join(), 413, "PAYLOAD_TOO_LARGE");
        HttpResponse<String> notReady =
                client.post("/v2/models/misfit/infer", infer(1, 1)).join();
        problem(notReady, 503, "NOT_READY");
        assertThat(notReady.headers().firstValue("Retry-After")).isPresent();
    }

    @Test
    void namesWhatCannotBeServedWhileTheRestIsReady() {
        JsonNode health = ok(client.get("/q/health/ready").join());

        assertThat(health.get("status").asText()).isEqualTo("UP");
        JsonNode data = ServiceClient.check(health, "serving").get("data");
        assertThat(data.get("model fake/1").asText()).isEqualTo("READY");
        assertThat(data.get("model misfit/1").asText())
                .startsWith("FAILED: padding.values.gone: the model has no such input");
        assertThat(data.get("model misspelt").asText())
                .startsWith("FAILED: model.yaml: ")
                .contains("baching");
        assertThat(client.get("/v2/models/fake/ready").join().statusCode()).isEqualTo(200);
        assertThat(client.get("/v2/models/misfit/ready").join().statusCode()).isEqualTo(503);
    }

    @Test
    void countsWhatItRefused() throws Exception {
        problem(client.post(INFER, infer(1, 1), "Request-Timeout", "0.000001").join(), 504, "DEADLINE_EXCEEDED");

        assertThat(client.get("/q/metrics").join().body())
                .contains("atelier_requests_total{model=\"fake\",outcome=\"deadline_exceeded\"")
                .contains("atelier_device_up{device=\"cpu:0\"} 1.0")
                .contains("atelier_device_inflight{device=\"cpu:1\"}")
                .contains("atelier_queue_depth{model=\"small\",version=\"1\"} 0.0");
    }

    @Test
    void withoutTracingNothingOfItRuns() throws Exception {
        ok(client.post(INFER, infer(1, 1), "traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
                .join());

        assertThat(tracing).isSameAs(Tracing.OFF);
        assertThat(Tracing.OFF.observing(ServingListener.NONE)).isSameAs(ServingListener.NONE);
        assertThat(exemplars).isEmpty();
        assertThat(Thread.getAllStackTraces().keySet())
                .extracting(Thread::getName)
                .noneMatch(name -> name.contains("SpanProcessor"));
    }

    @Test
    void countsWhatAModelDoesExactly() throws Exception {
        long before = System.currentTimeMillis();
        for (int rows : new int[] {1, 1, 2, 1}) {
            ok(client.post(COUNTED, infer(rows, rows == 1 ? "7" : "7,8")).join());
        }

        JsonNode stats = counted();
        assertThat(stats.get("name").asText()).isEqualTo("counted");
        assertThat(stats.get("version").asText()).isEqualTo("1");
        assertThat(stats.get("last_inference").asLong()).isBetween(before, System.currentTimeMillis());
        assertThat(stats.get("inference_count").asInt()).isEqualTo(5);
        assertThat(stats.get("execution_count").asInt()).isEqualTo(4);
        JsonNode inference = stats.get("inference_stats");
        for (String name : List.of("success", "queue", "compute_input", "compute_infer", "compute_output")) {
            assertThat(inference.at("/" + name + "/count").asInt()).as(name).isEqualTo(4);
        }
        for (String name : List.of("fail", "cancel", "cache_hit", "cache_miss")) {
            assertThat(inference.get(name)).as(name).hasToString("{\"count\":0,\"ns\":0}");
        }
        long took = inference.at("/success/ns").asLong();
        assertThat(took).isPositive();
        assertThat(inference.at("/queue/ns").asLong()
                        + inference.at("/compute_input/ns").asLong()
                        + inference.at("/compute_infer/ns").asLong()
                        + inference.at("/compute_output/ns").asLong())
                .isPositive()
                .isLessThanOrEqualTo(took);
        assertThat(stats.get("batch_stats")).hasSize(2);
        assertThat(stats.at("/batch_stats/0/batch_size").asInt()).isEqualTo(1);
        assertThat(stats.at("/batch_stats/0/compute_infer/count").asInt()).isEqualTo(3);
        assertThat(stats.at("/batch_stats/1/batch_size").asInt()).isEqualTo(2);
        assertThat(stats.at("/batch_stats/1/compute_infer/count").asInt()).isEqualTo(1);
        assertThat(stats.get("memory_usage")).isEmpty();
        assertThat(ok(client.get("/v2/models/counted/versions/1/stats").join()).at("/model_stats/0"))
                .isEqualTo(stats);
        assertThat(ok(client.get("/v2/models/stats").join()).get("model_stats").findValuesAsText("name"))
                .contains("counted", "fake", "small")
                .doesNotContain("misfit");

        // what does not execute does not count as an execution
        problem(
                client.post(COUNTED, infer(1, "1"), "Request-Timeout", "0.000001")
                        .join(),
                504,
                "DEADLINE_EXCEEDED");
        List<CompletableFuture<HttpResponse<String>>> taken = occupyBothDevices("/v2/models/holder/infer");
        problem(
                client.post(COUNTED, infer(1, "1"), "Request-Timeout", "0.05").get(20, TimeUnit.SECONDS),
                504,
                "DEADLINE_EXCEEDED");
        CompletableFuture<?> cancelled = hangUpWhileQueued(COUNTED, infer(1, "1"));
        assertThat(cancelled).failsWithin(Duration.ofSeconds(20));
        letGo();
        for (CompletableFuture<HttpResponse<String>> answer : taken) {
            ok(answer.get(20, TimeUnit.SECONDS));
        }
        engine.breakOn(number -> number == 13);
        problem(client.post(COUNTED, infer(1, "13")).get(20, TimeUnit.SECONDS), 500, "ENGINE_FAILURE");
        engine.breakOn(number -> false);
        ok(client.post(COUNTED, infer(1, "14")).join());

        stats = counted();
        inference = stats.get("inference_stats");
        assertThat(stats.get("execution_count").asInt()).isEqualTo(5);
        assertThat(stats.get("inference_count").asInt()).isEqualTo(6);
        assertThat(inference.at("/success/count").asInt()).isEqualTo(5);
        assertThat(inference.at("/queue/count").asInt()).isEqualTo(5);
        assertThat(inference.at("/compute_infer/count").asInt()).isEqualTo(5);
        assertThat(inference.at("/fail/count").asInt()).isEqualTo(4);
        assertThat(inference.at("/cancel/count").asInt()).isEqualTo(1);
        assertThat(inference.at("/fail/ns").asLong())
                .isGreaterThanOrEqualTo(inference.at("/cancel/ns").asLong() + 50_000_000);
    }

    private JsonNode counted() {
        return ok(client.get("/v2/models/counted/stats").join()).at("/model_stats/0");
    }

    @Test
    void showsHowAModelIsServed() {
        JsonNode config = ok(client.get("/v2/models/counted/config").join());

        assertThat(config)
                .isEqualTo(ok(client.get("/v2/models/counted/versions/1/config").join()));
        assertThat(config)
                .hasToString("{\"name\":\"counted\",\"platform\":\"onnxruntime_onnx\",\"backend\":\"onnxruntime\","
                        + "\"version_policy\":{\"specific\":{\"versions\":[1]}},\"max_batch_size\":4,"
                        + "\"input\":[{\"name\":\"x\",\"data_type\":\"TYPE_FP32\",\"dims\":[-1]}],"
                        + "\"output\":[{\"name\":\"y\",\"data_type\":\"TYPE_FP32\",\"dims\":[-1]}],"
                        + "\"instance_group\":[{\"name\":\"cpu:0\",\"kind\":\"KIND_CPU\",\"count\":1,\"gpus\":[]},"
                        + "{\"name\":\"cpu:1\",\"kind\":\"KIND_CPU\",\"count\":1,\"gpus\":[]}],"
                        + "\"default_model_filename\":\"model.onnx\","
                        + "\"dynamic_batching\":{\"max_queue_delay_microseconds\":0,\"priority_levels\":10,"
                        + "\"default_priority_level\":5,\"default_queue_policy\":{\"timeout_action\":\"REJECT\","
                        + "\"default_timeout_microseconds\":0,\"allow_timeout_override\":false,"
                        + "\"max_queue_size\":2048}},"
                        + "\"parameters\":{\"atelier.batching\":{\"string_value\":\"rows\"},"
                        + "\"atelier.batching.reason\":{\"string_value\":\"shown at load\"}}}");
        assertThat(ok(client.get("/v2/models/fake/config").join()).get("version_policy"))
                .hasToString("{\"latest\":{\"num_versions\":1}}");
    }

    @Test
    void modelsAreNotChangedUnlessThatIsConfigured() {
        for (String path : List.of("fake/load", "fake/unload", "nobody/load")) {
            HttpResponse<String> refused =
                    client.post("/v2/repository/models/" + path, "").join();
            problem(refused, 403, "FORBIDDEN");
            assertThat(json(refused).get("error").asText())
                    .isEqualTo("explicit model load / unload is not allowed, since atelier.model-control is none");
        }
        assertThat(ok(client.post("/v2/repository/index", "").join()).findValuesAsText("name"))
                .contains("fake", "small", "misfit", "misspelt");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/v2",
                "/v2/",
                "/v2?test_1=1&test_2=2",
                "/v2/health/live/",
                "/v2/health/ready?test_1=1",
                "/v2/models/fake",
                "/v2/models/fake/",
                "/v2/models/fake?test_1=1",
                "/v2/models/fake/versions/1",
                "/v2/models/fake/versions/1/",
                "/v2/models/fake/ready",
                "/v2/models/fake/versions/1/ready?test_1=1",
                "/v2/models/fake/config/",
                "/v2/models/fake/versions/1/config",
                "/v2/models/fake/stats",
                "/v2/models/fake/versions/1/stats/",
                "/v2/models/stats",
                "/v2/models/stats/?test_1=1",
                "/v1/models",
                "/v1/models/fake",
            })
    void answersAtEveryFormOfAPath(String path) {
        ok(client.get(path).join());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/ready", "/config", "/stats"})
    void anUnknownModelOrVersionIsNotFound(String path) {
        for (String model : List.of("nobody", "fake/versions/2", "fake/versions/01")) {
            HttpResponse<String> unknown =
                    client.get("/v2/models/" + model + path).join();
            problem(unknown, 404, "MODEL_NOT_FOUND");
            assertThat(json(unknown).get("error").asText()).startsWith("Request for unknown model: '");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "/v2/models/fake/infer, POST",
        "/v2/models/fake/versions/1/infer, POST",
        "/v2/repository/index, POST",
        "/v2/repository/models/fake/load, POST",
        "/v1/models/fake:predict, POST",
    })
    void aWrongVerbIsToldTheRightOne(String path, String allowed) {
        problem(client.get(path).join(), 405, "METHOD_NOT_ALLOWED");
        assertThat(String.join(",", client.get(path).join().headers().allValues("Allow")))
                .contains(allowed);
        HttpResponse<String> posted =
                client.post("/v2/models/fake/config", "{}").join();
        problem(posted, 405, "METHOD_NOT_ALLOWED");
        assertThat(String.join(",", posted.headers().allValues("Allow"))).contains("GET");
    }

    private void letGo() {
        engine.letGo(FIRST);
        engine.letGo(SECOND);
    }

    private record Answered(HttpResponse<String> answer, Duration after) {}

    private List<CompletableFuture<HttpResponse<String>>> askAtOnce(int count) {
        List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            answers.add(client.post(INFER, infer(1, i)));
        }
        return answers;
    }

    /** Asks until a request hangs on the device that was told to; the others are answered at once. */
    private CompletableFuture<Answered> hangOneRequest(Duration timeout) throws Exception {
        String seconds = Double.toString(timeout.toNanos() / 1e9);
        CompletableFuture<Void> hanging = engine.hanging(FIRST);
        while (true) {
            long asked = System.nanoTime();
            CompletableFuture<Answered> answer = client.post(INFER, infer(1, 6000), "Request-Timeout", seconds)
                    .thenApply(response -> new Answered(response, Duration.ofNanos(System.nanoTime() - asked)));
            CompletableFuture.anyOf(hanging, answer).get(20, TimeUnit.SECONDS);
            if (hanging.isDone()) {
                return answer;
            }
            ok(answer.join().answer());
        }
    }

    /** Hangs both devices with a request each, until {@link #letGo}. */
    private List<CompletableFuture<HttpResponse<String>>> occupyBothDevices() throws Exception {
        return occupyBothDevices(SMALL);
    }

    private List<CompletableFuture<HttpResponse<String>>> occupyBothDevices(String path) throws Exception {
        engine.hang(FIRST);
        engine.hang(SECOND);
        List<CompletableFuture<HttpResponse<String>>> taken =
                List.of(client.post(path, infer(1, 5001)), client.post(path, infer(1, 5002)));
        engine.awaitHanging(FIRST);
        engine.awaitHanging(SECOND);
        service.awaitAsked(2);
        return taken;
    }

    /** Sends a request, and hangs up when it waits; its answer-to-be. */
    private CompletableFuture<?> hangUpWhileQueued(String path, String body) throws Exception {
        service.forget();
        try (Socket socket = new Socket("localhost", RestAssured.port)) {
            socket.getOutputStream()
                    .write(("POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + body.length() + "\r\n\r\n"
                                    + body)
                            .getBytes(UTF_8));
            CompletableFuture<?> queued = service.nextAsked();
            assertThat(queued).isNotDone();
            return queued;
        }
    }

    private JsonNode device(DeviceId id) {
        for (JsonNode device : ok(client.get("/v2/devices").join()).get("devices")) {
            if (device.get("id").asText().equals(id.toString())) {
                return device;
            }
        }
        throw new AssertionError("no device " + id);
    }

    private static void problem(HttpResponse<String> answer, int status, String code) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/problem+json");
        JsonNode problem = json(answer);
        assertThat(problem.get("code").asText()).isEqualTo(code);
        assertThat(problem.get("status").asInt()).isEqualTo(status);
        assertThat(problem.get("error").asText()).isNotEmpty();
    }

    private static String infer(int rows, float number) {
        return infer(rows, Float.toString(number));
    }

    private static String infer(int rows, String numbers) {
        return "{\"inputs\":[" + input(rows, numbers) + "]}";
    }

    private static String input(int rows, float number) {
        return input(rows, Float.toString(number));
    }

    private static String input(int rows, String numbers) {
        return "{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[" + rows + ",1],\"data\":[" + numbers + "]}";
    }
}
