package io.atelier.app;

import static io.atelier.testing.ServiceClient.json;
import static io.atelier.testing.ServiceClient.ok;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.atelier.api.StubInferenceService;
import io.atelier.testing.OnnxModelWriter;
import io.atelier.testing.ServiceClient;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.restassured.RestAssured;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Configurations of Triton as people have them, over the engine. */
@QuarkusTest
@TestProfile(TritonConfigComponentTest.Models.class)
class TritonConfigComponentTest {
    private ServiceClient client;

    @BeforeEach
    void connect() {
        client = new ServiceClient(RestAssured.port);
    }

    /** A repository of models with a {@code config.pbtxt} each. */
    public static final class Models implements QuarkusTestProfile {
        private static final byte[] IMAGE = new OnnxModelWriter()
                .input("data_0", "FLOAT", 1, 5, 1, 1)
                .output("fc6_1", "FLOAT", 1, 5, 1, 1)
                .node("Identity", List.of("data_0"), List.of("fc6_1"))
                .toBytes();

        @Override
        public Map<String, String> getConfigOverrides() {
            try {
                Path root = Files.createTempDirectory("atelier-triton-");
                write(root, "densenet", "model.onnx", IMAGE, """
                        name: "densenet"
                        platform: "onnxruntime_onnx"
                        max_batch_size : 0
                        input [ { name: "data_0" data_type: TYPE_FP32 format: FORMAT_NCHW dims: [ 5, 1, 1 ]
                                  reshape { shape: [ 1, 5, 1, 1 ] } } ]
                        output [ { name: "fc6_1" data_type: TYPE_FP32 dims: [ 5 ] reshape { shape: [ 1, 5, 1, 1 ] }
                                   label_filename: "names.txt" } ]
                        parameters { key: "classes" value { string_value: "ant,bee" } }
                        """);
                Files.writeString(root.resolve("densenet/names.txt"), "\uFEFFant\nbee\ncat\ndog\nBär\n");
                write(root, "whole", "net.bin", OnnxModelWriter.identity("FLOAT", "n", 4), """
                        backend: "onnxruntime"
                        default_model_filename: "net.bin"
                        input { name: "INPUT0" data_type: TYPE_FP32 dims: [ -1, 4 ] }
                        output { name: "OUTPUT0" data_type: TYPE_FP32 dims: [ -1, 4 ] }
                        """);
                write(root, "rows", "model.onnx", OnnxModelWriter.identity("FLOAT", "n", 4), """
                        max_batch_size: 8
                        input { name: "INPUT0" data_type: TYPE_FP32 dims: 4 }
                        output { name: "OUTPUT0" data_type: TYPE_FP32 dims: [ 2, 2 ] reshape { shape: 4 } }
                        """);
                write(root, "slow", "model.onnx", OnnxModelWriter.matmul(1500, 1500, 1), """
                        max_batch_size: 1
                        instance_group { count: 1 }
                        dynamic_batching { default_queue_policy {
                          default_timeout_microseconds: 20000 allow_timeout_override: true } }
                        """);
                write(root, "patient", "model.onnx", OnnxModelWriter.matmul(1500, 1500, 1), """
                        max_batch_size: 1
                        dynamic_batching { default_queue_policy {
                          timeout_action: DELAY default_timeout_microseconds: 1 } }
                        """);
                write(root, "wrong", "model.onnx", OnnxModelWriter.identity("FLOAT", "n", 4), """
                        max_batch_size: 8
                        input { name: "INPUT0" data_type: TYPE_INT64 dims: 4 }
                        """);
                write(root, "typo", "model.onnx", OnnxModelWriter.identity("FLOAT", "n", 4), "max_batchsize: 8");
                return Map.of(
                        "atelier.model-repository",
                        root.toString(),
                        "atelier.model-control",
                        "explicit",
                        "quarkus.arc.exclude-types",
                        StubInferenceService.class.getName());
            } catch (IOException failure) {
                throw new UncheckedIOException(failure);
            }
        }

        private static void write(Path root, String name, String file, byte[] model, String config) throws IOException {
            Path version = Files.createDirectories(root.resolve(name).resolve("1"));
            Files.write(version.resolve(file), model);
            Files.writeString(root.resolve(name).resolve("config.pbtxt"), config);
        }
    }

    @Test
    void theQuickstartsConfigurationIsServedInItsOwnShape() {
        JsonNode output = ok(infer("densenet", "data_0", "[5,1,1]", 5, "")).at("/outputs/0");
        assertThat(output.get("shape").toString()).isEqualTo("[5]");

        JsonNode metadata = ok(client.get("/v2/models/densenet").join());
        assertThat(metadata.at("/inputs/0/shape").toString()).isEqualTo("[5,1,1]");
        assertThat(metadata.at("/outputs/0/shape").toString()).isEqualTo("[5]");
    }

    @Test
    void theShapeOfTheModelIsTakenTooAndClassesHaveTheirLabels() {
        JsonNode output = ok(infer(
                        "densenet",
                        "data_0",
                        "[1,5,1,1]",
                        5,
                        ",\"outputs\":[{\"name\":\"fc6_1\",\"parameters\":{\"classification\":2}}]"))
                .at("/outputs/0");
        assertThat(output.get("data").toString()).isEqualTo("[\"4.0:4:Bär\",\"3.0:3:dog\"]");
    }

    @Test
    void theConfigurationTellsWhatItsOwnerWrote() {
        JsonNode config = ok(client.get("/v2/models/densenet/config").join());
        assertThat(config.at("/input/0").toString())
                .isEqualTo(
                        "{\"name\":\"data_0\",\"data_type\":\"TYPE_FP32\",\"format\":\"FORMAT_NCHW\",\"dims\":[5,1,1],"
                                + "\"reshape\":{\"shape\":[1,5,1,1]}}");
        assertThat(config.at("/output/0/label_filename").asText()).isEqualTo("names.txt");
        assertThat(config.at("/parameters/classes/string_value").asText()).isEqualTo("ant,bee");
        assertThat(config.get("max_batch_size").asInt()).isZero();
        assertThat(ok(client.get("/v2/models/whole/config").join())
                        .get("default_model_filename")
                        .asText())
                .isEqualTo("net.bin");
    }

    @Test
    void aConfigurationOfTheServiceCanBeLoadedAgain() {
        for (String model : List.of("densenet", "whole", "rows")) {
            JsonNode config = ok(client.get("/v2/models/" + model + "/config").join());
            String order = "{\"parameters\":{\"config\":\"" + config.toString().replace("\"", "\\\"") + "\"}}";
            assertThat(client.post("/v2/repository/models/" + model + "/load", order)
                            .join())
                    .returns(200, HttpResponse::statusCode);
            assertThat(ok(client.get("/v2/models/" + model + "/config").join())).isEqualTo(config);
        }
    }

    @Test
    void withoutRowsAnyNumberPassesAndWithRowsTheBatchSizeHolds() {
        assertThat(ok(infer("whole", "INPUT0", "[3,4]", 12, ""))
                        .at("/outputs/0/shape")
                        .toString())
                .isEqualTo("[3,4]");
        assertThat(ok(infer("whole", "INPUT0", "[1000,4]", 4000, ""))
                        .at("/outputs/0/shape")
                        .toString())
                .isEqualTo("[1000,4]");
        assertThat(ok(infer("rows", "INPUT0", "[3,4]", 12, ""))
                        .at("/outputs/0/shape")
                        .toString())
                .isEqualTo("[3,2,2]");
    }

    @Test
    void aRequestThatIsDelayedIsAnswered() {
        List<CompletableFuture<HttpResponse<String>>> answers = IntStream.range(0, 20)
                .mapToObj(i -> client.post("/v2/models/patient/infer", body("INPUT0", "[1,1500]", 1500, "")))
                .toList();
        assertThat(answers.stream().map(CompletableFuture::join))
                .extracting(HttpResponse::statusCode)
                .containsOnly(200);
    }

    @Test
    void aRequestThatNoDeviceTakesInTimeIsToldSo() {
        List<CompletableFuture<HttpResponse<String>>> answers = IntStream.range(0, 200)
                .mapToObj(i -> client.post("/v2/models/slow/infer", body("INPUT0", "[1,1500]", 1500, "")))
                .toList();
        List<HttpResponse<String>> all =
                answers.stream().map(CompletableFuture::join).toList();

        assertThat(all).extracting(HttpResponse::statusCode).contains(200).allMatch(List.of(200, 503)::contains);
        all.stream()
                .filter(answer -> answer.statusCode() == 503)
                .forEach(answer -> assertThat(json(answer).get("error").asText())
                        .isEqualTo("Request timeout expired: it waited 20000 us in the queue of model 'slow'"));
    }

    @Test
    void whatContradictsTheFileIsNotServed() {
        String index = client.post("/v2/repository/index", "").join().body();
        assertThat(index)
                .contains("input 'INPUT0': data_type is TYPE_INT64, the model has TYPE_FP32")
                .contains("config.pbtxt: line 1: max_batchsize is unknown");
    }

    private HttpResponse<String> infer(String model, String input, String shape, int elements, String more) {
        return client.post("/v2/models/" + model + "/infer", body(input, shape, elements, more))
                .join();
    }

    private static String body(String input, String shape, int elements, String more) {
        String data = elements == 5
                ? "0,1,2,3,4"
                : Collections.nCopies(elements, "1").stream().collect(Collectors.joining(","));
        return "{\"inputs\":[{\"name\":\"%s\",\"datatype\":\"FP32\",\"shape\":%s,\"data\":[%s]}]%s}"
                .formatted(input, shape, data, more);
    }
}
