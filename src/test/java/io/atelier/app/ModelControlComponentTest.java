package io.atelier.app;

import static io.atelier.testing.ServiceClient.floats;
import static io.atelier.testing.ServiceClient.json;
import static io.atelier.testing.ServiceClient.ok;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.atelier.core.DeviceId;
import io.atelier.core.InferenceRequest;
import io.atelier.core.ModelId;
import io.atelier.core.ServingException.NotReady;
import io.atelier.core.Tensor;
import io.atelier.serving.InferenceService;
import io.atelier.testing.FakeEngine;
import io.atelier.testing.ServiceClient;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Loading and unloading over real HTTP while the service serves: two devices of one permit each. */
@QuarkusTest
@TestProfile(ModelControlComponentTest.Explicit.class)
@Timeout(120)
class ModelControlComponentTest extends OverFakeService {
    private static final List<DeviceId> DEVICES = List.of(DeviceId.cpu(0), DeviceId.cpu(1));

    /** Models that a test may change; each test has its own. */
    public static class Explicit extends FakeService.Profile {
        @Override
        protected Map<String, String> repository() {
            return Map.of(
                    "busy/1/model.onnx", "1",
                    "steady/1/model.onnx", "1",
                    "leaver/1/model.onnx", "1",
                    "grower/1/model.onnx", "1",
                    "tuned/1/model.onnx", "1",
                    "tuned/model.yaml", "batching: {max-batch-size: 8}\ntimeout: 5s",
                    "popular/1/model.onnx", "1",
                    "drained/1/model.onnx", "1",
                    "known/1/model.onnx", "1",
                    "broken/1/model.onnx", "no number");
        }

        @Override
        protected Map<String, String> settings() {
            return Map.of("atelier.model-control", "explicit");
        }
    }

    @Inject
    InferenceService inference;

    @Inject
    @ConfigProperty(name = "atelier.model-repository")
    Path repository;

    @AfterEach
    void nothingRanOnWhatWasFreed() {
        DEVICES.forEach(engine::letGo);
        engine.letLoad();
        engine.breakOn(first -> false);
        assertThat(engine.misused()).isZero();
    }

    /** Sixteen requests are in flight all the time, and every model in turn answers some of them. */
    @Test
    void reloadingUnderLoadLosesNoRequestAndAnswersNoneWrongly() throws Exception {
        int reloads = 20;
        Load load = new Load("busy", reloads + 1);
        load.begin(16);
        int freedBefore = engine.closed();
        for (int version = 2; version <= reloads + 1; version++) {
            load.awaitAnswers(40);
            write("busy/1/model.onnx", Integer.toString(version));
            ok(post("busy/load"));

            assertThat(ask("busy", 100)).isEqualTo(100 + version);
        }
        load.awaitAnswers(40);
        load.end();

        assertThat(load.wrong).isEmpty();
        assertThat(load.answered.get()).isGreaterThanOrEqualTo(40 * (reloads + 1));
        assertThat(engine.closed() - freedBefore)
                .as("all but the last two, which may be on their way")
                .isGreaterThanOrEqualTo(DEVICES.size() * (reloads - 1));
    }

    @Test
    void aBrokenFileLeavesTheOldModelServing() throws Exception {
        write("steady/1/model.onnx", "2");
        ok(post("steady/load"));
        write("steady/1/model.onnx", "not a number");

        HttpResponse<String> refused = post("steady/load");

        problem(refused, 400, "LOAD_FAILED", "failed to load 'steady', version 1: the model file is broken");
        assertThat(ask("steady", 1)).isEqualTo(3);
        assertThat(state("steady")).isEqualTo("1 READY ");
        assertThat(client.get("/v2/health/ready").join().statusCode()).isEqualTo(200);
        write("steady/1/model.onnx", "5");
        ok(post("steady/load"));
        assertThat(ask("steady", 1)).isEqualTo(6);
    }

    @Test
    void aModelThatAnswersItsGoldenQuestionWronglyIsNotSwitchedTo() throws Exception {
        String golden = """
                {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [1, 2]}],
                 "outputs": [{"name": "y", "datatype": "FP32", "shape": [1, 2], "data": [%s, %s]}]}""";
        write("known/model.yaml", "golden: {file: golden.json}");
        write("known/golden.json", golden.formatted(3, 4));
        String wrong = "failed to load 'known', version 1: the model's answer is not the one in golden.json:"
                + " output 'y' element 0 is %s, not 3.0 within golden.tolerance 0.01";

        problem(post("known/load"), 400, "LOAD_FAILED", wrong.formatted(2.0));
        assertThat(ask("known", 1)).as("serves on").isEqualTo(2);
        assertThat(state("known")).isEqualTo("1 READY ");

        write("known/1/model.onnx", "2");
        ok(post("known/load"));
        assertThat(ask("known", 1)).isEqualTo(3);

        write("known/1/model.onnx", "2.5");
        problem(post("known/load"), 400, "LOAD_FAILED", wrong.formatted(3.5));
        assertThat(ask("known", 1)).as("serves on").isEqualTo(3);
    }

    @Test
    void aModelThatTakesNoMadeUpInputServesAllTheSame() throws Exception {
        write("steady/1/model.onnx", "1");
        ok(post("steady/load"));
        write("steady/1/model.onnx", "2");
        engine.breakOn(first -> first != 1);

        ok(post("steady/load"));

        assertThat(ask("steady", 1)).isEqualTo(3);
        assertThat(client.post("/v2/repository/index", "").join().body())
                .contains("runs one request at a time: not shown: no inputs are known");
    }

    /** Two requests run, and four wait. */
    @Test
    void anUnloadedModelAnswersWhatItHasAccepted() throws Exception {
        DEVICES.forEach(engine::hang);
        List<CompletableFuture<HttpResponse<String>>> accepted = new ArrayList<>();
        accepted.add(infer("drained", 1));
        CompletableFuture.anyOf(engine.hanging(DEVICES.get(0)), engine.hanging(DEVICES.get(1)))
                .get(20, TimeUnit.SECONDS);
        accepted.add(infer("drained", 2));
        for (DeviceId device : DEVICES) {
            engine.awaitHanging(device);
        }
        for (int number = 3; number <= 6; number++) {
            accepted.add(infer("drained", number));
        }
        Pattern four = Pattern.compile("(?m)^atelier_queue_depth\\{model=\"drained\".* 4\\.0$");
        client.await(
                Duration.ofSeconds(20),
                () -> four.matcher(client.get("/q/metrics").join().body()).find());

        CompletableFuture<HttpResponse<String>> unloaded = client.post("/v2/repository/models/drained/unload", "");
        client.await(Duration.ofSeconds(20), () -> state("drained").startsWith("1 UNLOADING "));
        assertThat(infer("drained", 7).join().statusCode()).isEqualTo(404);
        assertThat(accepted).noneMatch(CompletableFuture::isDone);
        DEVICES.forEach(engine::letGo);

        for (int number = 1; number <= 6; number++) {
            assertThat(floats(ok(accepted.get(number - 1).join()).at("/outputs/0/data")))
                    .containsExactly(number + 1);
        }
        ok(unloaded.join());
        client.await(Duration.ofSeconds(20), () -> state("drained").equals("1 UNAVAILABLE unloaded"));
    }

    @Test
    void whatCouldNotBeLoadedAtTheStartCanBeLoadedLater() throws Exception {
        assertThat(state("broken")).isEqualTo("1 UNAVAILABLE the model file is broken");
        assertThat(client.get("/v2/models/broken/ready").join().statusCode()).isEqualTo(503);
        problem(
                post("broken/load"),
                400,
                "LOAD_FAILED",
                "failed to load 'broken', version 1: the model file is broken");

        write("broken/1/model.onnx", "7");
        ok(post("broken/load"));

        assertThat(ask("broken", 1)).isEqualTo(8);
        assertThat(client.get("/v2/models/broken/ready").join().statusCode()).isEqualTo(200);
    }

    @Test
    void anUnloadedModelIsUnknownUntilItIsLoadedAgain() throws Exception {
        assertThat(ask("leaver", 1)).isEqualTo(2);
        ok(post("leaver/unload", "{\"parameters\":{\"unload_dependents\":true}}"));

        String unknown = "Request for unknown model: 'leaver' is not found, it has been unloaded";
        problem(infer("leaver", 1).join(), 404, "MODEL_NOT_FOUND", unknown);
        for (String path : List.of("", "/ready", "/config", "/stats")) {
            problem(client.get("/v2/models/leaver" + path).join(), 404, "MODEL_NOT_FOUND", unknown);
        }
        ok(post("leaver/unload")); // waits for the first to be over, and changes nothing
        assertThat(state("leaver")).isEqualTo("1 UNAVAILABLE unloaded");
        assertThat(client.get("/q/metrics").join().body())
                .doesNotContain("atelier_queue_depth{model=\"leaver\"")
                .contains("atelier_queue_depth{model=\"busy\"");

        ok(post("leaver/load"));
        assertThat(ask("leaver", 1)).isEqualTo(2);
        assertThat(ok(client.get("/v2/models/leaver/stats").join())
                        .at("/model_stats/0/inference_count")
                        .asInt())
                .isEqualTo(1);
    }

    @Test
    void newFoldersAndVersionsAreServedWhenAskedFor() throws Exception {
        write("late/1/model.onnx", "3");
        assertThat(state("late")).isEqualTo("- UNAVAILABLE not loaded");
        problem(infer("late", 1).join(), 404, "MODEL_NOT_FOUND", "Request for unknown model: 'late' is not found");
        ok(post("late/load"));
        assertThat(ask("late", 1)).isEqualTo(4);

        write("grower/2/model.onnx", "2");
        ok(post("grower/load"));
        assertThat(ask("grower", 1)).isEqualTo(3);
        assertThat(state("grower")).startsWith("1 UN").endsWith("2 READY ");
        assertThat(client.get("/v2/models/grower/versions/1").join().statusCode())
                .isEqualTo(404);

        ok(post("grower/load", config("{\"versions\":\"all\"}")));
        assertThat(state("grower")).isEqualTo("1 READY 2 READY ");
        assertThat(ok(client.get("/v2/models/grower").join()).get("versions")).hasToString("[\"1\",\"2\"]");
        write("grower/3/model.onnx", "no number");
        problem(
                post("grower/load", config("{\"versions\":\"all\"}")),
                400,
                "LOAD_FAILED",
                "failed to load 'grower', version 3: the model file is broken");
        assertThat(state("grower")).startsWith("1 READY 2 READY 3 UNAVAILABLE ");
        assertThat(ask("grower", 1)).isEqualTo(3);
    }

    @Test
    void aConfigurationCanComeWithTheOrder() throws Exception {
        ok(post("tuned/load", config("{\"batching\":{\"max-queue-delay\":\"1ms\"},\"instances\":3}")));

        JsonNode config = ok(client.get("/v2/models/tuned/config").join());
        assertThat(config.get("max_batch_size").asInt()).isEqualTo(8);
        assertThat(config.at("/dynamic_batching/max_queue_delay_microseconds").asLong())
                .isEqualTo(1000);
        assertThat(config.at("/instance_group/0/count").asInt()).isEqualTo(3);
        assertThat(config.at("/dynamic_batching/default_queue_policy/default_timeout_microseconds")
                        .asLong())
                .isZero(); // a queue timeout, which there is none

        ok(post("tuned/load", config("{\"max_batch_size\":\"16\"}")));
        assertThat(ok(client.get("/v2/models/tuned/versions/1/config").join())
                        .get("max_batch_size")
                        .asInt())
                .isEqualTo(16);

        ok(post("tuned/load", config(config.toString())));
        assertThat(ok(client.get("/v2/models/tuned/config").join())).isEqualTo(config);

        ok(post("tuned/load"));
        assertThat(ok(client.get("/v2/models/tuned/config").join())
                        .at("/dynamic_batching/max_queue_delay_microseconds")
                        .asLong())
                .isZero();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "steady/load | { | 400 | malformed JSON",
                "steady/load | [] | 400 | the body is not a JSON object",
                "steady/load | {\"parameters\":1} | 400 | parameters is a number, not an object",
                "steady/load | {\"parameters\":{\"config\":{}}} | 400 | parameters.config is an object, not a string",
                "steady/load | {\"parameters\":{\"config\":\"max_batch_size\"}} | 400 | failed to load 'steady', parameters.config: is not JSON",
                "steady/load | {\"parameters\":{\"config\":\"{\\\"share\\\":1}\"}} | 400 | failed to load 'steady', model.yaml with parameters.config: share is the number 1",
                "steady/load | {\"parameters\":{\"file:1/model.onnx\":\"aGk=\"}} | 400 | parameters.file:1/model.onnx: models are loaded from the repository alone",
                "steady/unload | {\"parameters\":{\"unload_dependents\":1}} | 400 | parameters.unload_dependents is a number",
                "nobody/load | {} | 404 | Request for unknown model: failed to load 'nobody', the model repository has no such folder",
                "nobody/unload | {} | 404 | Request for unknown model: 'nobody' is not found",
                "..%2Fsteady/load | {} | 404 | Request for unknown model",
            })
    void refusesWhatItCannotDo(String path, String body, int status, String error) {
        HttpResponse<String> refused = post(path, body);

        assertThat(refused.statusCode()).as(refused.body()).isEqualTo(status);
        assertThat(json(refused).get("error").asText()).startsWith(error);
        assertThat(ask("steady", 1)).isGreaterThan(1);
    }

    /** One load runs and seven wait; the others are told so at once. */
    @Test
    void changesOfOneModelFollowOneAnotherAndAFewMayWait() throws Exception {
        engine.holdLoads();
        BlockingQueue<HttpResponse<String>> answers = new LinkedBlockingQueue<>();
        List<CompletableFuture<?>> all = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            all.add(client.post("/v2/repository/models/popular/load", "").thenAccept(answers::add));
        }

        for (int i = 0; i < 12; i++) {
            HttpResponse<String> refused = answers.take();
            problem(refused, 429, "OVERLOADED", "too many changes of model 'popular' wait already");
            assertThat(refused.headers().firstValue("Retry-After")).isPresent();
        }
        assertThat(ask("popular", 1)).as("serves on").isEqualTo(2);
        engine.letLoad();

        CompletableFuture.allOf(all.toArray(CompletableFuture<?>[]::new)).get(60, TimeUnit.SECONDS);
        assertThat(answers).hasSize(8).allSatisfy(ServiceClient::ok);
        assertThat(ask("popular", 1)).isEqualTo(2);
    }

    /** As one does that was checked against a model that was replaced meanwhile. */
    @Test
    void aRequestThatDoesNotFitTheModelAnyMoreIsToBeSentAgain() {
        Tensor x = FakeEngine.row(1);
        ModelId model = new ModelId("steady", "1");
        for (InferenceRequest old : List.of(
                new InferenceRequest(null, model, List.of(x.named("z")), List.of("y"), 0),
                new InferenceRequest(null, model, List.of(x, x), List.of("y"), 0),
                new InferenceRequest(null, model, List.of(x), List.of("gone"), 0))) {
            assertThat(inference.infer(old, inference.deadline(Duration.ofSeconds(20))))
                    .failsWithin(Duration.ofSeconds(20))
                    .withThrowableThat()
                    .havingCause()
                    .isInstanceOf(NotReady.class)
                    .withMessageContaining("replaced");
        }
    }

    @Test
    void theIndexShowsWhatServesOrEverything() {
        JsonNode all = ok(client.post("/v2/repository/index", "").join());
        JsonNode ready =
                ok(client.post("/v2/repository/index", "{\"ready\":true}").join());

        assertThat(all.findValuesAsText("name")).contains("busy", "tuned");
        assertThat(ready).isNotEmpty().allSatisfy(model -> {
            assertThat(model.get("state").asText()).isEqualTo("READY");
            assertThat(model.get("version").asText()).isNotEmpty();
            assertThat(model.get("reason").asText()).isEmpty();
        });
        HttpResponse<String> refused =
                client.post("/v2/repository/index", "{\"ready\":1}").join();
        problem(refused, 400, "INVALID_INPUT", "ready is a number, not true or false");
    }

    /** Requests that follow one another, so many at a time; each has its own number. */
    private final class Load {
        final ConcurrentLinkedQueue<String> wrong = new ConcurrentLinkedQueue<>();
        final AtomicInteger answered = new AtomicInteger();
        private final Semaphore answers = new Semaphore(0);
        private final AtomicBoolean over = new AtomicBoolean();
        private final AtomicInteger next = new AtomicInteger();
        private final List<CompletableFuture<Void>> chains = new ArrayList<>();
        private final String model;
        private final int versions;

        Load(String model, int versions) {
            this.model = model;
            this.versions = versions;
        }

        void begin(int inFlight) {
            for (int i = 0; i < inFlight; i++) {
                chains.add(ask());
            }
        }

        private CompletableFuture<Void> ask() {
            int number = 1000 + 100 * (next.getAndIncrement() % 10_000);
            return infer(model, number).thenCompose(answer -> {
                check(number, answer);
                return over.get() ? CompletableFuture.<Void>completedFuture(null) : ask();
            });
        }

        private void check(int number, HttpResponse<String> answer) {
            float added = answer.statusCode() == 200 ? floats(json(answer).at("/outputs/0/data"))[0] - number : -1;
            if (added < 1 || added > versions || added != (int) added) {
                wrong.add(number + ": " + answer.statusCode() + " " + answer.body());
            }
            answered.incrementAndGet();
            answers.release();
        }

        void awaitAnswers(int more) throws InterruptedException {
            assertThat(answers.tryAcquire(more, 20, TimeUnit.SECONDS))
                    .as("%d more answers; wrong: %s", more, wrong)
                    .isTrue();
        }

        void end() throws Exception {
            over.set(true);
            CompletableFuture.allOf(chains.toArray(CompletableFuture<?>[]::new)).get(20, TimeUnit.SECONDS);
        }
    }

    private float ask(String model, float number) {
        return floats(ok(infer(model, number).join()).at("/outputs/0/data"))[0];
    }

    private CompletableFuture<HttpResponse<String>> infer(String model, float number) {
        return client.post(
                "/v2/models/" + model + "/infer",
                "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1,1],\"data\":[" + number + "]}]}");
    }

    /** The versions of a model with their states and reasons, as the index has them. */
    private String state(String model) {
        StringBuilder states = new StringBuilder();
        for (JsonNode state : ok(client.post("/v2/repository/index", "").join())) {
            if (state.get("name").asText().equals(model)) {
                states.append(states.isEmpty() || states.toString().endsWith(" ") ? "" : " ")
                        .append(state.path("version").asText("-"))
                        .append(' ')
                        .append(state.get("state").asText())
                        .append(' ')
                        .append(state.get("reason").asText());
            }
        }
        return states.toString();
    }

    private HttpResponse<String> post(String path) {
        return post(path, "");
    }

    private HttpResponse<String> post(String path, String body) {
        return client.post("/v2/repository/models/" + path, body).join();
    }

    private static String config(String json) {
        return "{\"parameters\":{\"config\":\"" + json.replace("\"", "\\\"") + "\"}}";
    }

    private void write(String path, String text) throws IOException {
        Path file = repository.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private static void problem(HttpResponse<String> answer, int status, String code, String error) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(json(answer).get("code").asText()).isEqualTo(code);
        assertThat(json(answer).get("error").asText()).isEqualTo(error);
    }
}
