package io.atelier.serving;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.core.DataType;
import io.atelier.core.InferenceRequest;
import io.atelier.core.InferenceResult;
import io.atelier.core.ModelId;
import io.atelier.core.ModelSignature;
import io.atelier.core.Padding;
import io.atelier.core.ServingException.EngineFailure;
import io.atelier.core.Shape;
import io.atelier.core.Sharing;
import io.atelier.core.Tensor;
import io.atelier.core.TensorSpec;
import io.atelier.scheduling.BatchPolicy;
import io.atelier.scheduling.BatchRule;
import io.atelier.scheduling.ExecutionTimes;
import io.atelier.scheduling.ModelQueue;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class PartsRunTest {
    private static final ModelId MODEL = new ModelId("m", "1");
    private static final ModelSignature NUMBERS = signature(DataType.FP32);

    @Test
    void moreRowsThanOneExecutionTakesAreAskedInPartsAndAnsweredAsOne() {
        List<Integer> asked = new ArrayList<>();
        RowParts parts = RowParts.of(served(NUMBERS, Sharing.rows("")), request(numbers(10)))
                .orElseThrow();

        PartsRun run = new PartsRun(
                parts,
                part -> {
                    asked.add((int) part.inputs().get(0).shape().dimension(0));
                    return answer(part.inputs().get(0));
                },
                lost -> {},
                Optional::empty);

        assertThat(asked).containsExactly(4, 4, 2);
        Tensor y = run.join().outputs().get(0);
        assertThat(y.shape()).isEqualTo(Shape.of(10, 1));
        assertThat(y.data()).isEqualTo(numbers(10).data());
    }

    @Test
    void textsAreCutBetweenTheirBytes() {
        Tensor texts = texts("a", "", "grün", "dd", "e");
        RowParts parts = RowParts.of(served(signature(DataType.BYTES), Sharing.rows("")), request(texts))
                .orElseThrow();

        PartsRun run = new PartsRun(parts, part -> answer(part.inputs().get(0)), lost -> {}, Optional::empty);

        assertThat(parts.requests().get(1).inputs().get(0).data())
                .isEqualTo(texts("e").data());
        assertThat(run.join().outputs().get(0).data()).isEqualTo(texts.data());
    }

    @Test
    void whatFitsOrMayNotBeCutStaysWhole() {
        assertThat(RowParts.of(served(NUMBERS, Sharing.rows("")), request(numbers(4))))
                .isEmpty();
        assertThat(RowParts.of(served(NUMBERS, Sharing.none("")), request(numbers(10))))
                .isEmpty();
        Sharing single = new Sharing(Sharing.Extent.SINGLE_ROWS, true, "");
        assertThat(RowParts.of(served(NUMBERS, single), request(numbers(10)))).isEmpty();
    }

    @Test
    void anAnswerThatIsNotOneOfRowsIsNotBelievedAndTheWholeIsAsked() {
        List<String> lost = new ArrayList<>();
        RowParts parts = RowParts.of(served(NUMBERS, Sharing.rows("")), request(numbers(10)))
                .orElseThrow();

        PartsRun run =
                new PartsRun(parts, part -> answer(numbers(1)), lost::add, () -> Optional.of(answer(numbers(7))));

        assertThat(lost).containsExactly("output 'x' is [1,1] for 4 rows");
        assertThat(run.join().outputs().get(0).shape()).isEqualTo(Shape.of(7, 1));
    }

    @Test
    void onePartThatFailsFailsTheWholeAndCancelsTheOthers() {
        List<CompletableFuture<InferenceResult>> asked = new ArrayList<>();
        RowParts parts = RowParts.of(served(NUMBERS, Sharing.rows("")), request(numbers(10)))
                .orElseThrow();
        PartsRun run = new PartsRun(
                parts,
                part -> {
                    asked.add(new CompletableFuture<>());
                    return asked.get(asked.size() - 1);
                },
                lost -> {},
                Optional::empty);

        asked.get(1).completeExceptionally(new EngineFailure("broken", null));

        assertThat(run).isCompletedExceptionally();
        assertThat(asked.get(0)).isCancelled();
        assertThat(asked.get(2)).isCancelled();
    }

    @Test
    void aCallerThatGoesCancelsEveryPart() {
        List<CompletableFuture<InferenceResult>> asked = new ArrayList<>();
        RowParts parts = RowParts.of(served(NUMBERS, Sharing.rows("")), request(numbers(10)))
                .orElseThrow();
        PartsRun run = new PartsRun(
                parts,
                part -> {
                    asked.add(new CompletableFuture<>());
                    return asked.get(asked.size() - 1);
                },
                lost -> {},
                Optional::empty);

        run.cancel(false);

        assertThat(asked).hasSize(3).allSatisfy(part -> assertThat(part).isCancelled());
    }

    private static ServedModel served(ModelSignature signature, Sharing sharing) {
        ModelQueue queue = new ModelQueue(
                MODEL, new BatchPolicy(4, Duration.ZERO, 10), sharing, new ExecutionTimes(), System::nanoTime);
        return new ServedModel(
                MODEL,
                "fake",
                signature,
                new BatchRule(signature, sharing, Padding.NONE),
                queue,
                Duration.ofSeconds(1),
                null);
    }

    private static ModelSignature signature(DataType type) {
        TensorSpec spec = new TensorSpec("x", type, Shape.of(-1, 1));
        return new ModelSignature(List.of(spec), List.of(spec));
    }

    private static InferenceRequest request(Tensor input) {
        return new InferenceRequest(null, MODEL, List.of(input), List.of("x"), 0);
    }

    private static CompletableFuture<InferenceResult> answer(Tensor output) {
        return CompletableFuture.completedFuture(new InferenceResult(MODEL, List.of(output)));
    }

    private static Tensor numbers(int rows) {
        ByteBuffer data = ByteBuffer.allocate(rows * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < rows; i++) {
            data.putFloat(i);
        }
        return new Tensor("x", DataType.FP32, Shape.of(rows, 1), data.flip());
    }

    private static Tensor texts(String... texts) {
        ByteBuffer data = ByteBuffer.allocate(1000).order(ByteOrder.LITTLE_ENDIAN);
        for (String text : texts) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            data.putInt(bytes.length).put(bytes);
        }
        return new Tensor("x", DataType.BYTES, Shape.of(texts.length, 1), data.flip());
    }
}
