package io.atelier.serving.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.core.ModelId;
import io.atelier.core.ServingException.Overloaded;
import io.atelier.testing.ManualTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

class InMemoryJobStoreTest {
    private static final Duration LIFE = Duration.ofMinutes(1);

    private final ManualTime time = new ManualTime();
    private final InMemoryJobStore store = new InMemoryJobStore(3, 10_000, time, time);

    @Test
    void forgetsAJobWhenItsLifeIsOver() {
        done(store.add(job("a", 1), LIFE));

        time.advance(LIFE.minusNanos(1));
        assertThat(done(store.find("a"))).isPresent();
        time.advance(Duration.ofNanos(1));
        assertThat(done(store.find("a"))).isEmpty();
        assertThat(store.size()).isZero();
        assertThat(store.sizeBytes()).isZero();
    }

    @Test
    void aJobThatTookAPlaceHasALifeOfItsOwn() {
        done(store.add(job("a", 1), LIFE));
        time.advance(LIFE.dividedBy(2));
        assertThat(done(store.replace(finished("a", 1), LIFE))).isTrue();

        time.advance(LIFE.dividedBy(2));

        assertThat(done(store.find("a"))).map(Job::state).hasValue(Job.State.SUCCEEDED);
        time.advance(LIFE.dividedBy(2));
        assertThat(done(store.find("a"))).isEmpty();
    }

    @Test
    void refusesMoreJobsThanItsBoundUntilOneIsForgotten() {
        done(store.add(job("a", 1), LIFE));
        done(store.add(finished("b", 1), Duration.ofSeconds(30)));
        done(store.add(job("c", 1), LIFE));
        time.advance(Duration.ofSeconds(10));

        assertThatThrownBy(() -> done(store.add(job("d", 1), LIFE)))
                .hasCauseInstanceOf(Overloaded.class)
                .cause()
                .hasMessage("the job store is full: it holds 3 jobs")
                .satisfies(full -> assertThat(((Overloaded) full).retryAfter()).hasValue(Duration.ofSeconds(20)));

        time.advance(Duration.ofSeconds(20));
        done(store.add(job("d", 1), LIFE));
        assertThat(store.size()).isEqualTo(3);
    }

    @Test
    void refusesMoreBytesThanItsBound() {
        done(store.add(job("a", 6_000), LIFE));
        done(store.add(job("b", 3), LIFE));

        assertThatThrownBy(() -> done(store.add(job("c", 4_000), LIFE)))
                .cause()
                .hasMessage("the job store has no room for 4000 bytes: it holds 7024 of 10000");
        assertThatThrownBy(() -> done(store.replace(finished("b", 5_000), LIFE)))
                .cause()
                .hasMessage("the job store has no room for 5000 bytes: it holds 7024 of 10000");
        assertThat(done(store.find("b"))).map(Job::state).hasValue(Job.State.QUEUED);

        done(store.replace(finished("a", 9_000 - 1_024), LIFE));
        assertThat(store.sizeBytes()).isEqualTo(9_000);
    }

    @Test
    void whatIsGoneIsNotReplaced() {
        done(store.add(job("a", 1), LIFE));
        assertThat(done(store.remove("a"))).isPresent();

        assertThat(done(store.replace(finished("a", 1), LIFE))).isFalse();
        assertThat(done(store.remove("a"))).isEqualTo(Optional.empty());
    }

    private static Job job(String id, long bytes) {
        return new Job(id, new ModelId("m", "1"), Job.State.QUEUED, Instant.EPOCH, Instant.EPOCH, bytes, null);
    }

    private static Job finished(String id, int bytes) {
        return job(id, 0)
                .finished(Job.State.SUCCEEDED, new JobAnswer(200, Map.of(), new byte[bytes], null), Instant.EPOCH);
    }

    private static <T> T done(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }
}
