package io.atelier.serving;

import io.atelier.core.InferenceRequest;
import io.atelier.core.InferenceResult;
import io.atelier.core.PendingInference;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * A request on its way in parts, each of which stands in the queue by itself. One that fails ends the whole; the others
 * need not run. Thread-safe: what is asked is guarded by the object's lock.
 */
final class PartsRun extends PendingInference {
    private final List<CompletableFuture<InferenceResult>> asked = new ArrayList<>(); // guarded by this

    /**
     * @param infer asks about one part
     * @param lost  is told if an answer is not one of rows
     * @param whole asks about the whole request, if the answers of parts are not to be believed after all
     */
    PartsRun(
            RowParts parts,
            Function<InferenceRequest, CompletableFuture<InferenceResult>> infer,
            Consumer<String> lost,
            Supplier<Optional<CompletableFuture<InferenceResult>>> whole) {
        for (InferenceRequest part : parts.requests()) {
            if (isDone()) {
                break;
            }
            var unused = ask(infer.apply(part)).exceptionally(failure -> {
                fail(failure);
                return null;
            });
        }
        List<CompletableFuture<InferenceResult>> all = asked();
        var unused = CompletableFuture.allOf(all.toArray(CompletableFuture<?>[]::new))
                .thenRun(() -> {
                    if (all.size() == parts.requests().size()) {
                        finish(parts, all.stream().map(CompletableFuture::join).toList(), lost, whole);
                    }
                });
    }

    private void finish(
            RowParts parts,
            List<InferenceResult> results,
            Consumer<String> lost,
            Supplier<Optional<CompletableFuture<InferenceResult>>> whole) {
        Optional<String> obstacle = parts.obstacle(results);
        obstacle.ifPresent(lost);
        Optional<CompletableFuture<InferenceResult>> again = whole.get();
        if (again.isEmpty()) {
            complete(parts.joined(results));
            return;
        }
        var unused = ask(again.get()).whenComplete((result, failure) -> {
            if (failure == null) {
                complete(result);
            } else {
                fail(failure);
            }
        });
    }

    private synchronized CompletableFuture<InferenceResult> ask(CompletableFuture<InferenceResult> question) {
        asked.add(question);
        return question;
    }

    private synchronized List<CompletableFuture<InferenceResult>> asked() {
        return List.copyOf(asked);
    }

    private void fail(Throwable failure) {
        completeExceptionally(
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure);
        asked().forEach(part -> part.cancel(false));
    }

    @Override
    public boolean hasBegun() {
        return asked().stream().anyMatch(part -> part instanceof PendingInference pending && pending.hasBegun());
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        boolean cancelled = super.cancel(mayInterruptIfRunning);
        asked().forEach(part -> part.cancel(false));
        return cancelled;
    }
}
