package io.atelier.serving.map;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.core.InferenceResult;
import io.atelier.core.ModelId;
import io.atelier.core.ServingException.DeadlineExceeded;
import io.atelier.core.ServingException.EngineFailure;
import io.atelier.core.ServingException.NotReady;
import io.atelier.core.ServingException.Overloaded;
import io.atelier.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** One thread, that of the test; what would come from another waits in {@code home} until {@link #settle}. */
class MapWindowTest {
    private static final int WINDOW = 4;

    private final ManualTime time = new ManualTime();
    private final Deque<Runnable> home = new ArrayDeque<>();
    private final List<Call> calls = new ArrayList<>();
    private @Nullable Overloaded full;
    private int changes;
    private final MapWindow<String> window = new MapWindow<>(
            new MapPolicy(WINDOW, 100, 50, 1, Duration.ofSeconds(1), 8), new Model(), home::add, time, () -> changes++);

    private record Call(String question, CompletableFuture<InferenceResult> answer) {}

    @Test
    void answersInOrderWhateverTheOrderOfTheDevices() {
        add(1, "a");
        add(2, "b");
        add(3, "c");

        answer("c");
        answer("b");
        assertThat(taken()).isEmpty();
        answer("a");

        assertThat(taken()).containsExactly("A", "B", "C");
        assertThat(changes).isEqualTo(3);
        assertThat(window.isEmpty()).isTrue();
    }

    @Test
    void hasRoomForTheWindowUntilAnAnswerIsTaken() {
        for (int line = 1; line <= WINDOW; line++) {
            assertThat(window.hasRoom()).isTrue();
            add(line, "q" + line);
        }
        assertThat(window.hasRoom()).isFalse();
        assertThatThrownBy(() -> add(5, "x")).isInstanceOf(IllegalStateException.class);

        answer("q1");
        assertThat(window.hasRoom()).as("answered, but not taken").isFalse();
        assertThat(taken()).containsExactly("Q1");
        assertThat(window.hasRoom()).isTrue();
    }

    @Test
    void countsTheBytesOfQuestionsAndThenOfAnswers() {
        window.add(1, 99, asked("a"));
        assertThat(window.hasRoom()).isTrue();
        window.add(2, 1, asked("b"));
        assertThat(window.hasRoom()).isFalse();

        answer("a");
        assertThat(window.hasRoom()).as("the answer is one byte").isTrue();
        assertThat(taken()).containsExactly("A");
        answer("b".repeat(1));
        assertThat(taken()).containsExactly("B");
        assertThat(window.hasRoom()).isTrue();
    }

    @Test
    void oneQuestionMayBeLargerThanTheWindow() {
        window.add(1, 1000, asked("a"));

        assertThat(window.hasRoom()).isFalse();
        answer("a");
        assertThat(window.hasRoom()).isTrue();
    }

    @Test
    void aFailureStandsInItsPlace() {
        add(1, "a");
        window.add(2, 1, CompletableFuture.failedFuture(new EngineFailure("unreadable", null)));
        add(3, "c");

        answer("c");
        fail("a", new DeadlineExceeded("late"));

        assertThat(taken()).containsExactly("1: late", "2: unreadable", "C");
    }

    @Test
    void waitsForRoomInTheQueueAndAsksOnceInAPause() {
        full = new Overloaded("full", Duration.ofMillis(20));
        add(1, "a");
        add(2, "b");
        add(3, "c");
        assertThat(asked()).as("those behind wait with it").containsExactly("a");

        pass(Duration.ofMillis(19));
        assertThat(asked()).containsExactly("a");
        pass(Duration.ofMillis(1));
        assertThat(asked()).containsExactly("a", "a");

        full = null;
        pass(Duration.ofMillis(20));
        assertThat(asked()).containsExactly("a", "a", "a", "b", "c");
        answer("a");
        answer("b");
        answer("c");
        assertThat(taken()).containsExactly("A", "B", "C");
    }

    @Test
    void aPauseIsNeitherEndlessNorNothing() {
        full = new Overloaded("full", Duration.ofMinutes(1));
        add(1, "a");
        pass(Duration.ofMillis(100));
        assertThat(asked()).containsExactly("a", "a");

        full = new Overloaded("full", Duration.ZERO);
        pass(Duration.ofMillis(100));
        assertThat(asked()).hasSize(3);
        pass(Duration.ofMillis(4));
        assertThat(asked()).hasSize(3);
        pass(Duration.ofMillis(1));
        assertThat(asked()).hasSize(4);
    }

    @Test
    void asksAgainWhatIsRefusedLater() {
        add(1, "a");

        fail("a", new Overloaded("full", Duration.ofMillis(10)));
        pass(Duration.ofMillis(10));

        assertThat(asked()).containsExactly("a", "a");
        answer("a");
        assertThat(taken()).containsExactly("A");
    }

    @Test
    void aModelThatIsNotReadyEndsTheStream() {
        add(1, "a");
        add(2, "b");
        add(3, "c");
        fail("b", new NotReady("draining", Duration.ofSeconds(1)));

        assertThat(window.hasRoom()).as("nothing more is read").isFalse();
        assertThat(taken()).isEmpty();
        answer("a");

        assertThat(taken()).containsExactly("A", "2: draining");
        assertThat(window.isClosed()).isTrue();
        assertThat(call("c").answer()).isCancelled();
    }

    @Test
    void cancelsWhatNobodyWaitsFor() {
        full = new Overloaded("full", Duration.ofMillis(10));
        add(1, "a");
        full = null;
        pass(Duration.ofMillis(10));
        full = new Overloaded("full", Duration.ofMillis(10));
        add(2, "b");

        window.cancel();

        assertThat(call("a").answer()).isCancelled();
        full = null;
        pass(Duration.ofSeconds(1));
        assertThat(asked()).as("b is not asked again").containsExactly("a", "a", "b");
        assertThat(window.hasRoom()).isFalse();
        assertThat(taken()).isEmpty();
    }

    private void add(long line, String question) {
        window.add(line, 1, asked(question));
    }

    private static CompletableFuture<String> asked(String question) {
        return CompletableFuture.completedFuture(question);
    }

    private List<String> asked() {
        return calls.stream().map(Call::question).toList();
    }

    private void answer(String question) {
        call(question).answer().complete(new InferenceResult(new ModelId(question, "1"), List.of()));
        settle();
    }

    private void fail(String question, Throwable failure) {
        call(question).answer().completeExceptionally(failure);
        settle();
    }

    /** The latest of this question. */
    private Call call(String question) {
        return calls.stream()
                .filter(call -> call.question().equals(question))
                .reduce((older, newer) -> newer)
                .orElseThrow();
    }

    private void pass(Duration by) {
        time.advance(by);
        settle();
    }

    private void settle() {
        for (Runnable step = home.poll(); step != null; step = home.poll()) {
            step.run();
        }
    }

    private List<String> taken() {
        List<String> taken = new ArrayList<>();
        for (byte[] answer = window.poll(); answer != null; answer = window.poll()) {
            taken.add(new String(answer, UTF_8));
        }
        return taken;
    }

    /** Answers as the test says, in capitals. */
    private final class Model implements MapWindow.Asking<String> {
        @Override
        public CompletableFuture<InferenceResult> ask(String question) {
            Call call =
                    new Call(question, full == null ? new CompletableFuture<>() : CompletableFuture.failedFuture(full));
            calls.add(call);
            return call.answer();
        }

        @Override
        public CompletableFuture<byte[]> write(String question, InferenceResult result) {
            return CompletableFuture.completedFuture(
                    question.toUpperCase(Locale.ROOT).getBytes(UTF_8));
        }

        @Override
        public byte[] refuse(long line, Throwable failure) {
            return (line + ": " + failure.getMessage()).getBytes(UTF_8);
        }
    }
}
