package io.atelier.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.matchesPattern;
import static org.hamcrest.Matchers.startsWith;

import io.atelier.core.InferenceRequest;
import io.atelier.core.InferenceResult;
import io.atelier.core.ServingException.DeadlineExceeded;
import io.atelier.core.ServingException.Overloaded;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.restassured.response.Response;
import io.restassured.response.ValidatableResponse;
import jakarta.inject.Inject;
import java.time.Duration;
import java.time.Instant;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedDeque;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Asynchronous requests over real HTTP; the model's answers are the test's. */
@QuarkusTest
@TestProfile(JobsComponentTest.SmallStore.class)
class JobsComponentTest {
    private static final String INFER = "/v2/models/echo/infer";
    private static final String ASYNC = "respond-async";
    private static final String INPUTS = """
            "inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[0.1,-2]},
                      {"name":"y","shape":[1,1],"datatype":"INT64","data":[9007199254740993]}]""";
    private static final String BODY = "{\"id\":\"7\"," + INPUTS + "}";

    /** Room for three jobs. */
    public static class SmallStore implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of("atelier.jobs.max-jobs", "3", "atelier.jobs.max-size", "20K", "atelier.jobs.timeout", "2M");
        }
    }

    @Inject
    StubInferenceService service;

    private final CompletableFuture<InferenceResult> answer = new CompletableFuture<>();
    private final Deque<InferenceRequest> asked = new ConcurrentLinkedDeque<>();

    @AfterEach
    void reset() {
        service.reset();
    }

    @Test
    void theResultIsThatOfTheSameRequestThatWaits() {
        String waited =
                given().body(BODY).post(INFER).then().statusCode(200).extract().asString();

        String job = accept(BODY);

        awaitStatus(job, "succeeded");
        given().get(job + "/result")
                .then()
                .statusCode(200)
                .contentType("application/json")
                .body(equalTo(waited));
        given().delete(job).then().statusCode(200).body("status", equalTo("succeeded"));
        gone(job);
    }

    @Test
    void theResultMayBeBinary() {
        String body = "{\"parameters\":{\"binary_data_output\":true}," + INPUTS + "}";
        Response waited = given().body(body).post(INFER);
        assertThat(waited.header("Inference-Header-Content-Length")).isNotNull();

        String job = accept(body);

        awaitStatus(job, "succeeded");
        Response fetched = given().get(job + "/result");
        assertThat(fetched.statusCode()).isEqualTo(200);
        assertThat(fetched.contentType()).isEqualTo("application/octet-stream");
        assertThat(fetched.header("Inference-Header-Content-Length"))
                .isEqualTo(waited.header("Inference-Header-Content-Length"));
        assertThat(fetched.asByteArray()).isEqualTo(waited.asByteArray());
        given().delete(job).then().statusCode(200);
    }

    @Test
    void saysWhereTheJobIsAndHowLong() {
        hold();

        ValidatableResponse accepted = given().header("Prefer", ASYNC)
                .body(BODY)
                .post("/v2/models/echo/versions/1/infer")
                .then()
                .statusCode(202)
                .header("Preference-Applied", "respond-async")
                .header("Location", matchesPattern("/v2/jobs/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"))
                .contentType("application/json")
                .body("status", equalTo("queued"))
                .body("model_name", equalTo("echo"))
                .body("model_version", equalTo("1"));

        String job = accepted.extract().header("Location");
        assertThat(job).endsWith("/" + accepted.extract().<String>path("id"));
        Instant created = Instant.parse(accepted.extract().path("created"));
        assertThat(Instant.parse(accepted.extract().path("expires"))).isEqualTo(created.plus(Duration.ofMinutes(12)));
        awaitStatus(job, "queued");
        given().get(job + "/result")
                .then()
                .statusCode(409)
                .contentType("application/problem+json")
                .header("Retry-After", "1")
                .body("code", equalTo("JOB_NOT_FINISHED"))
                .body("error", equalTo("the job is queued"));
        given().delete(job).then().statusCode(200).body("status", equalTo("cancelled"));
        assertThat(answer).isCancelled();
        gone(job);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Respond-Async", "wait=5, respond-async", "return=minimal;a=b,respond-async; x=y"})
    void understandsPreferAsItIsWritten(String prefer) {
        hold();

        String job = given().header("Prefer", prefer)
                .body(BODY)
                .post(INFER)
                .then()
                .statusCode(202)
                .extract()
                .header("Location");

        given().delete(job).then().statusCode(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"wait=5", "respond-asynchronously", ""})
    void otherPreferencesAreIgnored(String prefer) {
        given().header("Prefer", prefer).body(BODY).post(INFER).then().statusCode(200);
    }

    @Test
    void isLessUrgentAndMayTakeLongerUnlessItsCallerSaysOtherwise() {
        hold();

        String job = accept(BODY);
        assertThat(asked.getLast().priority()).isEqualTo(8);
        assertThat(service.lastTimeout).isBetween(Duration.ofSeconds(110), Duration.ofMinutes(2));

        String other = accept("{\"parameters\":{\"priority\":2,\"timeout\":1500000}," + INPUTS + "}");
        assertThat(asked.getLast().priority()).isEqualTo(2);
        assertThat(service.lastTimeout).isBetween(Duration.ZERO, Duration.ofMillis(1500));

        given().delete(job).then().statusCode(200);
        given().delete(other).then().statusCode(200);
    }

    @Test
    void aFailureIsKeptAsTheSameRequestWouldHaveMetIt() {
        hold();
        String job = accept(BODY);

        answer.completeExceptionally(new DeadlineExceeded("no result in time"));

        awaitStatus(job, "failed").then().body("error", equalTo("no result in time"));
        given().get(job + "/result")
                .then()
                .statusCode(504)
                .contentType("application/problem+json")
                .body("code", equalTo("DEADLINE_EXCEEDED"))
                .body("error", equalTo("no result in time"));
        given().delete(job).then().statusCode(200);
    }

    @Test
    void whatIsRefusedAtOnceIsRefusedAtOnce() {
        service.answer = request -> CompletableFuture.failedFuture(new Overloaded("no room", Duration.ofSeconds(3)));
        given().header("Prefer", ASYNC)
                .body(BODY)
                .post(INFER)
                .then()
                .statusCode(429)
                .header("Retry-After", "3")
                .body("error", equalTo("no room"));
        given().header("Prefer", ASYNC).body("{").post(INFER).then().statusCode(400);
        given().header("Prefer", ASYNC)
                .body(BODY)
                .post("/v2/models/nobody/infer")
                .then()
                .statusCode(404);
    }

    @Test
    void theStoreIsBounded() {
        hold();
        String[] jobs = {accept(BODY), accept(BODY), accept(BODY)};

        given().header("Prefer", ASYNC)
                .body(BODY)
                .post(INFER)
                .then()
                .statusCode(429)
                .header("Retry-After", "1")
                .body("error", equalTo("the job store is full: it holds 3 jobs"));
        given().body(BODY).delete(jobs[0]).then().statusCode(200);
        String large = "{\"inputs\":[{\"name\":\"x\",\"shape\":[1,5000],\"datatype\":\"FP32\",\"data\":["
                + "0,".repeat(4999) + "0]},{\"name\":\"y\",\"shape\":[1,1],\"datatype\":\"INT64\",\"data\":[1]}]}";
        given().header("Prefer", ASYNC)
                .body(large)
                .post(INFER)
                .then()
                .statusCode(429)
                .body("error", equalTo("the job store has no room for 20008 bytes: it holds 2048 of 20480"));
        assertThat(given().get("/q/metrics").asString())
                .contains("atelier_jobs_stored 2.0", "atelier_jobs_stored_bytes 2048.0");

        given().delete(jobs[1]).then().statusCode(200);
        given().delete(jobs[2]).then().statusCode(200);
    }

    private void hold() {
        service.answer = request -> {
            asked.addLast(request);
            return answer;
        };
    }

    private static String accept(String body) {
        return given().header("Prefer", ASYNC)
                .body(body)
                .post(INFER)
                .then()
                .statusCode(202)
                .header("Location", startsWith("/v2/jobs/"))
                .extract()
                .header("Location");
    }

    private static Response awaitStatus(String job, String status) {
        return await().until(() -> given().get(job), response -> status.equals(response.path("status")));
    }

    private static void gone(String job) {
        for (Response answer : new Response[] {
            given().get(job), given().get(job + "/result"), given().delete(job), given().get("/v2/jobs/never")
        }) {
            answer.then()
                    .statusCode(404)
                    .contentType("application/problem+json")
                    .body("code", equalTo("JOB_NOT_FOUND"))
                    .body("error", startsWith("there is no such job"));
        }
    }
}
