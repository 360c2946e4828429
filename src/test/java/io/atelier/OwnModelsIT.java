package io.atelier;

import static io.atelier.testing.ServiceClient.json;
import static io.atelier.testing.ServiceClient.ok;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.atelier.testing.ServiceClient;
import io.atelier.testing.SuiteService;
import io.quarkus.test.junit.QuarkusIntegrationTest;
import io.quarkus.test.junit.TestProfile;
import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Several models on two devices of two slots, as the service is packaged: what they answer and refuse. */
@QuarkusIntegrationTest
@TestProfile(SuiteService.class)
@Timeout(180)
class OwnModelsIT {
    /** Longer than any test waits; its run is ended when nobody waits any more. */
    private static final String ENDLESS = "1000000000000";

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private ServiceClient client;

    @BeforeEach
    void awaitTheModels() {
        client = ServiceClient.ofTestedService();
        client.awaitStatus("/q/health/started", 200, Duration.ofSeconds(60));
    }

    private CompletableFuture<HttpResponse<String>> infer(
            String model, String type, String shape, String data, String... headers) {
        String body = """
                {"inputs": [{"name": "INPUT0", "datatype": "%s", "shape": %s, "data": %s}]}""".formatted(type, shape, data);
        return client.post("/v2/models/" + model + "/infer", body, headers);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "FP32 | [0.5,-2.0]",
                "FP64 | [0.1,1.0E300]",
                "INT8 | [-128,127]",
                "UINT8 | [0,255]",
                "INT16 | [-32768,32767]",
                "INT32 | [-2147483648,2147483647]",
                "INT64 | [-9223372036854775808,9223372036854775807]",
                "BOOL | [true,false]",
                "BYTES | [\"größer\",\"\"]",
            })
    void carriesEveryType(String type, String data) {
        JsonNode answer = ok(infer(type, type, "[1,2]", data).join());

        assertThat(answer.at("/outputs/0/datatype").asText()).isEqualTo(type);
        assertThat(answer.at("/outputs/0/data")).hasToString(data);
    }

    @Test
    void carriesTextsOfThreeAxes() {
        JsonNode answer = ok(
                infer("BYTES3", "BYTES", "[2,2,1]", "[\"a\",\"b\",\"c\",\"d\"]").join());

        assertThat(answer.at("/outputs/0/shape")).hasToString("[2,2,1]");
        assertThat(answer.at("/outputs/0/data")).hasToString("[\"a\",\"b\",\"c\",\"d\"]");
    }

    @Test
    void answersTwoModelsOnEverySlot() {
        List<CompletableFuture<HttpResponse<String>>> sums = new ArrayList<>();
        List<CompletableFuture<HttpResponse<String>>> rows = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            sums.add(client.post("/v2/models/adder/infer", """
                    {"inputs": [{"name": "INPUT0", "datatype": "INT32", "shape": [1,2], "data": [%d,1]},
                                {"name": "INPUT1", "datatype": "INT32", "shape": [1,2], "data": [1,1]}]}""".formatted(i)));
            rows.add(infer("table", "INT64", "[1,1]", "[" + i % 3 + "]"));
        }

        for (int i = 0; i < 64; i++) {
            JsonNode sum = ok(sums.get(i).join());
            assertThat(sum.at("/outputs/0/data")).hasToString("[" + (i + 1) + ",2]");
            assertThat(sum.at("/outputs/1/data")).hasToString("[" + (i - 1) + ",0]");
            assertThat(ok(rows.get(i).join()).at("/outputs/0/data")).hasToString("[" + (i % 3 + 0.5) + "]");
        }
        JsonNode devices = ok(client.get("/v2/devices").join()).get("devices");
        assertThat(devices).hasSize(2);
        assertThat(devices).allSatisfy(device -> {
            assertThat(device.get("state").asText()).isEqualTo("ready");
            assertThat(device.get("slots").asInt()).isEqualTo(2);
            assertThat(device.at("/counters/executions").asInt()).isPositive();
        });
    }

    @Test
    void predictsRows() {
        JsonNode answer = ok(client.post("/v1/models/table:predict", "{\"instances\": [[1], [2]]}")
                .join());

        assertThat(answer.get("predictions")).hasToString("[[1.5],[2.5]]");
    }

    @Test
    void loadsAndUnloadsWhileItServes() {
        ok(client.post("/v2/repository/models/UINT8/unload", "").join());
        problem(infer("UINT8", "UINT8", "[1,2]", "[1,2]").join(), 404, "MODEL_NOT_FOUND");

        ok(client.post("/v2/repository/models/UINT8/load", "").join());
        ok(infer("UINT8", "UINT8", "[1,2]", "[1,2]").join());
    }

    @Test
    void aModelThatCannotBeLoadedLeavesTheOldOneServing() {
        String config = "{\"parameters\": {\"config\": \"{\\\"max_batch_size\\\": -1}\"}}";

        problem(client.post("/v2/repository/models/UINT8/load", config).join(), 400, "LOAD_FAILED");
        problem(client.post("/v2/repository/models/broken/load", "").join(), 400, "LOAD_FAILED");
        problem(client.post("/v2/repository/models/nobody/load", "").join(), 404, "MODEL_NOT_FOUND");

        ok(infer("UINT8", "UINT8", "[1,2]", "[1,2]").join());
    }

    @Test
    void failsARequestThatCannotBeComputedAlone() {
        HttpResponse<String> failed = infer("table", "INT64", "[1,1]", "[7]").join();

        problem(failed, 500, "ENGINE_FAILURE");
        ok(infer("table", "INT64", "[1,1]", "[2]").join());
    }

    /** Two devices of one instance each run two, one waits, and the queue has no room for more. */
    @Test
    void refusesWhatTheQueueDoesNotHoldAndAnswersTheOthersByTheirDeadline() {
        List<HttpResponse<String>> answers = IntStream.range(0, 6)
                .mapToObj(i -> infer("loop", "INT64", "[1]", "[" + ENDLESS + "]", "Request-Timeout", "2"))
                .toList()
                .stream()
                .map(CompletableFuture::join)
                .toList();

        assertThat(answers)
                .extracting(HttpResponse::statusCode)
                .contains(429, 504)
                .containsOnly(429, 504);
        for (HttpResponse<String> answer : answers) {
            if (answer.statusCode() == 429) {
                problem(answer, 429, "OVERLOADED");
                assertThat(answer.headers().firstValueAsLong("Retry-After").orElse(0))
                        .isPositive();
            } else {
                problem(answer, 504, "DEADLINE_EXCEEDED");
            }
        }
        ok(infer("loop", "INT64", "[1]", "[1]").join());
    }

    @Test
    void endsTheRunOfAClientThatHasLeft() throws IOException {
        client.await(PATIENCE, () -> !runs("loop"));
        double before = cancelled("loop");
        String body = """
                {"inputs": [{"name": "INPUT0", "datatype": "INT64", "shape": [1], "data": [%s]}]}""".formatted(ENDLESS);
        try (Socket left =
                new Socket(SuiteService.url().getHost(), SuiteService.url().getPort())) {
            left.getOutputStream()
                    .write(("POST /v2/models/loop/infer HTTP/1.1\r\nHost: a\r\nContent-Length: " + body.length()
                                    + "\r\n\r\n" + body)
                            .getBytes(StandardCharsets.US_ASCII));
            client.await(PATIENCE, () -> runs("loop"));
        }

        client.await(PATIENCE, () -> !runs("loop"));
        assertThat(cancelled("loop")).isEqualTo(before + 1);
    }

    private boolean runs(String model) {
        return ok(client.get("/v2/devices").join())
                .findValues("running")
                .toString()
                .contains('"' + model + '"');
    }

    private double cancelled(String model) {
        return client.get("/q/metrics")
                .join()
                .body()
                .lines()
                .filter(line -> line.startsWith("atelier_requests_total{model=\"" + model + "\",outcome=\"cancelled\""))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
                .sum();
    }

    @ParameterizedTest
    @CsvSource({"broken, 503, NOT_READY", "misspelt, 503, NOT_READY"})
    void reportsAModelThatCannotBeServed(String model, int status, String code) {
        assertThat(client.get("/v2/models/" + model + "/ready").join().statusCode())
                .isEqualTo(status);
        problem(infer(model, "INT32", "[1,2]", "[1,1]").join(), status, code);
        assertThat(ok(client.get("/q/health/ready").join()).toString()).contains("model " + model);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v2", "/v2/devices", "/v2/models/adder"})
    void refusesToAnswerInAnotherMediaType(String path) {
        problem(client.get(path, "Accept", "image/png").join(), 406, "NOT_ACCEPTABLE");
    }

    private static void problem(HttpResponse<String> answer, int status, String code) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(answer.headers().firstValue("Content-Type").orElse("")).startsWith("application/problem+json");
        JsonNode problem = json(answer);
        assertThat(problem.get("code").asText()).isEqualTo(code);
        assertThat(problem.get("error").asText()).isNotEmpty();
    }
}
