package io.atelier.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

@QuarkusTest
class ApiComponentTest {
    private static final String INFER = """
            {"id":"7","inputs":[
              {"name":"x","shape":[1,2],"datatype":"FP32","data":[[0.1,-2]]},
              {"name":"y","shape":[1,1],"datatype":"INT64","data":[9007199254740993]}]}""";

    @Inject
    StubInferenceService service;

    @AfterEach
    void reset() {
        service.reset();
    }

    @Test
    void answersTensorsOnTheEventLoop() {
        String body = given().body(INFER)
                .post("/v2/models/echo/infer")
                .then()
                .statusCode(200)
                .contentType("application/json")
                .extract()
                .asString();

        assertThat(body)
                .isEqualTo("{\"model_name\":\"echo\",\"model_version\":\"1\",\"id\":\"7\",\"outputs\":["
                        + "{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1,2],\"data\":[0.1,-2.0]},"
                        + "{\"name\":\"y\",\"datatype\":\"INT64\",\"shape\":[1,1],\"data\":[9007199254740993]}]}");
        assertThat(service.lastThread.getName()).contains("eventloop");
    }
}
