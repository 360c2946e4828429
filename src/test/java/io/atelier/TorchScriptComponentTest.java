package io.atelier;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.equalTo;

import io.atelier.testing.StartUp;
import io.atelier.testing.TorchScriptWriter;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A TorchScript model behind real HTTP, in a build with {@code -Ppytorch}. */
@QuarkusTest
@TestProfile(TorchScriptComponentTest.Model.class)
@Tag("pytorch")
class TorchScriptComponentTest {
    /** The service over one model, {@code twice}. */
    public static class Model implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            try {
                Path root = Files.createTempDirectory("atelier-torch-");
                Files.createDirectories(root.resolve("twice/1"));
                Files.write(
                        root.resolve("twice/1/model.pt"),
                        TorchScriptWriter.module("x: Tensor", "Tensor", "return torch.mul(x, 2)"));
                Files.writeString(root.resolve("twice/model.yaml"), """
                        inputs: [{name: x, datatype: FP32, shape: [-1, 2]}]
                        outputs: [{name: y, datatype: FP32, shape: [-1, 2]}]""");
                return Map.of(
                        "atelier.model-repository",
                        root.toString(),
                        "quarkus.arc.exclude-types",
                        "io.atelier.api.StubInferenceService");
            } catch (IOException failure) {
                throw new UncheckedIOException(failure);
            }
        }
    }

    @Inject
    StartUp startUp;

    @BeforeEach
    void awaitTheModel() throws InterruptedException {
        startUp.await();
    }

    @Test
    void answersTensorsAndArrays() {
        given().body("{\"inputs\": [{\"name\": \"x\", \"datatype\": \"FP32\", \"shape\": [1, 2], \"data\": [1, 2.5]}]}")
                .post("/v2/models/twice/infer")
                .then()
                .statusCode(200)
                .body("outputs[0].data", equalTo(List.of(2f, 5f)));
        given().contentType("application/json")
                .body("{\"x\": [[1, 2], [3, 4]]}")
                .post("/predict/twice")
                .then()
                .statusCode(200)
                .body("y", equalTo(List.of(List.of(2f, 4f), List.of(6f, 8f))));
    }

    @Test
    void saysWhatItIs() {
        given().get("/v2/models/twice")
                .then()
                .statusCode(200)
                .body("platform", equalTo("pytorch_libtorch"))
                .body("inputs[0].shape", equalTo(List.of(-1, 2)));
    }
}
