package io.atelier.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.core.DataType;
import io.atelier.core.Deadline;
import io.atelier.core.InferenceRequest;
import io.atelier.core.InferenceResult;
import io.atelier.core.ModelId;
import io.atelier.core.ModelSignature;
import io.atelier.core.Padding;
import io.atelier.core.ServingException;
import io.atelier.core.ServingException.NotReady;
import io.atelier.core.ServingListener;
import io.atelier.core.Shape;
import io.atelier.core.Sharing;
import io.atelier.core.TensorSpec;
import io.atelier.core.Ticket;
import io.atelier.repository.EnsembleConfig;
import io.atelier.repository.EnsembleDefinition;
import io.atelier.scheduling.BatchPolicy;
import io.atelier.scheduling.BatchRule;
import io.atelier.scheduling.ExecutionTimes;
import io.atelier.scheduling.ModelQueue;
import io.atelier.testing.FakeEngine;
import io.atelier.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** An ensemble of a and b behind the real service; the test does the devices' work. */
class EnsembleServiceTest {
    private static final ModelId PIPE = new ModelId("pipe", "1");
    private static final Duration TIMEOUT = Duration.ofSeconds(1);

    private final ManualTime time = new ManualTime();
    private final ModelDirectory directory = new ModelDirectory();
    private final Admission admission = new Admission();
    private final List<String> heard = new ArrayList<>();
    private final InferenceService service = new QueuedInferenceService(
            directory, List.of(), admission, false, Duration.ZERO, Runnable::run, time, time, new Heard());
    private ModelQueue a = model("a", FakeEngine.SIGNATURE);
    private final ModelQueue b = model("b", FakeEngine.SIGNATURE);

    /** Notes what is counted. */
    private final class Heard implements ServingListener {
        @Override
        public void onAccepted(Ticket ticket) {
            heard.add(ticket.request().model() + " accepted");
        }

        @Override
        public void onSettled(Ticket ticket, @Nullable ServingException failure) {
            heard.add(ticket.request().model() + " " + (failure == null ? "answered" : failure.code()));
        }
    }

    @BeforeEach
    void serve() {
        admission.open();
        EnsembleConfig config = new EnsembleConfig(
                List.of(
                        new EnsembleConfig.Step("a", Optional.empty(), Map.of("x", "in"), Map.of("y", "mid")),
                        new EnsembleConfig.Step("b", Optional.empty(), Map.of("x", "mid"), Map.of("y", "out"))),
                List.of(),
                List.of());
        assertThat(new Ensembles(directory)
                        .serve(List.of(new EnsembleDefinition(PIPE, config, Optional.empty())), TIMEOUT))
                .isEmpty();
    }

    @Test
    void theEnsembleAndItsStepsAreCountedOnceEach() {
        CompletableFuture<InferenceResult> answer = ask();
        run(a);
        run(b);

        assertThat(answer.join().model()).isEqualTo(PIPE);
        assertThat(heard)
                .containsExactlyInAnyOrder(
                        "pipe/1 accepted",
                        "a/1 accepted",
                        "a/1 answered",
                        "b/1 accepted",
                        "b/1 answered",
                        "pipe/1 answered");
    }

    @Test
    void whatWasAcceptedGoesAllTheWayThoughTheGateIsClosed() {
        CompletableFuture<InferenceResult> answer = ask();

        CompletableFuture<Void> empty = admission.close();
        run(a);
        assertThat(empty).isNotDone();
        run(b);

        assertThat(answer).isCompleted();
        assertThat(empty).isCompleted();
        assertThatThrownBy(ask()::join).hasCauseInstanceOf(NotReady.class);
    }

    @Test
    void aCallerThatGoesStopsTheStepsAndIsCounted() {
        CompletableFuture<InferenceResult> answer = ask();

        answer.cancel(false);

        assertThat(a.depth()).isZero();
        assertThat(heard).contains("pipe/1 CANCELLED", "a/1 CANCELLED").doesNotContain("b/1 accepted");
        assertThat(admission.close()).isCompleted();
    }

    @Test
    void aLateStepIsTheEndOfAll() {
        CompletableFuture<InferenceResult> answer = ask();
        run(a);

        time.advance(TIMEOUT);

        assertThatThrownBy(answer::join).hasCauseInstanceOf(ServingException.DeadlineExceeded.class);
        assertThat(b.depth()).isZero();
        assertThat(heard).contains("pipe/1 DEADLINE_EXCEEDED", "b/1 DEADLINE_EXCEEDED");
    }

    @Test
    void isCheckedAnewWhenAModelIsReplaced() {
        assertThat(service.model("pipe", null).ready()).isTrue();

        a = model(
                "a",
                new ModelSignature(
                        List.of(new TensorSpec("x", DataType.FP32, Shape.of(-1, 3))),
                        List.of(new TensorSpec("y", DataType.FP32, Shape.of(-1, 3)))));
        assertThat(service.model("pipe", null).ready()).isTrue();
        assertThat(service.model("pipe", null).signature().inputs().get(0).shape())
                .isEqualTo(Shape.of(-1, 3));

        a = model(
                "a",
                new ModelSignature(
                        List.of(new TensorSpec("x", DataType.FP32, Shape.of(-1, 3))),
                        List.of(new TensorSpec("y", DataType.INT64, Shape.of(-1, 3)))));
        assertThat(service.model("pipe", null).ready()).isFalse();
        assertThatThrownBy(ask()::join)
                .hasCauseInstanceOf(NotReady.class)
                .hasMessageContaining(
                        "ensemble 'pipe' is not ready: tensor 'mid' is INT64[-1,3] from step 1 (a), step 2 (b)"
                                + " takes FP32[-1,-1]");
    }

    @Test
    void refusesACycleThroughWhatIsServedAlready() {
        EnsembleDefinition outer = definition("outer", "pipe", "in", "out");
        assertThat(new Ensembles(directory).serve(List.of(outer), TIMEOUT)).isEmpty();

        EnsembleDefinition again = definition("pipe", "outer", "in", "out");

        assertThat(new Ensembles(directory).serve(List.of(again), TIMEOUT))
                .containsExactly(Map.entry(PIPE, "a cycle of ensembles: pipe, outer"));
        assertThat(service.model("outer", null).ready()).isTrue();
    }

    private static EnsembleDefinition definition(String name, String step, String in, String out) {
        EnsembleConfig config = new EnsembleConfig(
                List.of(new EnsembleConfig.Step(step, Optional.empty(), Map.of(in, in), Map.of(out, out))),
                List.of(),
                List.of());
        return new EnsembleDefinition(new ModelId(name, "1"), config, Optional.empty());
    }

    private CompletableFuture<InferenceResult> ask() {
        InferenceRequest request =
                new InferenceRequest(null, PIPE, List.of(FakeEngine.row(1).named("in")), List.of("out"), 0);
        return service.infer(request, Deadline.after(TIMEOUT, time));
    }

    /** Answers what waits with its own input. */
    private static void run(ModelQueue queue) {
        List<Ticket> batch = queue.pull(1).batch();
        assertThat(batch).hasSize(1);
        for (Ticket ticket : batch) {
            ticket.succeed(new InferenceResult(
                    ticket.request().model(),
                    List.of(ticket.request().inputs().get(0).named("y"))));
        }
    }

    private ModelQueue model(String name, ModelSignature signature) {
        ModelId id = new ModelId(name, "1");
        ModelQueue queue =
                new ModelQueue(id, new BatchPolicy(4, Duration.ZERO, 10), Sharing.rows(""), new ExecutionTimes(), time);
        directory.ready(new ServedModel(
                id, "fake", signature, new BatchRule(signature, Sharing.rows(""), Padding.NONE), queue, TIMEOUT, null));
        return queue;
    }
}
