package io.atelier.app;

import java.util.List;
import java.util.concurrent.CompletableFuture;

/** What {@link CompletableFuture} does not bring. */
final class Futures {
    private Futures() {}

    /** What all of these give, when the last of them has. */
    static <T> CompletableFuture<List<T>> all(List<CompletableFuture<T>> futures) {
        return CompletableFuture.allOf(futures.toArray(CompletableFuture<?>[]::new))
                .thenApply(done -> futures.stream().map(CompletableFuture::join).toList());
    }
}
