package io.atelier.serving;

import io.atelier.core.ServingException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * What the model repository holds, and loading and unloading while the service serves. Thread-safe; no method blocks. A
 * future's failure is a {@link ServingException}; cancelling one changes nothing.
 */
public interface ModelControl {
    /** Every model version that is known, and every folder of the repository of which none is. */
    CompletableFuture<List<ModelState>> index();

    /**
     * Loads a model from its folder as it is now, or loads it anew: every version that its configuration asks for. When
     * all of them are warm on every device and have answered their golden samples, they take over; those that served
     * before answer what they have taken in, and are freed. If one cannot be loaded nothing changes.
     *
     * @param config JSON that stands above the folder's configuration, until the model is loaded again; null for none
     * @return completes when the new versions serve. Fails with {@link ServingException.ModelNotFound}, {@link
     *     ServingException.LoadFailed}, {@link ServingException.Overloaded} if too many changes of the model wait, {@link
     *     ServingException.NotReady} if the service cannot load now, {@link ServingException.Forbidden} if it never does
     */
    CompletableFuture<Void> load(String name, @Nullable String config);

    /**
     * Takes no more requests for any version of a model; frees each when it has answered what it has taken in.
     *
     * @return completes when no more are taken; fails as {@link #load} does
     */
    CompletableFuture<Void> unload(String name);

    /**
     * Unloads an ensemble and the models that are steps of it and of no other ensemble, which nothing would feed any more
     * (Triton's {@code unload_dependents}). Of a model that is no ensemble nothing else is unloaded.
     *
     * @return completes when none of them takes requests; fails as {@link #load} does
     */
    CompletableFuture<Void> unloadWithSteps(String name);

    /**
     * How a model version is served: the one asked for, or the newest.
     *
     * @throws ServingException.ModelNotFound if there is none of this name
     * @throws ServingException.NotReady      if it is there and cannot serve
     */
    ModelConfiguration configuration(String name, @Nullable String version);
}
