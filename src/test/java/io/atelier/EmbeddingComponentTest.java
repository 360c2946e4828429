package io.atelier;

import static io.atelier.testing.ServiceClient.embeddings;
import static io.atelier.testing.ServiceClient.floats;
import static io.atelier.testing.ServiceClient.ok;
import static io.atelier.testing.ServiceClient.vector;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.atelier.core.DataType;
import io.atelier.core.ModelSignature;
import io.atelier.core.Shape;
import io.atelier.core.Task;
import io.atelier.core.TaskInput;
import io.atelier.core.TensorSpec;
import io.atelier.engine.Engine;
import io.atelier.engine.TaskConfig;
import io.atelier.engine.TaskConfig.Pooling;
import io.atelier.engine.TaskConfig.Prompts;
import io.atelier.engine.TaskConfig.TextEmbedding;
import io.atelier.engine.TaskConfig.TextInput;
import io.atelier.repository.EmbeddedModel;
import io.atelier.testing.ServiceClient;
import io.atelier.testing.StartUp;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.restassured.RestAssured;
import jakarta.inject.Inject;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The embedded model behind real HTTP, on two CPU devices. */
@QuarkusTest
@TestProfile(EmbeddingComponentTest.TwoDevices.class)
class EmbeddingComponentTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The service with two logical CPU devices and nothing else changed. */
    public static class TwoDevices implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of(
                    "atelier.devices", "cpu*2", "quarkus.arc.exclude-types", "io.atelier.api.StubInferenceService");
        }
    }

    private static final TaskConfig TASK = new TextEmbedding(
            new TextInput("tokenizer.json", 512, false), Set.of(Pooling.MEAN), true, Prompts.NONE, Optional.empty());
    private static final ModelSignature SIGNATURE = new ModelSignature(
            List.of(new TensorSpec("input_ids", DataType.INT64, Shape.of(-1, -1))),
            List.of(new TensorSpec("last_hidden_state", DataType.FP32, Shape.of(-1, -1, 384))));

    /** @param rounding the angle that rounding its activations moves the embedding by, in radians */
    private record Reference(String text, List<Long> ids, List<Float> embedding, double rounding) {}

    @Inject
    StartUp startUp;

    @Inject
    Engine engine;

    private ServiceClient client;

    @BeforeEach
    void awaitTheModel() throws InterruptedException {
        startUp.await();
        client = new ServiceClient(RestAssured.port);
    }

    @Test
    void cutsTextsIntoTheTokensOfTheReference(@TempDir Path folder) throws Exception {
        EmbeddedModel.unpackInto(folder);
        Task task = engine.loadTask(TASK, folder.resolve("minilm"), SIGNATURE);

        for (Reference reference : references()) {
            Task.Part part = task.prepare(List.of(new TaskInput.Text(reference.text())), 1)
                    .get(0);
            LongBuffer ids = part.inputs().get(0).data().asLongBuffer();

            assertThat(LongStream.generate(ids::get).limit(ids.limit()).boxed())
                    .as(reference.text())
                    .isEqualTo(reference.ids());
        }
    }

    /**
     * The model rounds its activations to 8 bits as it runs. Processors differ in the last bit of their floats, and one
     * bit may tip a rounding, from which others follow; so what is right is a neighbourhood. Each right answer is about
     * as far from the unrounded one as the reference is, and two of them at most twice as far from each other
     * ({@code src/test/reference/README.md}).
     */
    @Test
    void embedsEachTextAsAnotherRuntimeDoesUpToTheRoundingOfItsActivations() throws IOException {
        for (Reference reference : references()) {
            JsonNode answer = embed(reference.text());

            assertThat(angle(vector(answer, 0), reference.embedding()))
                    .as(reference.text())
                    .isLessThanOrEqualTo(2 * reference.rounding());
            assertThat(answer.at("/usage/prompt_tokens").asInt())
                    .isEqualTo(reference.ids().size());
            assertThat(answer.at("/usage/total_tokens").asInt())
                    .isEqualTo(reference.ids().size());
        }
    }

    @Test
    void keepsTheOrderOfAListOfTextsOfManyLengths() throws IOException {
        List<Reference> references = references();
        String[] texts = references.stream().map(Reference::text).toArray(String[]::new);

        JsonNode answer = embed(texts);

        assertThat(answer.get("data")).hasSize(texts.length);
        for (int i = 0; i < texts.length; i++) {
            assertThat(answer.at("/data/" + i + "/index").asInt()).isEqualTo(i);
            assertThat(vector(answer, i)).as(texts[i]).containsExactly(vector(embed(texts[i]), 0), within(1e-6f));
        }
        assertThat(answer.at("/usage/prompt_tokens").asInt())
                .isEqualTo(references.stream()
                        .mapToInt(reference -> reference.ids().size())
                        .sum());
    }

    @Test
    void saysTheSameInBase64() {
        JsonNode floats = embed("hello world");
        JsonNode base64 = ok(client.post(
                        "/v1/embeddings",
                        "{\"model\":\"minilm\",\"input\":\"hello world\",\"encoding_format\":\"base64\"}")
                .join());

        ByteBuffer raw = ByteBuffer.wrap(Base64.getDecoder()
                        .decode(base64.at("/data/0/embedding").asText()))
                .order(ByteOrder.LITTLE_ENDIAN);
        float[] decoded = new float[raw.remaining() / Float.BYTES];
        raw.asFloatBuffer().get(decoded);
        assertThat(decoded).containsExactly(vector(floats, 0));
    }

    @Test
    void tensorsSentRawPoolToTheSameEmbedding() throws IOException {
        for (Reference reference : references().subList(0, 3)) {
            List<Long> ids = reference.ids();
            JsonNode output = ok(client.post("/v2/models/minilm/infer", inferRequest(ids))
                            .join())
                    .at("/outputs/0");

            assertThat(output.get("name").asText()).isEqualTo("last_hidden_state");
            assertThat(output.get("shape")).hasToString("[1," + ids.size() + ",384]");
            assertThat(meanOfLengthOne(floats(output.get("data")), ids.size()))
                    .as(reference.text())
                    .containsExactly(vector(embed(reference.text()), 0), within(1e-6f));
        }
    }

    @Test
    void answersAThousandAtOnceAsItAnswersOne() {
        List<String> sentences = sentences(100);
        Map<String, float[]> alone = new HashMap<>();
        sentences.forEach(sentence -> alone.put(sentence, vector(embed(sentence), 0)));
        Map<String, Long> executionsBefore = executions();
        double batchesBefore = metric("atelier_batch_rows_count");
        double singlesBefore = metric("atelier_batch_rows_bucket", "le=\"1.0\"");

        List<CompletableFuture<HttpResponse<String>>> answers = IntStream.range(0, 1000)
                .mapToObj(i -> client.post("/v1/embeddings", embeddings(sentences.get(i % sentences.size()))))
                .toList();

        for (int i = 0; i < answers.size(); i++) {
            String sentence = sentences.get(i % sentences.size());
            assertThat(vector(ok(answers.get(i).join()), 0))
                    .as(sentence)
                    .containsExactly(alone.get(sentence), within(1e-6f));
        }
        double batches = metric("atelier_batch_rows_count") - batchesBefore;
        double singles = metric("atelier_batch_rows_bucket", "le=\"1.0\"") - singlesBefore;
        assertThat(batches - singles).as("batches of more than one row").isPositive();
        assertThat(batches).as("executions of a thousand rows").isLessThan(1000);
        assertThat(executions())
                .hasSize(2)
                .allSatisfy((device, executions) -> assertThat(executions - executionsBefore.get(device))
                        .as(device)
                        .isPositive());
    }

    private JsonNode embed(String... texts) {
        return ok(client.post("/v1/embeddings", embeddings(texts)).join());
    }

    private Map<String, Long> executions() {
        Map<String, Long> executions = new HashMap<>();
        ok(client.get("/v2/devices").join())
                .get("devices")
                .forEach(device -> executions.put(
                        device.get("id").asText(),
                        device.at("/counters/executions").asLong()));
        return executions;
    }

    /** The value of the one series with this name and label; 0 if there is none. */
    @Test
    void tellsWhereTheTimeOfAnExecutionWent() {
        JsonNode before = statistics();
        ok(client.post("/v1/embeddings", embeddings("a text", "and another of them"))
                .join());
        JsonNode after = statistics();

        long stages = 0;
        for (String stage : List.of("input", "infer", "output")) {
            long nanos = grown(before, after, "/inference_stats/compute_" + stage + "/ns");
            assertThat(nanos).as(stage).isPositive();
            stages += nanos;
            assertThat(after.get("batch_stats"))
                    .isNotEmpty()
                    .allSatisfy(batch -> assertThat(
                                    batch.at("/compute_" + stage + "/ns").asLong())
                            .as(stage)
                            .isPositive());
            assertThat(metric("atelier_execution_stage_seconds_total", "stage=\"" + stage + "\""))
                    .isPositive();
        }
        assertThat(grown(before, after, "/inference_stats/queue/ns") + stages)
                .isLessThanOrEqualTo(grown(before, after, "/inference_stats/success/ns"));
        assertThat(after.get("memory_usage")).isEmpty();
    }

    private JsonNode statistics() {
        return ok(client.get("/v2/models/minilm/stats").join()).at("/model_stats/0");
    }

    private static long grown(JsonNode before, JsonNode after, String count) {
        return after.at(count).asLong() - before.at(count).asLong();
    }

    private double metric(String name, String... labels) {
        return client.get("/q/metrics")
                .join()
                .body()
                .lines()
                .filter(line -> line.startsWith(name + "{"))
                .filter(line -> List.of(labels).stream().allMatch(line::contains))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }

    private static String inferRequest(List<Long> ids) {
        ObjectNode body = JSON.createObjectNode();
        ArrayNode inputs = body.putArray("inputs");
        for (String name : List.of("input_ids", "attention_mask", "token_type_ids")) {
            ObjectNode input = inputs.addObject().put("name", name).put("datatype", "INT64");
            input.putArray("shape").add(1).add(ids.size());
            ArrayNode data = input.putArray("data");
            for (long id : ids) {
                data.add(
                        switch (name) {
                            case "input_ids" -> id;
                            case "attention_mask" -> 1;
                            default -> 0;
                        });
            }
        }
        return body.toString();
    }

    private static float[] meanOfLengthOne(float[] hidden, int tokens) {
        int size = hidden.length / tokens;
        double[] sum = new double[size];
        for (int at = 0; at < hidden.length; at++) {
            sum[at % size] += hidden[at];
        }
        double squares = 0;
        for (double value : sum) {
            squares += value * value;
        }
        float[] vector = new float[size];
        for (int i = 0; i < size; i++) {
            vector[i] = (float) (sum[i] / Math.sqrt(squares));
        }
        return vector;
    }

    /** Between vectors of unit length. */
    private static double angle(float[] a, List<Float> b) {
        double squares = 0;
        for (int i = 0; i < a.length; i++) {
            squares += Math.pow((double) a[i] - b.get(i), 2);
        }
        return 2 * Math.asin(Math.min(1, Math.sqrt(squares) / 2));
    }

    /** Sentences of 1 to 40 words, the same at every run. */
    private static List<String> sentences(int count) {
        List<String> words = List.of(
                "the", "harbour", "master", "writes", "down", "every", "ship", "that", "comes", "in", "before", "dawn");
        Random random = new Random(42);
        List<String> sentences = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            StringBuilder sentence = new StringBuilder(Integer.toString(i));
            for (int word = random.nextInt(40); word >= 0; word--) {
                sentence.append(' ').append(words.get(random.nextInt(words.size())));
            }
            sentences.add(sentence.toString());
        }
        return sentences;
    }

    private static List<Reference> references() throws IOException {
        try (InputStream file = EmbeddingComponentTest.class.getResourceAsStream("/reference/minilm.json")) {
            return List.of(JSON.readValue(file, Reference[].class));
        }
    }
}
