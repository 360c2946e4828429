package io.atelier.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.matchesPattern;

import io.atelier.core.InferenceRequest;
import io.atelier.core.InferenceResult;
import io.atelier.core.ServingException.DeadlineExceeded;
import io.atelier.core.ServingException.Overloaded;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
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

/** {@link JobsScenarios} where the model's answers are the test's, and when they come. */
@QuarkusTest
@TestProfile(JobsComponentTest.SmallStore.class)
class JobsComponentTest extends JobsScenarios {
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
}
