package io.atelier.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.equalTo;

import io.atelier.core.InferenceRequest;
import io.atelier.core.InferenceResult;
import io.atelier.core.ServingException.NotReady;
import io.atelier.core.ServingException.Overloaded;
import io.atelier.testing.LineStream;
import io.atelier.testing.SuiteService;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@link MapScenarios} where the model's answers are the test's, and limits are small. */
@QuarkusTest
@TestProfile(MapComponentTest.SmallLimits.class)
@Timeout(60)
class MapComponentTest extends MapScenarios {
    private static final int WINDOW = 4;

    /** Bodies of 8 KiB, lines of 2 KiB that must arrive within a second, two streams at once. */
    public static class SmallLimits implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of(
                    "quarkus.http.limits.max-body-size", "8K",
                    "quarkus.http.read-timeout", "1S",
                    "atelier.map.window", Integer.toString(WINDOW),
                    "atelier.map.max-line", "2K",
                    "atelier.map.max-streams", "2",
                    "atelier.map.timeout", "7S");
        }
    }

    @Inject
    StubInferenceService service;

    private final BlockingQueue<Asked> asked = new LinkedBlockingQueue<>();

    private record Asked(InferenceRequest request, CompletableFuture<InferenceResult> answer) {
        void echo() {
            answer.complete(StubInferenceService.echo(request).join());
        }
    }

    @AfterEach
    void reset() {
        service.reset();
    }

    @Test
    void aLineThatIsTooLongGivesAnErrorInItsPlace() {
        String[] answers = lines(given().body(" ".repeat(3000) + "\n" + line(3)).post(MAP));

        assertThat(answers).hasSize(2);
        error(answers[0], 1, "PAYLOAD_TOO_LARGE", "the line is longer than 2048 bytes");
        assertThat(json(answers[1]).get("id").asText()).isEqualTo("3");
    }

    @Test
    void theBodyHasNoLimit() throws IOException {
        int count = 200;
        String body = IntStream.range(0, count).mapToObj(i -> line(i) + "\n").collect(Collectors.joining());
        assertThat(body.length()).isGreaterThan(2 * 8192);

        assertThat(lines(given().body(body).post(MAP))).hasSize(count);
        try (LineStream chunked = LineStream.open(SuiteService.url(), MAP)) {
            chunked.sendAll(body.lines().iterator());
            assertThat(chunked.status()).isEqualTo(200);
            for (int i = 0; i < count; i++) {
                assertThat(json(chunked.readLine()).get("id").asInt()).isEqualTo(i);
            }
            assertThat(chunked.readLine()).isNull();
        }
    }

    @Test
    void readsNoFurtherThanItsWindow() throws Exception {
        hold();
        try (LineStream stream = LineStream.open(SuiteService.url(), MAP)) {
            List<String> lines =
                    IntStream.range(0, 20).mapToObj(MapScenarios::line).toList();
            stream.sendAll(lines.iterator());
            List<Asked> inFlight = new ArrayList<>();
            for (int i = 0; i < WINDOW; i++) {
                inFlight.add(next());
            }
            for (int i = 0; i < 20; i++) {
                assertThat(asked).as("asked beyond the window").isEmpty();
                inFlight.remove(0).echo();
                assertThat(json(stream.readLine()).get("id").asInt()).isEqualTo(i);
                if (i + WINDOW < 20) {
                    inFlight.add(next());
                }
            }
            assertThat(stream.readLine()).isNull();
        }
    }

    @Test
    void ordersWhatFinishesOutOfOrder() throws Exception {
        hold();
        try (LineStream stream = LineStream.open(SuiteService.url(), MAP)) {
            for (int i = 0; i < 3; i++) {
                stream.send(line(i));
            }
            stream.end();
            Asked first = next();
            Asked second = next();
            Asked third = next();
            third.echo();
            second.answer().completeExceptionally(new IllegalStateException("a bug"));
            first.echo();

            assertThat(json(stream.readLine()).get("id").asInt()).isZero();
            error(stream.readLine(), 2, "INTERNAL_ERROR", "an unexpected failure");
            assertThat(json(stream.readLine()).get("id").asInt()).isEqualTo(2);
        }
    }

    @Test
    void waitsWhereTheQueueIsFull() throws Exception {
        BlockingQueue<InferenceRequest> refused = new LinkedBlockingQueue<>();
        service.answer = request -> {
            refused.add(request);
            return CompletableFuture.failedFuture(new Overloaded("full", Duration.ofMillis(10)));
        };
        try (LineStream stream = LineStream.open(SuiteService.url(), MAP)) {
            stream.send(line(0));
            stream.end();
            for (int i = 0; i < 3; i++) {
                assertThat(refused.poll(20, TimeUnit.SECONDS)).isNotNull();
            }

            service.answer = StubInferenceService::echo;

            assertThat(json(stream.readLine()).get("id").asInt()).isZero();
        }
    }

    @Test
    void isLessUrgentAndHasADeadlineOfItsOwn() throws Exception {
        hold();
        try (LineStream stream =
                LineStream.open(SuiteService.url(), MAP, "Transfer-Encoding: chunked", "Request-Timeout: 6.5")) {
            stream.send(line(0));
            assertThat(next().request().priority()).isEqualTo(8);
            assertThat(service.lastTimeout).isEqualTo(Duration.ofMillis(6500));
            stream.send(line(1).replace("{\"id\"", "{\"parameters\":{\"priority\":1,\"timeout\":2000000},\"id\""));
            assertThat(next().request().priority()).isEqualTo(1);
            assertThat(service.lastTimeout).isEqualTo(Duration.ofSeconds(2));
        }
        try (LineStream stream = LineStream.open(SuiteService.url(), MAP)) {
            stream.send(line(0));
            next();
            assertThat(service.lastTimeout).isEqualTo(Duration.ofSeconds(7));
        }
    }

    @Test
    void aModelThatIsNotReadyEndsTheStream() throws Exception {
        hold();
        try (LineStream stream = LineStream.open(SuiteService.url(), MAP)) {
            for (int i = 0; i < 3; i++) {
                stream.send(line(i));
            }
            Asked first = next();
            Asked second = next();
            Asked third = next();
            second.answer().completeExceptionally(new NotReady("the service is shutting down", Duration.ofSeconds(1)));
            first.echo();

            assertThat(json(stream.readLine()).get("id").asInt()).isZero();
            error(stream.readLine(), 2, "NOT_READY", "the service is shutting down");
            assertThat(stream.readLine()).isNull();
            await().until(() -> third.answer().isCancelled());
        }
    }

    @Test
    void whoHangsUpIsNotAskedForAnyMore() throws Exception {
        hold();
        List<Asked> inFlight = new ArrayList<>();
        try (LineStream stream = LineStream.open(SuiteService.url(), MAP)) {
            for (int i = 0; i < 10; i++) {
                stream.send(line(i));
            }
            for (int i = 0; i < WINDOW; i++) {
                inFlight.add(next());
            }
        }
        await().until(() -> inFlight.stream().allMatch(one -> one.answer().isCancelled()));
        assertThat(asked).isEmpty();
    }

    @Test
    void takesSoManyStreamsAtOnce() throws Exception {
        try (LineStream one = LineStream.open(SuiteService.url(), MAP);
                LineStream two = LineStream.open(SuiteService.url(), MAP)) {
            one.send(line(1));
            two.send(line(2));
            one.readLine();
            two.readLine();

            given().body(line(3))
                    .post(MAP)
                    .then()
                    .statusCode(429)
                    .header("Retry-After", "1")
                    .body("error", equalTo("2 streams are open, more are not taken"));

            one.end();
            assertThat(one.readLine()).isNull();
            given().body(line(3)).post(MAP).then().statusCode(200);
        }
        await().untilAsserted(() -> {
            try (LineStream one = LineStream.open(SuiteService.url(), MAP);
                    LineStream two = LineStream.open(SuiteService.url(), MAP)) {
                one.send(line(1));
                two.send(line(2));
                assertThat(one.status()).isEqualTo(200);
                assertThat(two.status()).isEqualTo(200);
            }
        });
    }

    /** From now on the model answers when the test says so. */
    private void hold() {
        service.answer = request -> {
            Asked one = new Asked(request, new CompletableFuture<>());
            asked.add(one);
            return one.answer();
        };
    }

    private Asked next() throws InterruptedException {
        Asked one = asked.poll(20, TimeUnit.SECONDS);
        if (one == null) {
            throw new AssertionError("no line was asked");
        }
        return one;
    }
}
