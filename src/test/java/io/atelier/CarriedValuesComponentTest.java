package io.atelier;

import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasSize;

import io.atelier.testing.OnnxModelWriter;
import io.atelier.testing.ServiceClient;
import io.atelier.testing.StartUp;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Scalars, classes, optional inputs, open shapes and bytes over each interface, with the real engine. */
@QuarkusTest
@TestProfile(CarriedValuesComponentTest.Models.class)
class CarriedValuesComponentTest {
    /** The service over models that the test writes. */
    public static class Models implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            try {
                return Map.of(
                        "atelier.model-repository",
                        write(Files.createTempDirectory("atelier-carried-")).toString(),
                        "quarkus.arc.exclude-types",
                        "io.atelier.api.StubInferenceService");
            } catch (IOException failure) {
                throw new IllegalStateException(failure);
            }
        }

        private static Path write(Path root) throws IOException {
            model(root, "scalar", negated("FLOAT"));
            model(
                    root,
                    "open",
                    new OnnxModelWriter()
                            .inputOfAnyShape("x", "FLOAT")
                            .outputOfAnyShape("y", "FLOAT")
                            .node("Neg", List.of("x"), List.of("y"))
                            .toBytes());
            model(
                    root,
                    "constant",
                    new OnnxModelWriter()
                            .output("y", "FLOAT", 2)
                            .floats("c", List.of(2), 1, 2)
                            .node("Identity", List.of("c"), List.of("y"))
                            .toBytes());
            model(
                    root,
                    "biased",
                    new OnnxModelWriter()
                            .input("x", "FLOAT", "batch", 2)
                            .input("bias", "FLOAT", 2)
                            .output("y", "FLOAT", "batch", 2)
                            .floats("bias", List.of(2), 10, 20)
                            .node("Add", List.of("x", "bias"), List.of("y"))
                            .toBytes());
            model(
                    root,
                    "classes",
                    new OnnxModelWriter()
                            .input("x", "FLOAT", "batch", 3)
                            .mapsOutput("probabilities", "STRING")
                            .nodeWithLists(
                                    "ai.onnx.ml:ZipMap",
                                    List.of("x"),
                                    List.of("probabilities"),
                                    Map.of("classlabels_strings", List.of("setosa", "versicolor", "arctic")))
                            .toBytes());
            model(
                    root,
                    "words",
                    new OnnxModelWriter()
                            .input("x", "STRING", "batch")
                            .output("y", "STRING", "batch")
                            .node("Identity", List.of("x"), List.of("y"))
                            .toBytes());
            model(
                    root,
                    "word",
                    new OnnxModelWriter()
                            .input("x", "STRING")
                            .output("y", "STRING")
                            .node("Identity", List.of("x"), List.of("y"))
                            .toBytes());
            return root;
        }

        private static byte[] negated(String type, Object... dims) {
            return new OnnxModelWriter()
                    .input("x", type, dims)
                    .output("y", type, dims)
                    .node("Neg", List.of("x"), List.of("y"))
                    .toBytes();
        }

        private static void model(Path root, String name, byte[] onnx) throws IOException {
            Files.write(Files.createDirectories(root.resolve(name).resolve("1")).resolve("model.onnx"), onnx);
        }
    }

    @Inject
    StartUp startUp;

    @BeforeEach
    void awaitTheModels() throws InterruptedException {
        startUp.await();
        ServiceClient.ofTestedService().awaitStatus("/q/health/started", 200, Duration.ofSeconds(60));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "predict/scalar | {\"x\": 5} | {\"y\":-5.0}",
                "predict/scalar | { \"x\" : -1e2 } | {\"y\":100.0}",
                "predict/open | {\"x\": 5} | {\"y\":-5.0}",
                "predict/open | {\"x\": [[1], [2]]} | {\"y\":[[-1.0],[-2.0]]}",
                "predict/constant | {} | {\"y\":[1.0,2.0]}",
                "predict/biased | {\"x\": [[1, 2]]} | {\"y\":[[11.0,22.0]]}",
                "predict/biased | {\"bias\": [5, 6], \"x\": [[1, 2], [3, 4]]} | {\"y\":[[6.0,8.0],[8.0,10.0]]}",
                "predict/classes | {\"x\": [[1, 2, 3]]} | {\"probabilities\":[[1.0,2.0,3.0]]}",
                "predict/word | {\"x\": \"😀\\u0000\"} | {\"y\":\"😀\\u0000\"}",
                "predict/words | {\"x\": [\"𠮷\", \"a\"]} | {\"y\":[\"𠮷\",\"a\"]}",
                "v1/models/scalar:predict | {\"inputs\": 5} | {\"outputs\":-5.0}",
                "v1/models/scalar:predict | {\"inputs\": {\"x\": 5}} | {\"outputs\":-5.0}",
                "v1/models/open:predict | {\"inputs\": [[1]]} | {\"outputs\":[[-1.0]]}",
                "v1/models/constant:predict | {\"inputs\": {}} | {\"outputs\":[1.0,2.0]}",
                "v1/models/biased:predict | {\"instances\": [[1, 2]]} | {\"predictions\":[[11.0,22.0]]}",
                "v1/models/biased:predict | {\"inputs\": {\"x\": [[1, 2]], \"bias\": [0, 0]}} | {\"outputs\":[[1.0,2.0]]}",
                "v1/models/word:predict | {\"inputs\": \"😀\"} | {\"outputs\":\"😀\"}",
                "v1/models/words:predict | {\"instances\": [{\"b64\":\"/w==\"}, \"😀\"]} | {\"predictions\":[{\"b64\":\"/w==\"},\"😀\"]}",
            })
    void answersPlainly(String path, String question, String answer) {
        byte[] body = given().body(question.getBytes(UTF_8))
                .contentType("application/json")
                .post("/" + path)
                .then()
                .statusCode(200)
                .extract()
                .asByteArray();

        assertThat(new String(body, UTF_8)).isEqualTo(answer);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "predict/scalar | {\"x\": [5]} | input 'x' has shape [1], the model takes []",
                "predict/scalar | {\"x\": {}} | input 'x' is an object, not a list",
                "predict/scalar | {\"x\": \"5\"} | input 'x' element 0: a string is not a number, which FP32 needs",
                "predict/biased | {\"x\": [[1, 2]], \"bias\": [5]} | input 'bias' has shape [1], the model takes [2]",
                "predict/biased | {\"bias\": [5, 6]} | input 'x' is missing",
                "predict/biased | {\"x\": 5} | input 'x' is a number, not a list",
                "v1/models/scalar:predict | {\"inputs\": [5]} | input 'x' has shape [1], the model takes []",
                "v1/models/scalar:predict | {\"instances\": [5]} | the model takes no rows: send inputs instead of instances",
            })
    void refusesExactly(String path, String question, String error) {
        given().body(question)
                .contentType("application/json")
                .post("/" + path)
                .then()
                .statusCode(400)
                .body("error", equalTo(error));
    }

    @Test
    void theClassesOfMapsAreInTheMetadataAndNameTheBestOnes() {
        given().get("/v2/models/classes")
                .then()
                .statusCode(200)
                .body("outputs[0].datatype", equalTo("FP32"))
                .body("outputs[0].shape", contains(-1, 3))
                .body("outputs[0].parameters.labels", contains("setosa", "versicolor", "arctic"));
        given().body("""
                        {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 3], "data": [0.1, 0.7, 0.2]}],
                         "outputs": [{"name": "probabilities", "parameters": {"classification": 2}}]}""")
                .post("/v2/models/classes/infer")
                .then()
                .statusCode(200)
                .body("outputs[0].data", contains("0.7:1:versicolor", "0.2:2:arctic"));
    }

    @Test
    void metadataNamesTheInputsThatHaveToBeGivenAndAnyShapeAsMinusOne() {
        given().get("/v2/models/biased").then().statusCode(200).body("inputs.name", contains("x"));
        given().get("/v2/models/open")
                .then()
                .statusCode(200)
                .body("inputs[0].shape", contains(-1))
                .body("outputs[0].shape", contains(-1));
        given().get("/v2/models/scalar").then().statusCode(200).body("inputs[0].shape", hasSize(0));
    }

    @Test
    void anOptionalInputIsTakenAsTensor() {
        given().body("""
                        {"inputs": [{"name": "bias", "datatype": "FP32", "shape": [2], "data": [5, 6]},
                                    {"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [1, 2]}]}""")
                .post("/v2/models/biased/infer")
                .then()
                .statusCode(200)
                .body("outputs[0].data", contains(6f, 8f));
    }

    @Test
    void aModelWithoutInputsIsAskedForNothing() {
        given().body("{\"inputs\": []}")
                .post("/v2/models/constant/infer")
                .then()
                .statusCode(200)
                .body("outputs[0].data", contains(1f, 2f));
    }

    @Test
    void bytesThatAreNoTextComeBackInBinaryAndAreRefusedInJson() {
        String json = "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"BYTES\",\"shape\":[1],"
                + "\"parameters\":{\"binary_data_size\":5}}],\"parameters\":{\"binary_data_output\":%s}}";
        byte[] raw = {1, 0, 0, 0, -1};

        byte[] answer = given().header(
                        "Inference-Header-Content-Length", json.formatted(true).length())
                .body(withRaw(json.formatted(true), raw))
                .post("/v2/models/words/infer")
                .then()
                .statusCode(200)
                .extract()
                .asByteArray();
        assertThat(answer).endsWith(raw);

        given().header("Inference-Header-Content-Length", json.formatted(false).length())
                .body(withRaw(json.formatted(false), raw))
                .post("/v2/models/words/infer")
                .then()
                .statusCode(400)
                .body(
                        "error",
                        equalTo(
                                "output 'y' holds bytes that are not UTF-8, which travel in binary only: ask with binary_data_output"));
    }

    private static byte[] withRaw(String json, byte[] raw) {
        byte[] body = new byte[json.length() + raw.length];
        System.arraycopy(json.getBytes(UTF_8), 0, body, 0, json.length());
        System.arraycopy(raw, 0, body, json.length(), raw.length);
        return body;
    }
}
