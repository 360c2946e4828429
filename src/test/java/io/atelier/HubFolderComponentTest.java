package io.atelier;

import static io.atelier.testing.ServiceClient.json;
import static io.atelier.testing.ServiceClient.ok;
import static io.atelier.testing.ServiceClient.vector;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.atelier.testing.HubModels;
import io.atelier.testing.ServiceClient;
import io.atelier.testing.StartUp;
import io.atelier.testing.TaskModels;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.restassured.RestAssured;
import jakarta.inject.Inject;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@link HubModels} behind real HTTP and the real engine. */
@QuarkusTest
@TestProfile(HubFolderComponentTest.Models.class)
class HubFolderComponentTest {
    /** The service over {@link HubModels}. */
    public static class Models implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            try {
                return Map.of(
                        "atelier.model-repository",
                        HubModels.write(Files.createTempDirectory("atelier-hub-"))
                                .toString(),
                        "quarkus.arc.exclude-types",
                        "io.atelier.api.StubInferenceService");
            } catch (Exception failure) {
                throw new IllegalStateException(failure);
            }
        }
    }

    private static final ObjectMapper JSON = new ObjectMapper();

    @Inject
    StartUp startUp;

    private ServiceClient client;

    @BeforeEach
    void awaitTheModels() throws InterruptedException {
        startUp.await();
        client = new ServiceClient(RestAssured.port);
    }

    @Test
    void readsTextsOfMoreThan512TokensWhereItIsToldTo() {
        String same = "good ".repeat(600);

        JsonNode bad = embed("long", same + "bad ".repeat(600));
        JsonNode film = embed("long", same + "film ".repeat(600));

        assertThat(tokens(bad)).isEqualTo(1200);
        assertThat(vector(bad, 0)).isNotEqualTo(vector(film, 0));
    }

    @Test
    void cutsTextsWhereTheModelHasNoMorePositionsWhateverItsFilesSay() {
        for (String model : List.of("short", "shorter-than-told")) {
            JsonNode answer = embed(model, "good ".repeat(5000));

            assertThat(tokens(answer)).as(model).isEqualTo(100);
            assertThat(vector(answer, 0)).isEqualTo(vector(embed(model, "good ".repeat(100)), 0));
        }
    }

    @Test
    void aTextWhoseTokenizerCutsAndFillsByItselfIsNeitherCutNorFilled() {
        assertThat(tokens(embed("long", "good bad"))).isEqualTo(2);
        assertThat(tokens(embed("long", "good ".repeat(129)))).isEqualTo(129);
    }

    @Test
    void poolsAndScalesAsItsPipelineSays() {
        assertThat(vector(embed("first-token", "bad good film"), 0)).containsExactly(2, -1);
        assertThat(tokens(embed("first-token", "bad ".repeat(50)))).isEqualTo(16);
        assertThat(vector(embed("largest", "bad good film"), 0)).containsExactly(2, 2);
        assertThat(vector(embed("joined", "bad good film"), 0))
                .containsExactly(new float[] {2, -1, 0.5f, 0.5f, 0.5f, 0.5f}, within(1e-6f));
        assertThat(vector(embed("weighted", "bad film"), 0)).containsExactly(new float[] {1, 0}, within(1e-6f));
        assertThat(vector(embed("root", "bad bad bad bad"), 0)).containsExactly(new float[] {4, -2}, within(1e-6f));
    }

    @Test
    void readsCapitalsAsSmallLettersWhereSentenceTransformersDoes() {
        assertThat(vector(embed("first-token", "BAD good"), 0)).containsExactly(2, -1);
    }

    @Test
    void oneLogitIsRightOrNotByItself() {
        assertThat(scores("rerank", "bad")).containsEntry("LABEL_0", sigmoid(2));
        assertThat(scores("rerank", "good")).containsEntry("LABEL_0", sigmoid(-1));
        assertThat(scores("rerank-raw", "good")).containsEntry("LABEL_0", -1.0);
        assertThat(scores("several", "bad"))
                .containsExactlyInAnyOrderEntriesOf(Map.of("toxic", sigmoid(2), "rude", sigmoid(-1)));
    }

    @Test
    void servesAFolderAsTheHubHasIt() {
        assertThat(scores("mood", "a good film")).containsOnlyKeys("negative", "positive");
        assertThat(scores("unnamed", "a good film")).containsOnlyKeys("LABEL_0", "LABEL_1");
        assertThat(vector(embed("bert", "bad"), 0))
                .containsExactly(new float[] {2 / (float) Math.sqrt(5), -1 / (float) Math.sqrt(5)}, within(1e-6f));

        JsonNode config = ok(client.get("/v2/models/bert/config").join());
        assertThat(config.toString())
                .contains("task.name", "text-embedding (config.json architectures: BertModel)", "onnx/model.onnx");
    }

    @Test
    void joinsRequestsOfEveryLengthAndAnswersEachAsAlone() {
        List<String> texts = IntStream.rangeClosed(1, 64)
                .mapToObj(i -> "bad ".repeat(i) + "film")
                .toList();
        List<float[]> alone =
                texts.stream().map(text -> vector(embed("bert", text), 0)).toList();

        List<CompletableFuture<HttpResponse<String>>> answers = texts.stream()
                .map(text -> client.post("/v1/embeddings", body("bert", text)))
                .toList();

        for (int i = 0; i < texts.size(); i++) {
            assertThat(vector(ok(answers.get(i).join()), 0)).containsExactly(alone.get(i), within(1e-6f));
        }
    }

    @Test
    void servesAFileWithoutAFolder() {
        JsonNode answer = json(client.post(
                        "/v2/models/adder/infer",
                        "{\"inputs\": [{\"name\": \"INPUT0\", \"datatype\": \"INT32\", \"shape\": [1, 2], \"data\": [1, 2]},"
                                + " {\"name\": \"INPUT1\", \"datatype\": \"INT32\", \"shape\": [1, 2], \"data\": [3, 4]}]}")
                .join());

        assertThat(answer.at("/outputs/0/data")).hasToString("[4,6]");
    }

    /**
     * Both run ONNX Runtime 1.26.0 on the same numbers, of which no sum has more than 64 terms of about 1: what its
     * kernels for other processors add in another order differs by some 64 units of 2^-24.
     */
    @Test
    void answersWhatTransformersAnswers() throws IOException {
        JsonNode reference = JSON.readTree(TaskModels.resource("/reference/texts.json"));
        for (Map.Entry<String, JsonNode> text : reference.get("texts").properties()) {
            String kind = text.getKey();
            assertThat(vector(embed("sentences", text.getValue().asText()), 0))
                    .as(kind)
                    .containsExactly(
                            ServiceClient.floats(
                                    reference.at("/vectors/sentences").get(kind)),
                            within(1e-5f));
            for (String model : List.of("feelings", "relevance")) {
                Map<String, Double> scores = scores(model, text.getValue().asText());
                JsonNode expected = reference.at("/scores/" + model).get(kind);
                assertThat(scores).as(kind).hasSameSizeAs(expected);
                scores.forEach((label, score) -> assertThat(score)
                        .as(kind + " " + label)
                        .isCloseTo(expected.get(label).asDouble(), within(1e-5)));
            }
        }
    }

    @Test
    void writesPromptsBeforeTextsAsTheModelWasTrained() {
        float[] usual = vector(embed("asks", "film"), 0);
        float[] named = vector(
                ok(client.post(
                                "/v1/embeddings",
                                "{\"model\": \"asks\", \"input\": \"film\", \"prompt_name\": \"answer\"}")
                        .join()),
                0);

        assertThat(usual).containsExactly(vector(embed("long-raw", "good film"), 0), within(1e-6f));
        assertThat(named).containsExactly(vector(embed("long-raw", "bad film"), 0), within(1e-6f));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "asks | \"prompt_name\": \"x\" | prompt_name is 'x', not answer or question",
                "long | \"prompt_name\": \"x\" | prompt_name is 'x', the model has no prompts",
                "asks | \"prompt_name\": 1 | prompt_name is a number, not a string",
            })
    void refusesAPromptThatTheModelHasNot(String model, String member, String detail) {
        HttpResponse<String> answer = client.post(
                        "/v1/embeddings", "{\"model\": \"" + model + "\", \"input\": \"film\", " + member + "}")
                .join();

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(json(answer).get("detail").asText()).isEqualTo(detail);
    }

    @Test
    void refusesATextThatIsNoUnicode() {
        HttpResponse<String> answer = client.post(
                        "/v1/embeddings", "{\"model\": \"long\", \"input\": [\"good\", \"a \\ud83d b\"]}")
                .join();

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(json(answer).get("detail").asText())
                .isEqualTo("text 1 holds half of a surrogate pair, which is no character");
    }

    private JsonNode embed(String model, String text) {
        return ok(client.post("/v1/embeddings", body(model, text)).join());
    }

    private static String body(String model, String text) {
        return JSON.createObjectNode().put("model", model).put("input", text).toString();
    }

    private Map<String, Double> scores(String model, String text) {
        JsonNode answer = ok(client.post(
                        "/predict/" + model,
                        JSON.createObjectNode().put("text", text).toString())
                .join());
        return StreamSupport.stream(answer.spliterator(), false)
                .collect(Collectors.toMap(
                        label -> label.get("label").asText(),
                        label -> Math.rint(label.get("score").asDouble() * 1e6) / 1e6));
    }

    private static double sigmoid(double number) {
        return Math.rint(1e6 / (1 + Math.exp(-number))) / 1e6;
    }

    private static int tokens(JsonNode answer) {
        return answer.at("/usage/prompt_tokens").asInt();
    }
}
