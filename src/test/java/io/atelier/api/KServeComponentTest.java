package io.atelier.api;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasItems;

import io.atelier.core.DataType;
import io.atelier.core.InferenceResult;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** {@link KServeScenarios} on models that are the test's, and what they say of themselves. */
@QuarkusTest
class KServeComponentTest extends KServeScenarios {
    @Inject
    StubInferenceService service;

    @AfterEach
    void reset() {
        service.reset();
    }

    @Test
    void bytesThatAreNoTextComeInBase64() {
        ByteBuffer noText = ByteBuffer.wrap(new byte[] {1, 0, 0, 0, -1}).order(ByteOrder.LITTLE_ENDIAN);
        service.answer = request -> CompletableFuture.completedFuture(
                new InferenceResult(request.model(), List.of(new Tensor("t", DataType.BYTES, Shape.of(1), noText))));

        given().body("{\"instances\":[\"a\"]}")
                .post("/v1/models/texts:predict")
                .then()
                .statusCode(200)
                .body(equalTo("{\"predictions\":[{\"b64\":\"/w==\"}]}"));
    }

    @Test
    void listsTheModelsForClientsOfBothKinds() {
        given().get("/v1/models")
                .then()
                .statusCode(200)
                .body("models", hasItems("echo", "embedder"))
                .body("object", equalTo("list"))
                .body("data.id", hasItems("echo", "embedder"))
                .body("data[0].object", equalTo("model"))
                .body("data[0].owned_by", equalTo("atelier"));
    }

    @Test
    void refusesMoreRowsThanARequestMayHave() {
        given().body("{\"instances\":[[1,2],[1,2],[1,2],[1,2],[1,2],[1,2],[1,2],[1,2],[1,2]]}")
                .post("/v1/models/single:predict")
                .then()
                .statusCode(400)
                .body("error", equalTo("the body has 9 rows, the model takes 1 to 8"));
    }

    @Test
    void showsAModelToClientsOfBothKinds() {
        given().get("/v1/models/echo")
                .then()
                .statusCode(200)
                .body("name", equalTo("echo"))
                .body("ready", equalTo(true))
                .body("id", equalTo("echo"))
                .body("object", equalTo("model"));

        service.modelReady = false;
        given().get("/v1/models/echo").then().statusCode(503).body("ready", equalTo(false));
    }
}
