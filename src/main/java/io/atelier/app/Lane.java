package io.atelier.app;

import io.atelier.core.ServingException.Overloaded;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Asynchronous steps that follow one another in the order in which they came; a bounded number of them. Thread-safe:
 * order and count change under the object's lock, and no step runs under it.
 */
final class Lane {
    private final String what;
    private final int most;
    private final Executor executor;
    private CompletableFuture<@Nullable Void> last = CompletableFuture.completedFuture(null);
    private int inside;

    /**
     * @param what     what the steps do, for whoever is refused
     * @param most     steps that may be inside, the running one included
     * @param executor begins each step; a step may block it for a moment
     */
    Lane(String what, int most, Executor executor) {
        this.what = what;
        this.most = most;
        this.executor = executor;
    }

    /**
     * Lets a step in, behind the others.
     *
     * @return completes as the step's own future does
     * @throws Overloaded if too many are inside
     */
    <T> CompletableFuture<T> enter(Supplier<CompletableFuture<T>> step) {
        CompletableFuture<T> mine;
        synchronized (this) {
            if (inside == most) {
                throw new Overloaded("too many " + what + " wait already", Duration.ofSeconds(1));
            }
            inside++;
            mine = last.thenApply(done -> step)
                    .thenComposeAsync(Supplier::get, executor)
                    .whenComplete((result, failure) -> leave());
            last = mine.handle((result, failure) -> null); // keeps no result alive
        }
        return mine.copy();
    }

    private synchronized void leave() {
        inside--;
    }
}
