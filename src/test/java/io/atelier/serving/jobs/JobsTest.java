package io.atelier.serving.jobs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.core.InferenceResult;
import io.atelier.core.ModelId;
import io.atelier.core.PendingInference;
import io.atelier.core.ServingException.DeadlineExceeded;
import io.atelier.core.ServingException.Overloaded;
import io.atelier.testing.ManualTime;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

class JobsTest {
    private static final ModelId MODEL = new ModelId("m", "1");
    private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");
    private static final JobPolicy POLICY = new JobPolicy(Duration.ofMinutes(5), Duration.ofMinutes(1), 2, 10_000, 8);

    private final ManualTime time = new ManualTime();
    private final InstantSource clock = () -> NOON.plusNanos(time.nanoTime() - 1_000_000);
    private final InMemoryJobStore store = new InMemoryJobStore(POLICY.maxJobs(), POLICY.maxBytes(), time, time);
    private final Jobs jobs = new Jobs(store, POLICY, Runnable::run, clock);
    private final Call call = new Call();

    @Test
    void keepsAnAnswerForItsLife() {
        Job accepted = submit(call);
        assertThat(accepted.state()).isEqualTo(Job.State.QUEUED);
        assertThat(accepted.created()).isEqualTo(NOON);
        assertThat(accepted.expires()).isEqualTo(NOON.plus(Duration.ofMinutes(6)));

        time.advance(Duration.ofSeconds(10));
        call.complete(new InferenceResult(MODEL, List.of()));

        Job finished = done(jobs.find(accepted.id())).orElseThrow();
        assertThat(finished.state()).isEqualTo(Job.State.SUCCEEDED);
        assertThat(answer(finished).body()).asString(UTF_8).isEqualTo("m/1");
        assertThat(finished.expires()).isEqualTo(NOON.plusSeconds(70));
        time.advance(Duration.ofMinutes(1));
        assertThat(done(jobs.find(accepted.id()))).isEmpty();
    }

    @Test
    void tellsWhetherItHasBegun() {
        String id = submit(call).id();
        assertThat(state(id)).hasValue(Job.State.QUEUED);

        call.begun = true;

        assertThat(state(id)).hasValue(Job.State.RUNNING);
    }

    @Test
    void keepsWhyThereIsNoResult() {
        String id = submit(call).id();

        call.completeExceptionally(new DeadlineExceeded("too late"));

        Job failed = done(jobs.find(id)).orElseThrow();
        assertThat(failed.state()).isEqualTo(Job.State.FAILED);
        assertThat(answer(failed).status()).isEqualTo(504);
        assertThat(answer(failed).error()).isEqualTo("too late");
    }

    @Test
    void whatIsRefusedAtOnceIsNoJob() {
        call.completeExceptionally(new Overloaded("no room", Duration.ofSeconds(3)));

        assertThatThrownBy(() -> submit(call)).hasRootCauseInstanceOf(Overloaded.class);
        assertThat(store.size()).isZero();
    }

    @Test
    void asksNothingWhenTheStoreIsFull() {
        submit(call);
        submit(new Call());

        assertThatThrownBy(() -> done(jobs.submit(
                        MODEL,
                        1,
                        () -> {
                            throw new AssertionError("asked");
                        },
                        new Text())))
                .hasMessageContaining("the job store is full: it holds 2 jobs");
    }

    @Test
    void cancellingCancelsTheCallAndForgetsTheJob() {
        String id = submit(call).id();

        assertThat(done(jobs.cancel(id))).map(Job::state).hasValue(Job.State.CANCELLED);

        assertThat(call).isCancelled();
        assertThat(state(id)).isEmpty();
        assertThat(store.size()).isZero();
        assertThat(done(jobs.cancel(id))).isEmpty();
    }

    @Test
    void aResultForWhichThereIsNoRoomIsAFailure() {
        String id = submit(call).id();

        call.complete(new InferenceResult(new ModelId("m".repeat(11_000), "1"), List.of()));

        Job failed = done(jobs.find(id)).orElseThrow();
        assertThat(failed.state()).isEqualTo(Job.State.FAILED);
        assertThat(answer(failed).error())
                .isEqualTo("the job store has no room for 11002 bytes: it holds 1024 of 10000");
    }

    @Test
    void aResultThatCannotBeWrittenIsAFailure() {
        String id = submit(call).id();

        call.complete(new InferenceResult(new ModelId("", "1"), List.of()));

        assertThat(state(id)).hasValue(Job.State.FAILED);
    }

    private Job submit(CompletableFuture<InferenceResult> answer) {
        return done(jobs.submit(MODEL, 1, () -> answer, new Text()));
    }

    private Optional<Job.State> state(String id) {
        return done(jobs.find(id)).map(Job::state);
    }

    private static JobAnswer answer(Job job) {
        return Objects.requireNonNull(job.answer());
    }

    private static <T> T done(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }

    /** A call under the test's control. */
    private static final class Call extends PendingInference {
        boolean begun;

        @Override
        public boolean hasBegun() {
            return begun;
        }
    }

    /** Writes the model's name, which must not be empty. */
    private static final class Text implements Jobs.Writer<InferenceResult> {
        @Override
        public JobAnswer result(InferenceResult result) {
            if (result.model().name().isEmpty()) {
                throw new IllegalStateException("nothing to write");
            }
            return new JobAnswer(200, Map.of(), result.model().toString().getBytes(UTF_8), null);
        }

        @Override
        public JobAnswer failure(Throwable failure) {
            int status = failure instanceof DeadlineExceeded ? 504 : 500;
            return new JobAnswer(status, Map.of(), new byte[0], failure.getMessage());
        }
    }
}
