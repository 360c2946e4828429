package io.atelier.app;

import static io.atelier.testing.ServiceClient.json;
import static io.atelier.testing.ServiceClient.ok;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What callers of a model are told that does not serve, wherever they ask. */
@QuarkusTest
@TestProfile(UnservedModelComponentTest.Explicit.class)
@Timeout(120)
class UnservedModelComponentTest extends OverFakeService {
    private static final String INFER =
            "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1,1],\"data\":[1]}]}";

    /** Models that cannot be served in every way there is, and one that can. */
    public static class Explicit extends FakeService.Profile {
        @Override
        protected Map<String, String> repository() {
            return Map.of(
                    "good/1/model.onnx", "1",
                    "good/2/notes.txt", "no model",
                    "good/model.yaml", "versions: all",
                    "broken/1/model.onnx", "no number",
                    "misspelt/1/model.onnx", "1",
                    "misspelt/model.yaml", "baching: {}",
                    "hollow/1/notes.txt", "no model");
        }

        @Override
        protected Map<String, String> settings() {
            return Map.of("atelier.model-control", "explicit");
        }
    }

    @Inject
    @ConfigProperty(name = "atelier.model-repository")
    Path repository;

    @AfterEach
    void letLoad() {
        engine.letLoad();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "broken   | model 'broken' could not be loaded: the model file is broken",
                "misspelt | model 'misspelt' could not be loaded: model.yaml: baching is unknown",
                "hollow   | model 'hollow' could not be loaded: version 1: has no model.onnx and no model.pt",
            })
    void saysWhyItCouldNotBeLoaded(String model, String reason) {
        requireUnavailable(model, reason);
    }

    @Test
    void saysWhyOneOfItsVersionsCouldNotBeLoaded() {
        ok(client.post("/v2/models/good/versions/1/infer", INFER).join());
        problem(
                client.post("/v2/models/good/versions/2/infer", INFER).join(),
                503,
                "model 'good' could not be loaded: version 2: has no model.onnx and no model.pt");
        problem(
                client.post("/v2/models/good/versions/3/infer", INFER).join(),
                404,
                "Request for unknown model: 'good' version 3 is not found");
    }

    @Test
    void saysThatItIsLoadingAndAfterwardsWhyThatFailed() throws Exception {
        write("late/1/model.onnx", "no number");
        engine.holdLoads();
        CompletableFuture<HttpResponse<String>> loaded = client.post("/v2/repository/models/late/load", "");
        engine.awaitHeldLoad();

        requireUnavailable("late", "model 'late' is loading");

        engine.letLoad();
        assertThat(loaded.join().statusCode()).isEqualTo(400);
        requireUnavailable("late", "model 'late' could not be loaded: version 1: the model file is broken");
    }

    @Test
    void saysThatItHasBeenUnloaded() throws Exception {
        write("gone/1/model.onnx", "1");
        ok(client.post("/v2/repository/models/gone/load", "").join());
        ok(client.post("/v2/models/gone/infer", INFER).join());
        ok(client.post("/v2/repository/models/gone/unload", "").join());

        for (HttpResponse<String> answer : everywhere("gone")) {
            problem(answer, 404, "Request for unknown model: 'gone' is not found, it has been unloaded");
        }
    }

    private void requireUnavailable(String model, String reason) {
        for (HttpResponse<String> answer : everywhere(model)) {
            problem(answer, 503, reason);
            if (answer.headers().firstValue("Content-Type").orElse("").contains("problem")) {
                assertThat(answer.headers().firstValue("Retry-After")).isPresent();
            }
        }
    }

    private List<HttpResponse<String>> everywhere(String model) {
        List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
        for (String path : List.of("", "/ready", "/config", "/stats")) {
            answers.add(client.get("/v2/models/" + model + path));
        }
        for (String path :
                List.of("/v2/models/%s/infer", "/v2/models/%s/map", "/v1/models/%s:predict", "/predict/%s")) {
            answers.add(client.post(path.formatted(model), INFER));
        }
        answers.add(client.post("/v2/models/" + model + "/infer", INFER, "Prefer", "respond-async"));
        answers.add(client.get("/v1/models/" + model));
        answers.add(client.post("/v1/embeddings", "{\"model\":\"" + model + "\",\"input\":\"a\"}"));
        return answers.stream().map(CompletableFuture::join).toList();
    }

    /** In whichever form the service writes it there. */
    private static void problem(HttpResponse<String> answer, int status, String message) {
        JsonNode body = json(answer);
        boolean line = answer.headers().firstValue("Content-Type").orElse("").contains("ndjson");
        assertThat(line ? status : answer.statusCode())
                .as(answer.uri() + " " + answer.body())
                .isEqualTo(status);
        JsonNode error = body.path("error");
        String told = error.isObject()
                ? error.path("message").asText()
                : error.asText(body.path("reason").asText());
        assertThat(told).as(answer.uri() + " " + answer.body()).startsWith(message);
    }

    private void write(String path, String content) throws Exception {
        Path file = repository.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, content);
    }
}
