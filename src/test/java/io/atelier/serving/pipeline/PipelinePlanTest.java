package io.atelier.serving.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.core.ModelSignature;
import io.atelier.core.TensorSpec;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PipelinePlanTest {
    private final Ensembles ensemble = new Ensembles();

    @Test
    void whatNoStepMakesIsAnInputAndWhatFeedsNoneAnOutput() throws PipelineException {
        ModelSignature signature = ensemble.step("a", "raw", "mid")
                .step(
                        "b",
                        List.of("p:FP32[-1,4]", "q:INT64[-1]"),
                        List.of("r:FP32[-1,2]", "unused"),
                        Map.of("p", "mid", "q", "hint"),
                        Map.of("r", "end"))
                .plan()
                .signature();

        assertThat(signature.inputs()).containsExactly(Ensembles.spec("raw"), Ensembles.spec("hint:INT64[-1]"));
        assertThat(signature.outputs()).containsExactly(Ensembles.spec("end:FP32[-1,2]"));
    }

    @Test
    void namesMayBeLeftOutWhereTheyAreTheModels() throws PipelineException {
        ModelSignature signature = ensemble.step("a", List.of("text"), List.of("ids"), Map.of(), Map.of())
                .step("b", List.of("ids"), List.of("score"), Map.of(), Map.of())
                .plan()
                .signature();

        assertThat(signature.inputs()).extracting(TensorSpec::name).containsExactly("text");
        assertThat(signature.outputs()).extracting(TensorSpec::name).containsExactly("score");
    }

    @Test
    void anInputHasTheSizesThatAllItsStepsTake() throws PipelineException {
        ModelSignature signature = ensemble.step(
                        "a", List.of("x:FP32[-1,-1,3]"), List.of("y"), Map.of("x", "raw"), Map.of("y", "one"))
                .step("b", List.of("x:FP32[-1,8,-1]"), List.of("y"), Map.of("x", "raw"), Map.of("y", "two"))
                .plan()
                .signature();

        assertThat(signature.inputs()).containsExactly(Ensembles.spec("raw:FP32[-1,8,3]"));
    }

    @Test
    void aShapeThatAModelDoesNotTellFitsEvery() throws PipelineException {
        ModelSignature signature = ensemble.step(
                        "a", List.of("x:FP32[*]"), List.of("y:FP32[*]"), Map.of("x", "raw"), Map.of("y", "mid"))
                .step("b", List.of("x:FP32[-1,8]"), List.of("y"), Map.of("x", "raw"), Map.of("y", "one"))
                .step("c", List.of("x:FP32[-1,4]"), List.of("y"), Map.of("x", "mid"), Map.of("y", "two"))
                .plan()
                .signature();

        assertThat(signature.inputs()).containsExactly(Ensembles.spec("raw:FP32[-1,8]"));
    }

    @Test
    void whatIsDeclaredIsTakenAtItsWord() throws PipelineException {
        ModelSignature signature = ensemble.step("a", "raw", "mid")
                .step("b", "mid", "end")
                .inputs("raw:FP32[-1,7]")
                .outputs("end", "mid")
                .plan()
                .signature();

        assertThat(signature.inputs()).containsExactly(Ensembles.spec("raw:FP32[-1,7]"));
        assertThat(signature.outputs()).extracting(TensorSpec::name).containsExactly("end", "mid");
    }

    @Test
    void stepsMayStandInAnyOrder() throws PipelineException {
        PipelinePlan plan =
                ensemble.step("late", "mid", "end").step("early", "raw", "mid").plan();

        assertThat(plan.signature().inputs()).extracting(TensorSpec::name).containsExactly("raw");
    }

    @Test
    void knowsWhichStepsAnOutputNeeds() throws PipelineException {
        PipelinePlan plan = ensemble.step("a", "raw", "mid")
                .step("b", "mid", "one")
                .step("c", "mid", "two")
                .step("d", "other", "three")
                .plan();

        assertThat(plan.needed(List.of("one"))).containsExactlyInAnyOrder(0, 1);
        assertThat(plan.needed(List.of("two", "three"))).containsExactlyInAnyOrder(0, 2, 3);
    }

    @Test
    void refusesATensorThatIsMadeTwice() {
        refused(
                ensemble.step("a", "raw", "mid").step("b", "raw", "mid"),
                "tensor 'mid' is made twice, by step 1 (a) and by step 2 (b)");
    }

    @Test
    void refusesATensorThatIsBothGivenAndMade() {
        refused(
                ensemble.step("a", "raw", "mid").inputs("raw", "mid"),
                "tensor 'mid' is made twice, by the caller as an input and by step 1 (a)");
    }

    @Test
    void refusesATensorThatNobodyMakes() {
        refused(
                ensemble.step("a", "raw", "mid").step("b", "mit", "end").inputs("raw"),
                "step 2 (b): tensor 'mit' is made by no step and is no input of the ensemble");
    }

    @Test
    void refusesAnInputThatIsNotFed() {
        refused(
                ensemble.step("a", List.of("x", "z"), List.of("y"), Map.of("x", "raw"), Map.of("y", "end")),
                "step 1 (a): nothing is fed to the model's input 'z'");
    }

    @Test
    void refusesNamesThatTheModelDoesNotKnow() {
        refused(
                ensemble.step("a", List.of("x"), List.of("y"), Map.of("w", "raw"), Map.of("y", "end")),
                "step 1 (a): the model has no input 'w', it has x");
    }

    @Test
    void refusesOutputsThatTheModelDoesNotKnow() {
        refused(
                ensemble.step("a", List.of("x"), List.of("y", "z"), Map.of("x", "raw"), Map.of("w", "end")),
                "step 1 (a): the model has no output 'w', it has y, z");
    }

    @Test
    void refusesAnotherType() {
        refused(
                ensemble.step("a", "raw", "mid")
                        .step("b", List.of("x:INT64[-1,-1]"), List.of("y"), Map.of("x", "mid"), Map.of("y", "end")),
                "tensor 'mid' is FP32[-1,-1] from step 1 (a), step 2 (b) takes INT64[-1,-1]");
    }

    @Test
    void refusesAnotherRankOrSize() {
        refused(
                ensemble.step("a", "raw", "mid")
                        .step("b", List.of("x:FP32[-1]"), List.of("y"), Map.of("x", "mid"), Map.of("y", "end")),
                "tensor 'mid' is FP32[-1,-1] from step 1 (a), step 2 (b) takes FP32[-1]");
        refused(
                new Ensembles()
                        .step("a", List.of("x"), List.of("y:FP32[-1,3]"), Map.of("x", "raw"), Map.of("y", "mid"))
                        .step("b", List.of("x:FP32[-1,4]"), List.of("y"), Map.of("x", "mid"), Map.of("y", "end")),
                "tensor 'mid' is FP32[-1,3] from step 1 (a), step 2 (b) takes FP32[-1,4]");
    }

    @Test
    void refusesAnInputThatNoTensorCouldFit() {
        refused(
                ensemble.step("a", List.of("x:FP32[-1,3]"), List.of("y"), Map.of("x", "raw"), Map.of("y", "one"))
                        .step("b", List.of("x:FP32[-1,4]"), List.of("y"), Map.of("x", "raw"), Map.of("y", "two")),
                "tensor 'raw' is FP32[-1,3] from the caller, step 2 (b) takes FP32[-1,4]");
    }

    @Test
    void refusesDeclarationsThatAreNotTrue() {
        refused(ensemble.step("a", "raw", "end").inputs("raw", "more"), "input 'more' feeds no step");
        refused(new Ensembles().step("a", "raw", "end").outputs("fin"), "output 'fin' is made by no step");
        refused(
                new Ensembles().step("a", "raw", "end").outputs("end:INT64[-1,-1]"),
                "tensor 'end' is FP32[-1,-1] from step 1 (a), the ensemble gives INT64[-1,-1]");
        refused(
                new Ensembles().step("a", "raw", "end").inputs("raw:BYTES[-1]"),
                "tensor 'raw' is BYTES[-1] from the caller, step 1 (a) takes FP32[-1,-1]");
    }

    @Test
    void refusesCycles() {
        refused(
                ensemble.step("free", "raw", "ok")
                        .step("a", "two", "one")
                        .step("b", "one", "two")
                        .step("c", "one", "end"),
                "a cycle: step 2 (a), step 3 (b), step 4 (c) wait for each other");
        refused(new Ensembles().step("self", "same", "same"), "a cycle: step 1 (self) wait for each other");
    }

    private static void refused(Ensembles ensemble, String reason) {
        assertThatThrownBy(ensemble::plan).isInstanceOf(PipelineException.class).hasMessage(reason);
    }
}
