package io.atelier.api;

import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.emptyOrNullString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.hasKey;
import static org.hamcrest.Matchers.hasSize;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.nullValue;
import static org.hamcrest.Matchers.startsWith;

import io.atelier.core.InferenceResult;
import io.atelier.core.ServingException;
import io.atelier.serving.ServingStatus;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.RestAssured;
import io.restassured.response.ValidatableResponse;
import jakarta.inject.Inject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.Base64;
import java.util.Collections;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.eclipse.microprofile.faulttolerance.exceptions.BulkheadException;
import org.eclipse.microprofile.faulttolerance.exceptions.CircuitBreakerOpenException;
import org.eclipse.microprofile.faulttolerance.exceptions.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@QuarkusTest
class ApiComponentTest {
    private static final String INFER_PATH = "/v2/models/echo/infer";
    private static final String INFER = """
            {"id":"7","inputs":[
              {"name":"x","shape":[1,2],"datatype":"FP32","data":[[0.1,-2]]},
              {"name":"y","shape":[1,1],"datatype":"INT64","data":[9007199254740993]}]}""";
    private static final String INFERRED = "{\"model_name\":\"echo\",\"model_version\":\"1\",\"id\":\"7\",\"outputs\":["
            + "{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1,2],\"data\":[0.1,-2.0]},"
            + "{\"name\":\"y\",\"datatype\":\"INT64\",\"shape\":[1,1],\"data\":[9007199254740993]}]}";
    private static final String EMBED = "{\"model\":\"embedder\",\"input\":[\"abc\",\"de\"]}";

    @Inject
    StubInferenceService service;

    @AfterEach
    void reset() {
        service.reset();
    }

    // -- inference

    @ParameterizedTest
    @ValueSource(strings = {INFER_PATH, "/v2/models/echo/versions/1/infer", INFER_PATH + "?test_1=1&test_2=2"})
    void answersTensorsOnTheEventLoop(String path) {
        String body = given().body(INFER)
                .post(path)
                .then()
                .statusCode(200)
                .contentType("application/json")
                .extract()
                .asString();

        assertThat(body).isEqualTo(INFERRED);
        assertThat(service.lastThread.getName()).contains("eventloop");
        assertThat(service.lastTimeout)
                .isBetween(StubInferenceService.MODEL_TIMEOUT.minusSeconds(2), StubInferenceService.MODEL_TIMEOUT);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "Content-Type: application/octet-stream\r\n",
                "Content-Type: text/plain\r\n",
                "Content-Type: nonsense\r\n",
                "Accept: text/html\r\n",
            })
    void answersWhateverTheContentType(String header) throws IOException {
        assertThat(exchange(post(INFER_PATH, header, INFER)))
                .startsWith("HTTP/1.1 200 ")
                .endsWith(INFERRED);
    }

    @Test
    void takesChunkedAndCompressedBodies() throws IOException {
        String chunked = "POST " + INFER_PATH
                + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                + chunk(INFER.substring(0, 50)) + chunk(INFER.substring(50)) + chunk("");
        assertThat(exchange(chunked.getBytes(UTF_8)))
                .startsWith("HTTP/1.1 200 ")
                .endsWith(INFERRED);

        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (OutputStream gzip = new GZIPOutputStream(bytes)) {
            gzip.write(INFER.getBytes(UTF_8));
        }
        byte[] compressed = bytes.toByteArray();
        assertThat(exchange(post(INFER_PATH, "Content-Encoding: gzip\r\n", compressed)))
                .startsWith("HTTP/1.1 200 ")
                .endsWith(INFERRED);
    }

    @Test
    void saysContinueToAClientThatAsks() throws IOException {
        assertThat(exchange(post(INFER_PATH, "Expect: 100-continue\r\n", INFER)))
                .startsWith("HTTP/1.1 100 Continue")
                .endsWith(INFERRED);
    }

    @Test
    void readsLargeBodiesOnAWorkerThreadAndAnswersThemWhole() {
        String data = IntStream.range(0, 40_000).mapToObj(i -> i + ".5").collect(Collectors.joining(","));
        String body = "{\"inputs\":[{\"name\":\"x\",\"shape\":[1,40000],\"datatype\":\"FP32\",\"data\":[" + data
                + "]},{\"name\":\"y\",\"shape\":[1,1],\"datatype\":\"INT64\",\"data\":[1]}],"
                + "\"outputs\":[{\"name\":\"x\"}]}";

        String response = given().body(body)
                .post(INFER_PATH)
                .then()
                .statusCode(200)
                .extract()
                .asString();

        assertThat(response).endsWith("\"data\":[" + data + "]}]}").doesNotContain("\"id\"");
        assertThat(service.lastThread.getName()).contains("executor-thread");
    }

    @Test
    void answersWhicheverThreadCompletesTheFuture() {
        CompletableFuture<InferenceResult> pending = new CompletableFuture<>();
        service.answer = request -> {
            Thread device = new Thread(
                    () -> pending.complete(StubInferenceService.echo(request).join()), "device-thread");
            device.start();
            return pending;
        };
        given().body(INFER).post(INFER_PATH).then().statusCode(200).body(equalTo(INFERRED));
    }

    @Test
    void refusesWhatDoesNotFitTheModel() {
        problem(given().body(INFER.replace("[1,2]", "[1,3]")).post(INFER_PATH).then(), 400, "INVALID_INPUT")
                .body("detail", equalTo("input 'x' has 2 elements of data, shape [1,3] needs 3"));
        problem(given().body("").post(INFER_PATH).then(), 400, "INVALID_INPUT")
                .body("error", equalTo("the body is empty"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v2/models/no/infer", "/v2/models/echo/versions/2/infer", "/v2/models/a%2Fb/infer"})
    void saysWhichModelIsUnknown(String path) {
        problem(given().urlEncodingEnabled(false).body(INFER).post(path).then(), 404, "MODEL_NOT_FOUND")
                .body("error", startsWith("Request for unknown model"));
    }

    // -- deadlines

    @ParameterizedTest
    @CsvSource({"0.25, 0.25", "3, 3", "100, 5"})
    void aCallerCanOnlyShortenTheTimeout(String header, double expectedSeconds) {
        given().header("Request-Timeout", header)
                .body(INFER)
                .post(INFER_PATH)
                .then()
                .statusCode(200);

        assertTimeout(expectedSeconds);
    }

    @Test
    void theShorterOfParameterAndHeaderCounts() {
        String body = INFER.replace("{\"id\"", "{\"parameters\":{\"timeout\":2000000},\"id\"");
        given().body(body).post(INFER_PATH).then().statusCode(200);
        assertTimeout(2);
        given().header("Request-Timeout", "4")
                .body(body)
                .post(INFER_PATH)
                .then()
                .statusCode(200);
        assertTimeout(2);
        given().header("Request-Timeout", "1.5")
                .body(body)
                .post(INFER_PATH)
                .then()
                .statusCode(200);
        assertTimeout(1.5);
    }

    @Test
    void aTimeoutOfZeroIsTheModelsOwn() {
        String body = INFER.replace("{\"id\"", "{\"parameters\":{\"timeout\":0},\"id\"");
        given().header("Request-Timeout", "4")
                .body(body)
                .post(INFER_PATH)
                .then()
                .statusCode(200);
        assertTimeout(4);
        given().body(body).post(INFER_PATH).then().statusCode(200);
        assertTimeout(5);
    }

    @Test
    void aTimeoutThatHasPassedIsNotExecuted() {
        service.answer = request -> {
            throw new AssertionError("executed");
        };
        String body = INFER.replace("{\"id\"", "{\"parameters\":{\"timeout\":1},\"id\"");
        problem(given().body(body).post(INFER_PATH).then(), 504, "DEADLINE_EXCEEDED");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "0.0", "-1", "x", "", "1e3", "NaN", "99999999999"})
    void refusesATimeoutThatIsNoPositiveNumber(String header) {
        problem(
                        given().header("Request-Timeout", header)
                                .body(INFER)
                                .post(INFER_PATH)
                                .then(),
                        400,
                        "INVALID_INPUT")
                .body("error", equalTo("header Request-Timeout is not a positive number of seconds"));
    }

    private void assertTimeout(double seconds) {
        Duration asked = Duration.ofNanos((long) (seconds * 1e9));
        assertThat(service.lastTimeout).isBetween(asked.minusSeconds(1), asked);
    }

    // -- failures

    static Stream<Arguments> failures() {
        return Stream.of(
                Arguments.of(new ServingException.InvalidInput("no"), 400, "INVALID_INPUT", null),
                Arguments.of(new ServingException.ModelNotFound("m", null), 404, "MODEL_NOT_FOUND", null),
                Arguments.of(new ServingException.PayloadTooLarge("big"), 413, "PAYLOAD_TOO_LARGE", null),
                Arguments.of(new ServingException.Overloaded("full", Duration.ofMillis(2100)), 429, "OVERLOADED", "3"),
                Arguments.of(new ServingException.Overloaded("full", Duration.ZERO), 429, "OVERLOADED", "1"),
                Arguments.of(
                        new ServingException.EngineFailure("failed", new IOException("/etc/secret")),
                        500,
                        "ENGINE_FAILURE",
                        null),
                Arguments.of(new ServingException.NotReady("loading", Duration.ofSeconds(2)), 503, "NOT_READY", "2"),
                Arguments.of(new ServingException.DeadlineExceeded("late"), 504, "DEADLINE_EXCEEDED", null),
                Arguments.of(new TimeoutException("guard"), 504, "DEADLINE_EXCEEDED", null),
                Arguments.of(new BulkheadException("guard"), 429, "OVERLOADED", "1"),
                Arguments.of(new CircuitBreakerOpenException("guard"), 503, "NOT_READY", "1"),
                Arguments.of(new IllegalStateException("/etc/secret"), 500, "INTERNAL_ERROR", null));
    }

    @ParameterizedTest
    @MethodSource("failures")
    void everyFailureIsOneProblemBody(RuntimeException failure, int status, String code, String retryAfter) {
        service.answer = request -> CompletableFuture.failedFuture(failure);
        ValidatableResponse direct = problem(
                        given().body(INFER).post(INFER_PATH).then(), status, code)
                .body(not(containsString("secret")));
        if (retryAfter == null) {
            direct.header("Retry-After", nullValue());
        } else {
            direct.header("Retry-After", retryAfter);
        }

        service.answer = request -> CompletableFuture.supplyAsync(() -> {
            throw new CompletionException(failure);
        });
        problem(given().body(INFER).post(INFER_PATH).then(), status, code);

        service.answer = request -> {
            throw failure;
        };
        problem(given().body(INFER).post(INFER_PATH).then(), status, code);

        service.prediction = values -> CompletableFuture.failedFuture(failure);
        given().body(EMBED)
                .post("/v1/embeddings")
                .then()
                .statusCode(status)
                .contentType("application/problem+json")
                .body("status", equalTo(status))
                .body("error.message", not(emptyOrNullString()))
                .body("error.type", not(emptyOrNullString()))
                .body("error", hasKey("param"))
                .body("error.code", equalTo(code.toLowerCase(Locale.ROOT)));
    }

    @Test
    void aCancelledRequestGetsNoBody() {
        service.answer = request -> CompletableFuture.failedFuture(new ServingException.Cancelled());
        given().body(INFER).post(INFER_PATH).then().statusCode(499).body(emptyOrNullString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                INFER_PATH,
                "/v2/models/echo/versions/1/infer",
                "/v1/embeddings",
            })
    void aWrongVerbIsRefused(String path) {
        given().get(path).then().statusCode(405).contentType("application/problem+json");
        given().put(path).then().statusCode(405).contentType("application/problem+json");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"/v2", "/v2/health/live", "/v2/models/echo", "/v2/models/echo/versions/1/ready", "/v2/devices"})
    void readingIsNotWriting(String path) {
        problem(given().body("{}").post(path).then(), 405, "METHOD_NOT_ALLOWED");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/v3", "/v2/nothing", "/v2/models/echo/nothing", "/v2/models"})
    void anUnknownPathIsRefused(String path) {
        problem(given().get(path).then(), 404, "NOT_FOUND");
    }

    @Test
    void aRefusedBodyDoesNotHoldUpTheNextRequestOfItsConnection() throws IOException {
        byte[] refused = ("POST /v2/devices HTTP/1.1\r\nHost: a\r\nContent-Length: " + INFER.length() + "\r\n\r\n"
                        + INFER)
                .getBytes(UTF_8);
        ByteArrayOutputStream both = new ByteArrayOutputStream();
        both.write(refused);
        both.write(post(INFER_PATH, "", INFER));
        assertThat(exchange(both.toByteArray())).startsWith("HTTP/1.1 405 ").endsWith(INFERRED);
    }

    // -- bodies that are too large

    @Test
    void aDeclaredLengthAboveTheLimitIsRefusedUnread() throws IOException {
        String response =
                exchange(("POST " + INFER_PATH + " HTTP/1.1\r\nHost: a\r\nContent-Length: 99000000000\r\n\r\n{")
                        .getBytes(UTF_8));
        assertThat(response)
                .startsWith("HTTP/1.1 413 ")
                .contains(
                        "application/problem+json", "\"code\":\"PAYLOAD_TOO_LARGE\"", "\"error\":\"the body is larger");
    }

    @Test
    void aChunkedBodyIsCutAtTheLimit() throws IOException {
        ByteArrayOutputStream request = new ByteArrayOutputStream();
        request.write(
                ("POST " + INFER_PATH + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").getBytes(UTF_8));
        byte[] chunk = chunk(" ".repeat(1 << 20)).getBytes(UTF_8);
        for (int mebibytes = 0; mebibytes < 65; mebibytes++) {
            request.write(chunk);
        }
        request.write(chunk("").getBytes(UTF_8));
        assertThat(exchange(request.toByteArray()))
                .startsWith("HTTP/1.1 413 ")
                .contains("application/problem+json", "\"code\":\"PAYLOAD_TOO_LARGE\"");
    }

    // -- clients that go away

    @Test
    void aClientThatGoesAwayCancelsItsRequest() throws Exception {
        CompletableFuture<InferenceResult> pending = new CompletableFuture<>();
        CountDownLatch asked = new CountDownLatch(1);
        CompletableFuture<Boolean> cancelled =
                pending.handle((result, failure) -> failure instanceof CancellationException);
        service.answer = request -> {
            asked.countDown();
            return pending;
        };
        try (Socket client = new Socket("localhost", RestAssured.port)) {
            client.getOutputStream().write(post(INFER_PATH, "", INFER));
            assertThat(asked.await(10, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(cancelled.get(10, TimeUnit.SECONDS)).isTrue();
    }

    // -- metadata, health, devices

    @ParameterizedTest
    @ValueSource(strings = {"/v2", "/v2/"})
    void saysWhatItIs(String path) {
        given().get(path)
                .then()
                .statusCode(200)
                .contentType("application/json")
                .body("name", equalTo("atelier"))
                .body("version", not(emptyOrNullString()))
                .body("extensions", hasItem("schedule_policy"));
    }

    @Test
    void saysWhetherItLivesAndIsReady() {
        given().get("/v2/health/live").then().statusCode(200).body(equalTo("{\"live\":true}"));
        given().get("/v2/health/ready").then().statusCode(200).body(equalTo("{\"ready\":true}"));
        assertThat(service.lastThread.getName()).contains("eventloop");

        service.status = new ServingStatus(false, false, true, Map.of());

        given().get("/v2/health/live").then().statusCode(503).body(equalTo("{\"live\":false}"));
        given().get("/v2/health/ready").then().statusCode(503).body(equalTo("{\"ready\":false}"));
    }

    @Test
    void answersProbesWithWhatStandsBehindThem() {
        service.status = new ServingStatus(true, false, true, Map.of("gpu:0", "quarantined: hang"));

        given().get("/q/health/live").then().statusCode(200).body("status", equalTo("UP"));
        given().get("/q/health/started").then().statusCode(200).body("status", equalTo("UP"));
        given().get("/q/health/ready")
                .then()
                .statusCode(503)
                .body("status", equalTo("DOWN"))
                .body("checks.find { it.name == 'serving' }.data.'gpu:0'", equalTo("quarantined: hang"));
        assertThat(service.lastThread.getName()).contains("eventloop");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v2/models/echo", "/v2/models/echo/versions/1"})
    void describesAModel(String path) {
        given().get(path)
                .then()
                .statusCode(200)
                .body("name", equalTo("echo"))
                .body("versions", contains("1"))
                .body("platform", equalTo("onnxruntime_onnx"))
                .body("inputs.name", contains("x", "y"))
                .body("inputs[0].datatype", equalTo("FP32"))
                .body("inputs[0].shape", contains(-1, -1))
                .body("outputs.name", contains("x", "y"));
        problem(given().get("/v2/models/no").then(), 404, "MODEL_NOT_FOUND");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v2/models/echo/ready", "/v2/models/echo/versions/1/ready"})
    void saysWhetherAModelIsReady(String path) {
        given().get(path).then().statusCode(200).body(equalTo("{\"name\":\"echo\",\"ready\":true}"));
        service.modelReady = false;
        given().get(path).then().statusCode(503).body(equalTo("{\"name\":\"echo\",\"ready\":false}"));
        problem(given().get(path.replace("echo", "no")).then(), 404, "MODEL_NOT_FOUND");
    }

    @Test
    void listsDevices() {
        given().get("/v2/devices")
                .then()
                .statusCode(200)
                .body("devices", hasSize(1))
                .body("devices[0].id", equalTo("gpu:0"))
                .body("devices[0].kind", equalTo("gpu"))
                .body("devices[0].state", equalTo("ready"))
                .body("devices[0].slots", equalTo(2))
                .body("devices[0].threads", contains("gpu-0-0", "gpu-0-1"))
                .body("devices[0].running[0].model", equalTo("echo"))
                .body("devices[0].running[0].for_seconds", equalTo(0.25f))
                .body("devices[0].models[0].version", equalTo("1"))
                .body("devices[0].counters.busy_seconds", equalTo(1.5f));
    }

    @Test
    void describesItselfAsOpenApi() {
        given().get("/q/openapi?format=json")
                .then()
                .statusCode(200)
                .body("paths", hasKey("/v2/models/{model}/infer"))
                .body("paths", hasKey("/v1/embeddings"))
                .body("components.requestBodies.inference.content", hasKey("application/json"))
                .body("paths.'/v2/models/{model}/infer'.post.responses", hasKey("429"));
    }

    // -- embeddings

    @Test
    void embedsTexts() {
        given().body(EMBED)
                .post("/v1/embeddings")
                .then()
                .statusCode(200)
                .contentType("application/json")
                .body("object", equalTo("list"))
                .body("model", equalTo("embedder"))
                .body("data.object", contains("embedding", "embedding"))
                .body("data.index", contains(0, 1))
                .body("data[0].embedding", contains(3f, 0.5f, -1f))
                .body("usage.prompt_tokens", equalTo(5))
                .body("usage.total_tokens", equalTo(5));
        assertThat(service.lastThread.getName()).contains("eventloop");
    }

    @Test
    void embedsOneTextAsBase64() {
        String text = given().body("{\"input\":\"abcd\",\"model\":\"embedder\",\"encoding_format\":\"base64\","
                        + "\"dimensions\":3,\"user\":\"me\"}")
                .post("/v1/embeddings")
                .then()
                .statusCode(200)
                .body("data", hasSize(1))
                .extract()
                .path("data[0].embedding");

        ByteBuffer raw = ByteBuffer.wrap(Base64.getDecoder().decode(text)).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(new float[] {raw.getFloat(), raw.getFloat(), raw.getFloat()}).containsExactly(4, 0.5f, -1);
        assertThat(raw.hasRemaining()).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{} | model is missing",
                "{\"model\":\"embedder\"} | input is missing",
                "{\"model\":1,\"input\":\"a\"} | model is a number, not a string",
                "{\"model\":\"embedder\",\"input\":\"\"} | input is an empty string",
                "{\"model\":\"embedder\",\"input\":[]} | input is an empty list",
                "{\"model\":\"embedder\",\"input\":[\"a\",\"\"]} | input[1] is an empty string",
                "{\"model\":\"embedder\",\"input\":[\"a\",null]} | input[1] is null, not a string",
                "{\"model\":\"embedder\",\"input\":[1,2]} | input[0]: token ids are not supported, send text",
                "{\"model\":\"embedder\",\"input\":[[1,2]]} | input[0]: token ids are not supported, send text",
                "{\"model\":\"embedder\",\"input\":{}} | input is an object, not a string or a list of strings",
                "{\"model\":\"embedder\",\"input\":\"a\",\"encoding_format\":\"hex\"} | encoding_format is 'hex', not float or base64",
                "{\"model\":\"embedder\",\"input\":\"a\",\"dimensions\":4} | dimensions is 4, the model's vectors have 3",
                "{\"model\":\"embedder\",\"input\":\"a\",\"dimensions\":\"4\"} | dimensions is not an integer",
            })
    void refusesInOpenAisForm(String body, String detail) {
        given().body(body)
                .post("/v1/embeddings")
                .then()
                .statusCode(400)
                .body("error.message", equalTo(detail))
                .body("error.type", equalTo("invalid_request_error"))
                .body("error.param", nullValue())
                .body("error.code", equalTo("invalid_input"));
    }

    @Test
    void refusesTooManyTextsAndAnUnknownModel() {
        String texts = String.join(",", Collections.nCopies(2049, "\"a\""));
        given().body("{\"model\":\"embedder\",\"input\":[" + texts + "]}")
                .post("/v1/embeddings")
                .then()
                .statusCode(400)
                .body("error.message", equalTo("input has more than 2048 texts"));
        given().body("{\"model\":\"echo\",\"input\":\"a\"}")
                .post("/v1/embeddings")
                .then()
                .statusCode(400)
                .body("error.message", equalTo("model 'echo' does not embed texts"));
        given().body("{\"model\":\"no\",\"input\":\"a\"}")
                .post("/v1/embeddings")
                .then()
                .statusCode(404)
                .body("error.code", equalTo("model_not_found"));
    }

    // -- helpers

    private static ValidatableResponse problem(ValidatableResponse response, int status, String code) {
        return response.statusCode(status)
                .contentType("application/problem+json")
                .body("type", startsWith("urn:atelier:problem:"))
                .body("title", not(emptyOrNullString()))
                .body("status", equalTo(status))
                .body("detail", not(emptyOrNullString()))
                .body("code", equalTo(code))
                .body("error", not(emptyOrNullString()));
    }

    private static byte[] post(String path, String headers, String body) {
        return post(path, headers, body.getBytes(UTF_8));
    }

    private static byte[] post(String path, String headers, byte[] body) {
        byte[] head = ("POST " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + headers + "Content-Length: "
                        + body.length + "\r\n\r\n")
                .getBytes(UTF_8);
        return ByteBuffer.allocate(head.length + body.length)
                .put(head)
                .put(body)
                .array();
    }

    private static String chunk(String data) {
        return Integer.toHexString(data.length()) + "\r\n" + data + "\r\n";
    }

    /** Everything that the server says to these bytes, until it closes the connection. */
    private String exchange(byte[] request) throws IOException {
        try (Socket client = new Socket("localhost", RestAssured.port)) {
            client.setSoTimeout(20_000);
            client.getOutputStream().write(request);
            return new String(client.getInputStream().readAllBytes(), UTF_8);
        }
    }
}
