package io.atelier.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.equalTo;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.atelier.testing.SuiteService;
import io.quarkus.test.junit.QuarkusIntegrationTest;
import io.quarkus.test.junit.TestProfile;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** {@link JobsScenarios} as the service is packaged, and jobs that run for long, that fail and that are forgotten. */
@QuarkusIntegrationTest
@TestProfile(SuiteService.class)
class JobsIT extends JobsScenarios {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @Test
    void aJobThatRunsCanBeCancelled() {
        String job = accept("loop", "INT64", "[1]", "1000000000000");
        awaitStatus(job, "running");
        given().get(job + "/result")
                .then()
                .statusCode(409)
                .header("Retry-After", "1")
                .body("code", equalTo("JOB_NOT_FINISHED"))
                .body("error", equalTo("the job is running"));

        given().delete(job).then().statusCode(200).body("status", equalTo("cancelled"));

        gone(job);
        given().body(body("INT64", "[1]", "1"))
                .post("/v2/models/loop/infer")
                .then()
                .statusCode(200);
    }

    /** Of one that fails before the answer is sent the failure is the answer. */
    @Test
    void aFailureIsKept() {
        String job = accept("slow_table", "INT64", "[1,1]", "7");

        awaitStatus(job, "failed");
        given().get(job + "/result").then().statusCode(500).body("code", equalTo("ENGINE_FAILURE"));
    }

    @Test
    void aResultIsForgotten() {
        String job = accept(BODY);
        Instant expires = Instant.parse(awaitStatus(job, "succeeded").path("expires"));
        assumeTrue(
                Duration.between(Instant.now(), expires).compareTo(PATIENCE) < 0,
                "the service that runs already keeps results until " + expires
                        + "; start it with a shorter atelier.jobs.result-life");

        await().atMost(PATIENCE).until(() -> given().get(job).statusCode(), status -> status == 404);

        assertThat(Instant.now()).isAfterOrEqualTo(expires);
        gone(job);
    }

    private static String accept(String model, String type, String shape, String data) {
        return given().header("Prefer", ASYNC)
                .body(body(type, shape, data))
                .post("/v2/models/" + model + "/infer")
                .then()
                .statusCode(202)
                .extract()
                .header("Location");
    }

    private static String body(String type, String shape, String data) {
        return """
                {"inputs": [{"name": "INPUT0", "datatype": "%s", "shape": %s, "data": [%s]}]}""".formatted(type, shape, data);
    }
}
