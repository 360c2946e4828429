package io.atelier.serving.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.core.Deadline;
import io.atelier.core.InferenceRequest;
import io.atelier.core.InferenceResult;
import io.atelier.core.ModelId;
import io.atelier.core.PendingInference;
import io.atelier.core.ServingException.DeadlineExceeded;
import io.atelier.core.ServingException.InvalidInput;
import io.atelier.core.Tensor;
import io.atelier.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PipelineRunTest {
    private static final ModelId PIPE = new ModelId("pipe", "1");

    private final ManualTime time = new ManualTime();
    private final Deadline deadline = Deadline.after(Duration.ofSeconds(1), time);
    private final List<Call> calls = new ArrayList<>();

    private static final class Call extends PendingInference {
        final InferenceRequest request;
        final Deadline deadline;
        boolean begun;

        Call(InferenceRequest request, Deadline deadline) {
            this.request = request;
            this.deadline = deadline;
        }

        @Override
        public boolean hasBegun() {
            return begun;
        }

        void answer(Tensor... outputs) {
            complete(new InferenceResult(request.model(), List.of(outputs)));
        }
    }

    @Test
    void feedsWhatOneModelGivesToTheNextWithoutACopy() throws Exception {
        PipelineRun run = run(new Ensembles().step("a", "raw", "mid").step("b", "mid", "end"), "end");
        Call first = only("a");
        assertThat(first.request.inputs()).extracting(Tensor::name).containsExactly("x");
        assertThat(first.request.outputs()).containsExactly("y");
        assertThat(first.deadline).isSameAs(deadline);
        assertThat(first.request.priority()).isEqualTo(3);
        Tensor mid = Ensembles.row("y", 7);

        first.answer(mid);

        Call second = only("b");
        assertThat(second.deadline).isSameAs(deadline);
        assertThat(second.request.priority()).isEqualTo(3);
        Tensor fed = second.request.inputs().get(0);
        assertThat(fed.name()).isEqualTo("x");
        assertThat(fed.data()).isEqualTo(mid.data());
        assertThat(run).isNotDone();
        second.answer(Ensembles.row("y", 8));
        assertThat(run.join().model()).isEqualTo(PIPE);
        assertThat(run.join().outputs()).extracting(Tensor::name).containsExactly("end");
    }

    @Test
    void stepsThatDoNotWaitForEachOtherRunSideBySide() throws Exception {
        Ensembles diamond = new Ensembles()
                .step("a", "raw", "mid")
                .step("left", "mid", "l")
                .step("right", "mid", "r")
                .step("join", List.of("p", "q"), List.of("y"), Map.of("p", "l", "q", "r"), Map.of("y", "end"));
        PipelineRun run = run(diamond, "end");

        only("a").answer(Ensembles.row("y", 1));
        Call left = only("left");
        Call right = only("right");
        right.answer(Ensembles.row("y", 3));
        assertThat(calls).noneMatch(call -> call.request.model().name().equals("join"));
        left.answer(Ensembles.row("y", 2));

        Call join = only("join");
        assertThat(join.request.inputs()).extracting(Tensor::name).containsExactly("p", "q");
        assertThat(join.request.inputs().get(0).data().getFloat()).isEqualTo(2);
        join.answer(Ensembles.row("y", 4));
        assertThat(run).isCompleted();
    }

    @Test
    void leavesOutWhatNobodyAskedFor() throws Exception {
        Ensembles two = new Ensembles()
                .step("a", List.of("x"), List.of("y", "z"), Map.of("x", "raw"), Map.of("y", "mid", "z", "rest"))
                .step("b", "mid", "one")
                .step("c", "rest", "two");
        PipelineRun run = run(two, "one");

        assertThat(only("a").request.outputs()).containsExactly("y");
        only("a").answer(Ensembles.row("y", 1));
        only("b").answer(Ensembles.row("y", 2));

        assertThat(run.join().outputs()).extracting(Tensor::name).containsExactly("one");
        assertThat(calls).hasSize(2);
    }

    @Test
    void givesTheOutputsInTheOrderAskedFor() throws Exception {
        PipelineRun run = run(
                new Ensembles().step("a", "raw", "mid").step("b", "mid", "end").outputs("mid", "end"), "end", "mid");

        only("a").answer(Ensembles.row("y", 1));
        only("b").answer(Ensembles.row("y", 2));

        assertThat(run.join().outputs()).extracting(Tensor::name).containsExactly("end", "mid");
    }

    @Test
    void theFirstFailureEndsAll() throws Exception {
        Ensembles fork = new Ensembles()
                .step("a", "raw", "l")
                .step("b", "raw", "r")
                .step("c", List.of("p", "q"), List.of("y"), Map.of("p", "l", "q", "r"), Map.of("y", "end"));
        PipelineRun run = run(fork, "end");

        only("a").completeExceptionally(new DeadlineExceeded("no result in time"));

        assertThatThrownBy(run::join).hasCauseInstanceOf(DeadlineExceeded.class);
        assertThat(only("b")).isCancelled();
        assertThat(calls).hasSize(2);
    }

    @Test
    void cancellingStopsWhatIsLeft() throws Exception {
        PipelineRun run = run(new Ensembles().step("a", "raw", "mid").step("b", "mid", "end"), "end");

        run.cancel(false);

        assertThat(only("a")).isCancelled();
        assertThat(calls).hasSize(1);
    }

    @Test
    void refusesShapesThatDoNotFitTheNextModel() throws Exception {
        Ensembles narrow = new Ensembles()
                .step("a", "raw", "mid")
                .step("b", List.of("x:FP32[-1,2]"), List.of("y"), Map.of("x", "mid"), Map.of("y", "end"));
        PipelineRun run = run(narrow, "end");

        only("a").answer(Ensembles.row("y", 1, 2, 3));

        assertThatThrownBy(run::join)
                .hasCauseInstanceOf(InvalidInput.class)
                .hasMessageContaining("step 2 (b): input 'x' has shape [1,3], the model takes [-1,2]");
        assertThat(calls).hasSize(1);
    }

    @Test
    void hasBegunWithItsFirstStep() throws Exception {
        PipelineRun run = run(new Ensembles().step("a", "raw", "mid").step("b", "mid", "end"), "end");
        assertThat(run.hasBegun()).isFalse();

        only("a").begun = true;

        assertThat(run.hasBegun()).isTrue();
    }

    private PipelineRun run(Ensembles ensemble, String... outputs) throws PipelineException {
        InferenceRequest request =
                new InferenceRequest("7", PIPE, List.of(Ensembles.row("raw", 1)), List.of(outputs), 3);
        return PipelineRun.of(ensemble.plan(), request, deadline, (question, until) -> {
            Call call = new Call(question, until);
            calls.add(call);
            return call;
        });
    }

    private Call only(String model) {
        List<Call> found = calls.stream()
                .filter(call -> call.request.model().name().equals(model))
                .toList();
        assertThat(found).as("calls of " + model).hasSize(1);
        return found.get(0);
    }
}
