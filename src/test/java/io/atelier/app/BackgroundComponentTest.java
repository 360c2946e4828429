package io.atelier.app;

import static io.atelier.testing.ServiceClient.floats;
import static io.atelier.testing.ServiceClient.json;
import static io.atelier.testing.ServiceClient.ok;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.atelier.core.DeviceId;
import io.atelier.core.ServingException.Cancelled;
import io.atelier.testing.LineStream;
import io.atelier.testing.SuiteService;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.lang.management.ManagementFactory;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Jobs and streams down to an engine under the test's control: two devices of one permit each. */
@QuarkusTest
@TestProfile(BackgroundComponentTest.FakeDevices.class)
@Timeout(240)
class BackgroundComponentTest extends OverFakeService {
    private static final Logger LOG = Logger.getLogger(BackgroundComponentTest.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final DeviceId FIRST = DeviceId.cpu(0);
    private static final DeviceId SECOND = DeviceId.cpu(1);
    private static final String SMALL = "/v2/models/small/infer";
    private static final int WINDOW = 64;

    /** {@code fake}, and {@code small} of batches of one with a short queue. */
    public static class FakeDevices extends FakeService.Profile {
        @Override
        protected Map<String, String> repository() {
            return Map.of(
                    "fake/1/model.onnx", "",
                    "small/1/model.onnx", "",
                    "small/model.yaml", "{timeout: 60s, batching: {max-batch-size: 1, max-queue-size: 2}}");
        }

        @Override
        protected Map<String, String> settings() {
            return Map.of("atelier.map.window", Integer.toString(WINDOW));
        }
    }

    @AfterEach
    void letGo() {
        engine.letGo(FIRST);
        engine.letGo(SECOND);
    }

    @Test
    void aJobThatIsDeletedWhileItWaitsIsNeverExecuted() throws Exception {
        engine.hang(FIRST);
        engine.hang(SECOND);
        List<String> running = List.of(accept(8001), accept(8002));
        engine.awaitHanging(FIRST);
        engine.awaitHanging(SECOND);
        service.awaitAsked(2);
        String waiting = accept(8003);
        CompletableFuture<?> queued = service.nextAsked();
        assertThat(status(waiting)).isEqualTo("queued");
        assertThat(status(running.get(0))).isEqualTo("running");
        assertThat(status(running.get(1))).isEqualTo("running");

        HttpResponse<String> deleted = client.delete(waiting).get(20, TimeUnit.SECONDS);

        assertThat(ok(deleted).get("status").asText()).isEqualTo("cancelled");
        assertThatThrownBy(() -> queued.get(20, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class)
                .hasRootCauseInstanceOf(Cancelled.class);
        letGo();
        for (String job : running) {
            client.awaitStatus(job + "/result", 200, Duration.ofSeconds(20));
            assertThat(status(job)).isEqualTo("succeeded");
        }
        ok(client.post(SMALL, infer(8004)).get(20, TimeUnit.SECONDS));
        assertThat(engine.executed()).contains(8001f, 8002f, 8004f).doesNotContain(8003f);
    }

    @Test
    void aJobIsRefusedAtOnceWhereItsModelHasNoRoom() throws Exception {
        engine.hang(FIRST);
        engine.hang(SECOND);
        List<String> jobs = new ArrayList<>(List.of(accept(8011), accept(8012)));
        engine.awaitHanging(FIRST);
        engine.awaitHanging(SECOND);
        jobs.add(accept(8013));

        HttpResponse<String> refused =
                client.post(SMALL, infer(8015), "Prefer", "respond-async").get(20, TimeUnit.SECONDS);

        assertThat(refused.statusCode()).isEqualTo(429);
        assertThat(json(refused).get("error").asText())
                .isEqualTo("the queue of model 'small' has no room for priority 8: 1 wait");
        letGo();
        for (int i = 0; i < jobs.size(); i++) {
            client.awaitStatus(jobs.get(i) + "/result", 200, Duration.ofSeconds(20));
            assertThat(floats(ok(client.get(jobs.get(i) + "/result").join()).at("/outputs/0/data")))
                    .containsExactly(8012 + i);
        }
    }

    @Test
    void aStreamKeepsItsOrderThoughADeviceIsSlow() throws Exception {
        engine.hang(FIRST);
        engine.hang(SECOND);
        int count = 40;
        try (LineStream stream = LineStream.open(SuiteService.url(), "/v2/models/small/map")) {
            stream.sendAll(
                    IntStream.range(0, count).mapToObj(i -> infer(9000 + i)).iterator());
            engine.awaitHanging(FIRST);
            engine.awaitHanging(SECOND);
            engine.letGo(SECOND);
            await().until(() -> engine.executed().contains(9000f + count - 1));
            engine.letGo(FIRST);

            for (int i = 0; i < count; i++) {
                assertThat(floats(line(stream).at("/outputs/0/data"))).containsExactly(9001 + i);
            }
            assertThat(stream.readLine()).isNull();
        }
    }

    @Test
    void whoHangsUpMidStreamIsNotServedFurther() throws Exception {
        engine.hang(FIRST);
        engine.hang(SECOND);
        List<CompletableFuture<?>> taken = new ArrayList<>();
        try (LineStream stream = LineStream.open(SuiteService.url(), "/v2/models/small/map")) {
            for (int i = 0; i < 6; i++) {
                stream.send(infer(9100 + i));
            }
            engine.awaitHanging(FIRST);
            engine.awaitHanging(SECOND);
            while (taken.size() < 3) { // two run, one waits in the queue; the others are refused and asked again
                CompletableFuture<?> answer = service.nextAsked();
                if (!answer.isCompletedExceptionally()) {
                    taken.add(answer);
                }
            }
        }
        for (CompletableFuture<?> answer : taken) {
            assertThatThrownBy(() -> answer.get(20, TimeUnit.SECONDS)).hasRootCauseInstanceOf(Cancelled.class);
        }
        letGo();
        ok(client.post(SMALL, infer(9199)).get(20, TimeUnit.SECONDS));
        assertThat(engine.executed()).contains(9199f).doesNotContain(9102f, 9103f, 9104f, 9105f);
    }

    /** The client sends 200 000 lines and reads nothing until the service takes no more; then it reads them all. */
    @Test
    void aStreamIsAsFastAsItsReaderAndNoLargerThanItsWindow() throws Exception {
        int count = 200_000;
        service.onlyCount();
        long before = usedHeap();
        Iterator<String> lines = IntStream.range(0, count)
                .mapToObj(i -> "{\"id\":\"" + i + "\",\"inputs\":[" + input(i % 1000) + "]}")
                .iterator();
        ExecutorService sender = Executors.newSingleThreadExecutor();
        try (LineStream stream = LineStream.open(SuiteService.url(), "/v2/models/fake/map")) {
            int taken = stream.sendUntilStalled(lines, Duration.ofSeconds(2));
            long stalled = usedHeap();
            Future<?> sending = sender.submit(() -> {
                stream.sendAll(lines);
                return null;
            });
            long halfWay = 0;
            for (int i = 0; i < count; i++) {
                JsonNode answer = line(stream);
                assertThat(answer.get("id").asInt()).isEqualTo(i);
                assertThat(answer.at("/outputs/0/data/0").asInt()).isEqualTo(i % 1000 + 1);
                if (i == count / 2) {
                    halfWay = usedHeap();
                }
            }
            assertThat(stream.readLine()).isNull();
            sending.get(20, TimeUnit.SECONDS);

            LOG.infof(
                    "%d of %d lines were taken unread; heap grew by %d KiB then, %d KiB half way; %d in flight at most",
                    taken, count, (stalled - before) >> 10, (halfWay - before) >> 10, service.mostInFlight());
            assertThat(taken).isLessThan(count);
            assertThat(stalled - before).isLessThan(32 << 20);
            assertThat(halfWay - before).isLessThan(32 << 20);
            assertThat(service.mostInFlight()).isBetween(2, WINDOW);
        } finally {
            sender.shutdownNow();
        }
    }

    private static long usedHeap() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    private String accept(float number) throws Exception {
        HttpResponse<String> accepted =
                client.post(SMALL, infer(number), "Prefer", "respond-async").get(20, TimeUnit.SECONDS);
        assertThat(accepted.statusCode()).as(accepted.body()).isEqualTo(202);
        return accepted.headers().firstValue("Location").orElseThrow();
    }

    private String status(String job) throws Exception {
        return ok(client.get(job).get(20, TimeUnit.SECONDS)).get("status").asText();
    }

    private static JsonNode line(LineStream stream) throws Exception {
        return JSON.readTree(stream.readLine());
    }

    private static String infer(float number) {
        return "{\"inputs\":[" + input(number) + "]}";
    }

    private static String input(float number) {
        return "{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1,1],\"data\":[" + number + "]}";
    }
}
