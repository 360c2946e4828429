package io.atelier.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.core.DeviceId;
import io.atelier.core.ServingException.NotReady;
import io.atelier.engine.ModelLoadException;
import io.atelier.testing.ManualTime;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class LoadsTest {
    private static final Duration LIMIT = Duration.ofSeconds(90);

    private final ManualTime time = new ManualTime();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final CountDownLatch hang = new CountDownLatch(1);
    private final CompletableFuture<String> freed = new CompletableFuture<>();

    @AfterEach
    void letGo() {
        hang.countDown();
        threads.shutdownNow();
    }

    @Test
    void oneThatHangsIsGivenUpAtItsLimitAndTheNextBegins() throws Exception {
        Loads loads = new Loads(DeviceId.gpu(0), 1, threads, time);
        CountDownLatch inside = new CountDownLatch(1);
        CompletableFuture<String> hung = loads.enter(() -> hanging(inside, "late"), LIMIT, freed::complete);
        CompletableFuture<String> next = loads.enter(() -> "next", LIMIT, freed::complete);
        assertThat(inside.await(20, TimeUnit.SECONDS)).isTrue();

        time.advance(LIMIT.minusNanos(1));
        assertThat(hung).isNotDone();
        assertThat(next).isNotDone();
        time.advance(Duration.ofNanos(1));

        assertThat(hung)
                .failsWithin(Duration.ofSeconds(20))
                .withThrowableThat()
                .havingCause()
                .isInstanceOf(ModelLoadException.class)
                .withMessage("not loaded on gpu:0 within 90 s");
        assertThat(next.get(20, TimeUnit.SECONDS)).isEqualTo("next");
        assertThat(freed).isNotDone();
        hang.countDown();
        assertThat(freed.get(20, TimeUnit.SECONDS)).isEqualTo("late");
    }

    @Test
    void noMoreBeginThanThereArePlaces() throws Exception {
        Loads loads = new Loads(DeviceId.cpu(0), 2, threads, time);
        CountDownLatch inside = new CountDownLatch(2);
        CountDownLatch third = new CountDownLatch(1);
        CompletableFuture<String> a = loads.enter(() -> hanging(inside, "a"), LIMIT, freed::complete);
        CompletableFuture<String> b = loads.enter(() -> hanging(inside, "b"), LIMIT, freed::complete);
        CompletableFuture<String> c = loads.enter(() -> hanging(third, "c"), LIMIT, freed::complete);

        assertThat(inside.await(20, TimeUnit.SECONDS)).isTrue();
        assertThat(third.getCount()).isOne();
        hang.countDown();

        assertThat(a.get(20, TimeUnit.SECONDS)).isEqualTo("a");
        assertThat(b.get(20, TimeUnit.SECONDS)).isEqualTo("b");
        assertThat(c.get(20, TimeUnit.SECONDS)).isEqualTo("c");
        time.advance(LIMIT.multipliedBy(2));
        assertThat(freed).as("alarms are off").isNotDone();
    }

    @Test
    void aFailureMakesRoomAndSoDoesTheEnd() {
        Loads loads = new Loads(DeviceId.cpu(0), 1, threads, time);
        IllegalStateException broken = new IllegalStateException("broken");
        assertThat(loads.enter(
                        () -> {
                            throw broken;
                        },
                        LIMIT,
                        late -> {}))
                .failsWithin(Duration.ofSeconds(20))
                .withThrowableThat()
                .withCause(broken);
        assertThat(loads.enter(() -> "next", LIMIT, freed::complete)).succeedsWithin(Duration.ofSeconds(20));

        threads.shutdown();
        for (int i = 0; i < 2; i++) {
            assertThat(loads.enter(() -> "closed", LIMIT, freed::complete))
                    .failsWithin(Duration.ofSeconds(20))
                    .withThrowableThat()
                    .havingCause()
                    .isInstanceOf(NotReady.class);
        }
    }

    private String hanging(CountDownLatch inside, String result) throws InterruptedException {
        inside.countDown();
        hang.await();
        return result;
    }
}
