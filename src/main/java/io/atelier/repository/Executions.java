package io.atelier.repository;

import io.atelier.core.Tensor;
import io.atelier.core.Ticker;
import io.atelier.engine.EngineBatch;
import io.atelier.engine.ModelInstance;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

/**
 * Executions of a model that no caller asked for, each in its turn on the device, and all of them within a time. Waits
 * for each to return truly. Used by one thread.
 */
final class Executions {
    private final ModelInstance instance;
    private final ModelLoader.Turn turn;
    private final Ticker ticker;
    private final Duration limit;
    private final long endNanos;
    private final List<String> outputs;
    private final Map<Long, Long> fastest = new HashMap<>();
    private long lastNanos;

    /** @param limit from now on; what runs then is ended, if the engine can */
    Executions(ModelInstance instance, ModelLoader.Turn turn, Duration limit, Ticker ticker) {
        this.instance = instance;
        this.turn = turn;
        this.ticker = ticker;
        this.limit = limit;
        this.endNanos = ticker.nanoTime() + limit.toNanos();
        this.outputs =
                instance.signature().outputs().stream().map(spec -> spec.name()).toList();
    }

    /** An execution that gave no answer, and what the engine said. */
    static final class FailedException extends Exception {
        private static final long serialVersionUID = 1;

        FailedException(String reason, Throwable cause) {
            super(reason, cause);
        }

        String reason() {
            return String.valueOf(getMessage());
        }
    }

    /** What answered for each request, in the order of the signature. */
    List<List<Tensor>> answers(List<List<Tensor>> requests) throws FailedException {
        CompletableFuture<Void> abandoned =
                new CompletableFuture<Void>().completeOnTimeout(null, Math.max(0, leftNanos()), TimeUnit.NANOSECONDS);
        if (isOver()) {
            throw new FailedException(
                    "it was not done within " + limit.toSeconds() + " s", new CancellationException());
        }
        List<List<Tensor>> answers;
        long began = ticker.nanoTime();
        try {
            EngineBatch batch = new EngineBatch(requests, outputs, abandoned);
            answers = turn.run(() -> instance.run(batch)).toCompletableFuture().join();
        } catch (RuntimeException e) {
            Throwable cause = e instanceof CompletionException && e.getCause() != null ? e.getCause() : e;
            String reason = cause instanceof CancellationException
                    ? "it was ended after " + limit.toSeconds() + " s"
                    : cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
            throw new FailedException(reason, cause);
        }
        lastNanos = ticker.nanoTime() - began;
        fastest.merge(elements(requests), lastNanos, Math::min);
        if (answers.size() != requests.size() || answers.stream().anyMatch(answer -> answer.size() != outputs.size())) {
            throw new FailedException("it did not give every output of every request", new IllegalStateException());
        }
        return answers;
    }

    List<Tensor> answer(List<Tensor> request) throws FailedException {
        return answers(List.of(request)).get(0);
    }

    /** The fastest execution of each number of input elements, in nanoseconds. */
    Map<Long, Long> fastestNanos() {
        return Map.copyOf(fastest);
    }

    private static long elements(List<List<Tensor>> requests) {
        return requests.stream()
                .flatMap(List::stream)
                .mapToLong(tensor -> tensor.shape().elements().orElse(0))
                .sum();
    }

    /** How long the last execution took. */
    long usualNanos() {
        return lastNanos;
    }

    /** Whether the time is up. */
    boolean isOver() {
        return leftNanos() <= 0;
    }

    /** What is left of the time. */
    long leftNanos() {
        return endNanos - ticker.nanoTime();
    }
}
