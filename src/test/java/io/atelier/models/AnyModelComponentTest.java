package io.atelier.models;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OrtException;
import com.fasterxml.jackson.databind.JsonNode;
import io.atelier.models.InferClient.Answer;
import io.atelier.models.InferClient.Form;
import io.atelier.models.MadeModel.Nature;
import io.atelier.testing.StartUp;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.restassured.RestAssured;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever is sent, by however many callers, in whatever mix of shapes, each answer equals ONNX Runtime's for that request
 * alone; and what can share executions does. {@code -Dmodels.seed} repeats a run.
 */
@QuarkusTest
@TestProfile(AnyModelComponentTest.EveryModel.class)
@Timeout(60)
class AnyModelComponentTest {
    private static final long SEED = Long.getLong("models.seed", System.nanoTime());
    private static final int CALLERS = 16;
    private static final int REQUESTS = 12;
    private static final int SHOWN = 3;

    /** One slot, and a short wait for company, so that requests meet even on a machine where callers seldom overlap. */
    public static class EveryModel implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of(
                    "atelier.devices", "cpu",
                    "atelier.slots", "1",
                    "atelier.batching.max-queue-delay", "2MS",
                    "atelier.model-repository", repository().toString(),
                    "quarkus.arc.exclude-types", "io.atelier.api.StubInferenceService");
        }

        private static Path repository() {
            try {
                Path root = Files.createTempDirectory("atelier-models-");
                for (MadeModel model : MadeModels.all()) {
                    Path folder = Files.createDirectories(root.resolve(model.name()));
                    if (!model.yaml().isEmpty()) {
                        Files.writeString(folder.resolve("model.yaml"), model.yaml());
                    }
                    Files.write(Files.createDirectories(folder.resolve("1")).resolve("model.onnx"), model.onnx());
                }
                return root;
            } catch (IOException failure) {
                throw new IllegalStateException(failure);
            }
        }
    }

    /**
     * A request, and what ONNX Runtime says of it.
     *
     * @param right empty if ONNX Runtime cannot run it
     */
    private record Question(List<Value> inputs, Optional<List<Value>> right, Form form) {}

    @Inject
    StartUp startUp;

    private InferClient client;

    static List<MadeModel> models() {
        return MadeModels.all();
    }

    @BeforeEach
    void awaitTheModels() throws InterruptedException {
        startUp.await();
        client = new InferClient(RestAssured.port);
    }

    @ParameterizedTest
    @MethodSource("models")
    void everyAnswerIsThatOfTheRequestAlone(MadeModel model) throws Exception {
        List<List<Question>> questions = questions(model);
        CyclicBarrier together = new CyclicBarrier(CALLERS);
        ExecutorService callers = Executors.newFixedThreadPool(CALLERS);
        List<String> faults = new ArrayList<>();
        try {
            List<Future<List<String>>> asked = new ArrayList<>();
            for (List<Question> mine : questions) {
                asked.add(callers.submit(() -> {
                    together.await(30, TimeUnit.SECONDS);
                    return ask(model, mine);
                }));
            }
            for (Future<List<String>> caller : asked) {
                faults.addAll(caller.get());
            }
        } finally {
            callers.shutdownNow();
        }

        assertThat(faults.stream().limit(SHOWN))
                .as("%s: the first of %d faults in %d answers, seed %d", model, faults.size(), CALLERS * REQUESTS, SEED)
                .isEmpty();
        if (model.nature() == Nature.ROWS) {
            JsonNode done = client.json("/v2/models/" + model.name() + "/stats").at("/model_stats/0");
            assertThat(done.path("execution_count").asLong())
                    .as("%s: executions for %s, seed %d", model, done.at("/inference_stats/success"), SEED)
                    .isLessThan(done.at("/inference_stats/success/count").asLong());
        }
    }

    /** ONNX Runtime's Java interface changes such texts itself, so they are held against what the model's file says. */
    @ParameterizedTest
    @MethodSource("nastyTexts")
    void aTextReachesTheModelAsItWasSentOrIsRefused(String text) throws Exception {
        long[] two = {2};
        for (Form form : Form.values()) {
            Answer number =
                    client.infer("number-of-a-text", List.of(Value.texts("x", two, List.of("plain", text))), form);
            Answer named = client.infer(
                    "text-of-a-number", List.of(Value.int64s("x", two, 0, MadeModels.NASTY_TEXTS.indexOf(text))), form);

            assertThat(number).matches(answer -> answer.ok() || answer.status() == 400, "is answered or refused");
            assertThat(number.outputs())
                    .allSatisfy(
                            value -> assertThat(value.buffer().asLongBuffer().get(1))
                                    .isEqualTo(MadeModels.NASTY_TEXTS.indexOf(text)));
            assertThat(named.outputs())
                    .allSatisfy(value -> assertThat(value.texts()).containsExactly("plain", text));
        }
    }

    static List<String> nastyTexts() {
        return MadeModels.NASTY_TEXTS;
    }

    /** For each caller its own. */
    private static List<List<Question>> questions(MadeModel model) throws OrtException {
        List<List<Question>> questions = new ArrayList<>();
        try (OnnxRuntime reference = new OnnxRuntime(model.reference())) {
            for (int caller = 0; caller < CALLERS; caller++) {
                Random random = new Random(SEED + 31L * model.name().hashCode() + caller);
                List<Question> mine = new ArrayList<>();
                for (int i = 0; i < REQUESTS; i++) {
                    List<Value> inputs = model.request().next(random);
                    mine.add(new Question(inputs, answer(reference, model.whole(inputs)), form(random, inputs)));
                }
                questions.add(mine);
            }
        }
        return questions;
    }

    private static Optional<List<Value>> answer(OnnxRuntime reference, List<Value> inputs) {
        try {
            return Optional.of(reference.run(inputs));
        } catch (OrtException refused) {
            return Optional.empty();
        }
    }

    /** FP16 and BF16 travel in binary only. */
    private static Form form(Random random, List<Value> inputs) {
        boolean binary =
                inputs.stream().map(Value::datatype).anyMatch(type -> type.equals("FP16") || type.equals("BF16"));
        return binary || random.nextBoolean() ? Form.BINARY : Form.JSON;
    }

    /** What was wrong. */
    private List<String> ask(MadeModel model, List<Question> questions) throws IOException, InterruptedException {
        List<String> faults = new ArrayList<>();
        for (Question question : questions) {
            Answer answer = client.infer(model.name(), question.inputs(), question.form());
            Optional<String> fault;
            if (question.right().isEmpty()) {
                fault = answer.ok() ? Optional.of("answered, though ONNX Runtime cannot") : Optional.empty();
            } else if (!answer.ok()) {
                fault = Optional.of(answer.status() + " " + answer.problem());
            } else if (model.nature() == Nature.RANDOM) {
                fault = Comparison.differenceOfShapes(question.right().get(), answer.outputs());
            } else {
                fault = Comparison.difference(question.right().get(), answer.outputs());
            }
            fault.ifPresent(what -> faults.add(question.inputs() + ": " + what));
        }
        return faults;
    }
}
