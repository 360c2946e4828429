package io.atelier;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.endsWith;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasSize;
import static org.hamcrest.Matchers.startsWith;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.atelier.testing.Images;
import io.atelier.testing.ServiceClient;
import io.atelier.testing.SuiteService;
import io.atelier.testing.TaskModels;
import io.restassured.config.EncoderConfig;
import io.restassured.config.RestAssuredConfig;
import io.restassured.response.ValidatableResponse;
import java.awt.Color;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Plain bodies to a model of each task of {@link TaskModels}, behind real HTTP and the real engine. */
abstract class PredictScenarios {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final byte[] WIDE = Images.png(Images.plain(64, 32, Color.WHITE));

    /** A difference in odds of a fifth: a resampler that looks at other pixels is farther off. */
    private static final double NEAR_ODDS = 0.2;

    /** Says of a text what the test says of it, and no more. */
    private static final RestAssuredConfig PLAIN = RestAssuredConfig.config()
            .encoderConfig(EncoderConfig.encoderConfig().appendDefaultContentCharsetToContentTypeIfUndefined(false));

    private ServiceClient client;

    @BeforeEach
    void awaitTheModels() throws InterruptedException {
        client = ServiceClient.ofTestedService();
        client.awaitStatus("/q/health/started", 200, Duration.ofSeconds(60));
    }

    @Test
    void classifiesImagesAsAnotherRuntimeDoes() throws IOException {
        for (JsonNode reference : JSON.readTree(TaskModels.resource("/reference/angle.json"))) {
            String file = reference.get("file").asText();
            byte[] image = TaskModels.resource("/images/" + file);
            JsonNode answer = json(ok("angle", file.endsWith("jpg") ? "image/jpeg" : "image/png", image));

            double upright = reference.at("/scores/0").asDouble();
            double turned = reference.at("/scores/180").asDouble();
            assertThat(answer).as(file).hasSize(2);
            assertThat(answer.at("/0/label").asText()).as(file).isEqualTo(upright > turned ? "0" : "180");
            assertThat(Math.log(score(answer, "0") / score(answer, "180")))
                    .as("odds of %s", file)
                    .isCloseTo(Math.log(upright / turned), within(NEAR_ODDS));
        }
    }

    @Test
    void takesImagesInJsonAndKeepsTheirOrder() throws IOException {
        String upright = Base64.getEncoder().encodeToString(TaskModels.resource("/images/upright.jpg"));
        String turned = Base64.getEncoder().encodeToString(TaskModels.resource("/images/turned.png"));

        ok("angle", "application/json", "{\"image\": \"data:image/jpeg;base64," + upright + "\"}")
                .body("[0].label", equalTo("0"));
        ok("angle", "application/json", "{\"images\": [\"" + turned + "\", \"" + upright + "\", \"" + turned + "\"]}")
                .body("$", hasSize(3))
                .body("collect { it[0].label }", contains("180", "0", "180"));
    }

    @Test
    void readsWhatCurlSendsWithoutSayingWhatItIs() throws IOException, InterruptedException {
        HttpResponse<String> image = curl("angle", TaskModels.resource("/images/turned.png"));
        HttpResponse<String> text = curl("mood", "a good film".getBytes(StandardCharsets.UTF_8));

        assertThat(image.body()).startsWith("[{\"label\":\"180\",\"score\":0.9");
        assertThat(text.body()).startsWith("[{\"label\":\"positive\",\"score\":0.9");
    }

    @Test
    void theBestClassesOfTensorsHaveTheLabelsOfTheTask() {
        given().body("""
                        {"inputs": [{"name": "input_ids", "datatype": "INT64", "shape": [1, 2], "data": [1, 3]}],
                         "outputs": [{"name": "logits", "parameters": {"classification": 1}}]}""")
                .post("/v2/models/mood/infer")
                .then()
                .statusCode(200)
                .body("outputs[0].data[0]", endsWith(":1:positive"));
    }

    @Test
    void classifiesTexts() {
        double positive = 1 / (1 + Math.exp(-3)); // 2 and -1 apart

        JsonNode answer = json(ok("mood", "text/plain", "A good film"));

        assertThat(answer.at("/0/label").asText()).isEqualTo("positive");
        assertThat(answer.at("/0/score").asDouble()).isCloseTo(positive, within(1e-6));
        assertThat(answer.at("/1/score").asDouble()).isCloseTo(1 - positive, within(1e-6));
        ok("mood", "application/json", "{\"texts\": [\"bad bad film\", \"good\", \"so so\", \"bad\"]}")
                .body("collect { it[0].label }", contains("negative", "positive", "negative", "negative"));
    }

    @Test
    void findsObjectsAndSaysWhere() {
        JsonNode answer = json(ok("eyes", "image/png", WIDE));

        assertThat(answer).hasSize(2);
        assertThat(answer.at("/0/label").asText()).isEqualTo("cat");
        assertThat(answer.at("/0/score").asDouble()).isCloseTo(0.9, within(1e-5));
        assertThat(box(answer.get(0))).containsExactly(new double[] {24, 8, 40, 24}, within(1e-3));
        assertThat(answer.at("/1/label").asText()).isEqualTo("dog");
        assertThat(box(answer.get(1))).containsExactly(new double[] {12, 28, 20, 32}, within(1e-3));
    }

    @Test
    void embedsAsTheOtherDoorDoes() {
        JsonNode plain = json(ok("minilm", "text/plain", "hello world"));
        JsonNode openAi = JSON.valueToTree(given().body("{\"model\": \"minilm\", \"input\": \"hello world\"}")
                .post("/v1/embeddings")
                .then()
                .statusCode(200)
                .extract()
                .path("data[0].embedding"));

        assertThat(plain).hasSize(384);
        assertThat(plain.get(0).floatValue()).isEqualTo(openAi.get(0).floatValue());
        ok("minilm", "application/json", "{\"texts\": [\"a\", \"b\"]}")
                .body("$", hasSize(2))
                .body("[1]", hasSize(384));
    }

    @Test
    void answersArraysByNameWhereThereIsNoTask() {
        ok("adder", "application/json", "{\"INPUT1\": [[1, 2], [3, 4]], \"INPUT0\": [[10, 20], [30, 40]]}")
                .body("OUTPUT0", equalTo(List.of(List.of(11, 22), List.of(33, 44))))
                .body("OUTPUT1", equalTo(List.of(List.of(9, 18), List.of(27, 36))));
    }

    @Test
    void asksAVersion() {
        post("mood/versions/1", "text/plain", "bad").statusCode(200).body("[0].label", equalTo("negative"));
        post("mood/versions/2", "text/plain", "bad").statusCode(404).body("code", equalTo("MODEL_NOT_FOUND"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "angle | text/plain | x | 415 | model 'angle' takes image/jpeg, image/png, application/json, the body is text/plain",
                "mood | image/png | x | 415 | model 'mood' takes text/plain, application/json, the body is image/png",
                "adder | text/plain | x | 415 | model 'adder' takes application/json, the body is text/plain",
                "mood | text/plain;charset=klingon | x | 415 | the charset of the text is not known, UTF-8 is",
                "angle | image/png | no image | 400 | the image is neither JPEG nor PNG",
                "angle | image/png | GIF89a | 415 | the image is GIF, allowed are JPEG and PNG",
                "angle | application/json | {\"images\": [\"R0lGODlhAQABAAAAACw=\"]} | 415 | the image is GIF, allowed are JPEG and PNG",
                "angle | application/json | {\"image\": \"%\"} | 400 | image is not base64",
                "angle | application/json | {\"image\": \"aGVsbG8=\"} | 400 | the image is neither JPEG nor PNG",
                "angle | application/json | {\"images\": []} | 400 | images is an empty list",
                "angle | application/json | {\"text\": \"a\"} | 400 | 'text' is unknown, the model takes image or images",
                "mood | application/json | {} | 400 | text or texts is missing",
                "mood | application/json | {\"text\": 1} | 400 | text is a number, not a string",
                "mood | application/json | {\"texts\": [\"a\", \"\"]} | 400 | texts[1] is an empty string",
                "mood | application/json | {\"texts\": \"a\"} | 400 | texts is a string, not a list",
                "mood | application/json | {\"text\": \"a\", \"texts\": [\"b\"]} | 400 | text and texts are both there, allowed is one of them",
                "mood | application/json | [1] | 400 | the body is not a JSON object",
                "mood | application/json | {\"texts\": [\"good\", \" \"]} | 400 | text 1 has no token",
                "adder | application/json | {\"x\": [1]} | 400 | the model has no input 'x', it has INPUT0, INPUT1",
                "adder | application/json | {\"INPUT0\": [[1, 2]]} | 400 | input 'INPUT1' is missing",
                "adder | application/json | {\"INPUT0\": [1, 2]} | 400 | input 'INPUT0' has shape [2], the model takes [-1,2]",
                "adder | application/json | {\"INPUT0\": [[1, 2], [3]]} | 400 | input 'INPUT0' element 3: 1 values instead of 2 on the last axis of shape [2,2]",
                "adder | application/json | {\"INPUT0\": [[1, \"a\"]]} | 400 | input 'INPUT0' element 1: a string is not an integer, which INT32 needs",
                "adder | application/json | {\"INPUT0\": 3} | 400 | input 'INPUT0' is a number, not a list",
            })
    void refusesWithTheReason(String model, String type, String body, int status, String detail) {
        post(model, type, body)
                .statusCode(status)
                .body("detail", equalTo(detail))
                .body("error", equalTo(detail));
    }

    @Test
    void refusesAnEmptyBody() {
        post("mood", "text/plain", "").statusCode(400).body("detail", equalTo("the body is empty"));
    }

    @Test
    void refusesABombAndABrokenImage() throws IOException {
        post("angle", "image/png", Images.bomb(100_000, 100_000))
                .statusCode(413)
                .body("detail", equalTo("the image has 100000 x 100000 pixels, the model takes at most 16777216"));
        byte[] image = TaskModels.resource("/images/upright.jpg");
        post("angle", "image/jpeg", Arrays.copyOf(image, image.length / 2))
                .statusCode(400)
                .body("detail", startsWith("the image is a broken or unusual jpeg file"));
    }

    @Test
    void keepsToTheCallersTimeout() {
        given().contentType("image/png")
                .header("Request-Timeout", "0.000000001")
                .body(WIDE)
                .post("/predict/eyes")
                .then()
                .statusCode(504)
                .body("code", equalTo("DEADLINE_EXCEEDED"));
        given().contentType("image/png")
                .header("Request-Timeout", "soon")
                .body(WIDE)
                .post("/predict/eyes")
                .then()
                .statusCode(400);
    }

    @Test
    void asksManyAtOnce() {
        String texts = String.join(
                "\",\"", IntStream.range(0, 100).mapToObj(i -> "good").toList());

        ok("mood", "application/json", "{\"texts\": [\"" + texts + "\"]}")
                .body("$", hasSize(100))
                .body("collect { it[0].label }.unique()", contains("positive"));
    }

    @Test
    void refusesAModelByNameWhoseLabelsAreNotItsClasses() {
        JsonNode data = ServiceClient.check(
                        ServiceClient.ok(client.get("/q/health/ready").join()), "serving")
                .get("data");

        assertThat(data.get("model wrong/1").asText())
                .isEqualTo("FAILED: task text-classification: task.labels names 3 classes, the model has 2");
    }

    private static ValidatableResponse ok(String model, String type, Object body) {
        return post(model, type, body).statusCode(200).contentType("application/json");
    }

    private static ValidatableResponse post(String path, String type, Object body) {
        byte[] bytes = body instanceof String text ? text.getBytes(StandardCharsets.UTF_8) : (byte[]) body;
        return given().config(PLAIN)
                .contentType(type)
                .body(bytes)
                .post("/predict/" + path)
                .then();
    }

    private static HttpResponse<String> curl(String model, byte[] body) throws IOException, InterruptedException {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(SuiteService.url().resolve("/predict/" + model))
                                .header("Content-Type", "application/x-www-form-urlencoded")
                                .POST(BodyPublishers.ofByteArray(body))
                                .build(),
                        BodyHandlers.ofString());
    }

    private static JsonNode json(ValidatableResponse response) {
        try {
            return JSON.readTree(response.extract().asString());
        } catch (IOException notJson) {
            throw new IllegalStateException(notJson);
        }
    }

    private static double score(JsonNode labels, String label) {
        for (JsonNode one : labels) {
            if (one.get("label").asText().equals(label)) {
                return one.get("score").asDouble();
            }
        }
        throw new AssertionError("no " + label + " in " + labels);
    }

    private static double[] box(JsonNode found) {
        JsonNode box = found.get("box");
        return new double[] {
            box.get("xmin").asDouble(),
            box.get("ymin").asDouble(),
            box.get("xmax").asDouble(),
            box.get("ymax").asDouble()
        };
    }
}
