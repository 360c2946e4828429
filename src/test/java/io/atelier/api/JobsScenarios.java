package io.atelier.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.startsWith;

import io.atelier.testing.ServiceClient;
import io.restassured.response.Response;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Asynchronous requests over real HTTP, to a model that gives back its inputs. */
abstract class JobsScenarios {
    static final String INFER = "/v2/models/echo/infer";
    static final String ASYNC = "respond-async";
    static final String INPUTS = """
            "inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[0.1,-2]},
                      {"name":"y","shape":[1,1],"datatype":"INT64","data":[9007199254740993]}]""";
    static final String BODY = "{\"id\":\"7\"," + INPUTS + "}";

    @BeforeEach
    void awaitTheModels() {
        ServiceClient.ofTestedService().awaitStatus("/q/health/started", 200, Duration.ofSeconds(60));
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

    @ParameterizedTest
    @ValueSource(strings = {"wait=5", "respond-asynchronously", ""})
    void otherPreferencesAreIgnored(String prefer) {
        given().header("Prefer", prefer).body(BODY).post(INFER).then().statusCode(200);
    }

    @Test
    void aBadRequestIsRefusedAtOnce() {
        given().header("Prefer", ASYNC).body("{").post(INFER).then().statusCode(400);
        given().header("Prefer", ASYNC)
                .body(BODY)
                .post("/v2/models/nobody/infer")
                .then()
                .statusCode(404);
    }

    static String accept(String body) {
        return given().header("Prefer", ASYNC)
                .body(body)
                .post(INFER)
                .then()
                .statusCode(202)
                .header("Location", startsWith("/v2/jobs/"))
                .extract()
                .header("Location");
    }

    static Response awaitStatus(String job, String status) {
        return await().until(() -> given().get(job), response -> status.equals(response.path("status")));
    }

    static void gone(String job) {
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
