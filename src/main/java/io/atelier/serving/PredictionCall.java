package io.atelier.serving;

import io.atelier.core.InferenceRequest;
import io.atelier.core.InferenceResult;
import io.atelier.core.Sharing;
import io.atelier.core.Task;
import io.atelier.core.TaskAnswer;
import io.atelier.core.TaskInput;
import io.atelier.core.Tensor;
import io.atelier.core.Trace;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Function;

/**
 * Plain values on their way through a task: prepared, asked about in parts, and the answers put in the order of the
 * values. One part that fails ends the whole; the others need not run. Thread-safe.
 */
final class PredictionCall {
    /** Outputs of more bytes than this are read by a worker: whoever completes a part has devices to feed. */
    private static final long INLINE_BYTES = 64 << 10;

    private final ServedModel model;
    private final Task task;
    private final Trace trace;
    private final Executor workers;
    private final Function<InferenceRequest, CompletableFuture<InferenceResult>> infer;
    private final List<CompletableFuture<?>> asked = new CopyOnWriteArrayList<>();

    private final CompletableFuture<Prediction> answer = new CompletableFuture<>() {
        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            boolean cancelled = super.cancel(mayInterruptIfRunning);
            cancelParts();
            return cancelled;
        }
    };

    /** @param infer asks the model */
    PredictionCall(
            ServedModel model,
            Task task,
            Trace trace,
            Executor workers,
            Function<InferenceRequest, CompletableFuture<InferenceResult>> infer) {
        this.model = model;
        this.task = task;
        this.trace = trace;
        this.workers = workers;
        this.infer = infer;
    }

    CompletableFuture<Prediction> answer() {
        return answer;
    }

    /**
     * Prepares the values on this thread and asks; nothing if there is an answer already.
     *
     * @throws io.atelier.core.ServingException if a value cannot be read
     */
    void begin(List<TaskInput> values) {
        if (answer.isDone()) {
            return;
        }
        List<Task.Part> parts = trace.stage(
                "prepare",
                () -> task.prepare(
                        values,
                        model.queue().sharing().extent() == Sharing.Extent.ROWS
                                ? model.queue().policy().maxBatchSize()
                                : 1));
        List<CompletableFuture<List<TaskAnswer>>> answers =
                parts.stream().map(this::ask).toList();
        if (answer.isDone()) {
            cancelParts();
        }
        var unused = CompletableFuture.allOf(answers.toArray(CompletableFuture<?>[]::new))
                .thenRun(() -> answer.complete(new Prediction(model.id(), inOrder(values.size(), parts, answers))));
    }

    /** Ends the whole, if it has not ended; says whether it had not. */
    boolean fail(Throwable failure) {
        boolean first = answer.completeExceptionally(QueuedInferenceService.asServing(failure));
        cancelParts();
        return first;
    }

    private CompletableFuture<List<TaskAnswer>> ask(Task.Part part) {
        CompletableFuture<InferenceResult> result =
                infer.apply(new InferenceRequest(null, model.id(), part.inputs(), task.outputs(), 0, trace));
        asked.add(result);
        CompletableFuture<List<TaskAnswer>> answers =
                result.thenCompose(done -> read(part, done.outputs())).toCompletableFuture();
        var unused = answers.exceptionally(failure -> {
            fail(failure);
            return List.of();
        });
        return answers;
    }

    private CompletionStage<List<TaskAnswer>> read(Task.Part part, List<Tensor> outputs) {
        long bytes = outputs.stream().mapToLong(Tensor::sizeBytes).sum();
        if (bytes > INLINE_BYTES) {
            try {
                return CompletableFuture.supplyAsync(() -> part.answers(outputs), workers);
            } catch (RejectedExecutionException full) {
                // what was computed is not thrown away
            }
        }
        return CompletableFuture.completedStage(part.answers(outputs));
    }

    private void cancelParts() {
        asked.forEach(part -> part.cancel(false));
    }

    private static List<TaskAnswer> inOrder(
            int values, List<Task.Part> parts, List<CompletableFuture<List<TaskAnswer>>> answers) {
        TaskAnswer[] ordered = new TaskAnswer[values];
        for (int i = 0; i < parts.size(); i++) {
            List<Integer> rows = parts.get(i).rows();
            for (int row = 0; row < rows.size(); row++) {
                ordered[rows.get(row)] = answers.get(i).join().get(row);
            }
        }
        return Arrays.asList(ordered);
    }
}
