package io.atelier.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.testing.LineStream;
import io.atelier.testing.SuiteService;
import io.quarkus.test.junit.QuarkusIntegrationTest;
import io.quarkus.test.junit.TestProfile;
import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@link MapScenarios} as the service is packaged. */
@QuarkusIntegrationTest
@TestProfile(SuiteService.class)
class MapIT extends MapScenarios {
    /** More than fit into the service's window and everybody's socket buffers. */
    private static final int MANY = 100_000;

    @Test
    @Timeout(180)
    void takesNoMoreThanItsReaderReads() throws Exception {
        Iterator<String> lines =
                IntStream.range(0, MANY).mapToObj(MapScenarios::line).iterator();
        ExecutorService sender = Executors.newSingleThreadExecutor();
        try (LineStream stream = LineStream.open(SuiteService.url(), MAP)) {
            assertThat(stream.sendUntilStalled(lines, Duration.ofSeconds(1))).isLessThan(MANY);

            Future<?> sending = sender.submit(() -> {
                stream.sendAll(lines);
                return null;
            });
            for (int i = 0; i < MANY; i++) {
                assertThat(json(stream.readLine()).get("id").asInt()).isEqualTo(i);
            }
            assertThat(stream.readLine()).isNull();
            sending.get(20, TimeUnit.SECONDS);
        } finally {
            sender.shutdownNow();
        }
    }
}
