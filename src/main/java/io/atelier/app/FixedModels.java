package io.atelier.app;

import io.atelier.core.ServingException.Forbidden;
import io.atelier.serving.ModelConfiguration;
import io.atelier.serving.ModelControl;
import io.atelier.serving.ModelState;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Model control where none is configured: shows the models and changes none. */
record FixedModels(ModelControl models) implements ModelControl {
    /** Clients of Triton look for these words. */
    private static final String REFUSAL =
            "explicit model load / unload is not allowed, since atelier.model-control is none";

    @Override
    public CompletableFuture<List<ModelState>> index() {
        return models.index();
    }

    @Override
    public CompletableFuture<Void> load(String name, @Nullable String config) {
        return CompletableFuture.failedFuture(new Forbidden(REFUSAL));
    }

    @Override
    public CompletableFuture<Void> unload(String name) {
        return CompletableFuture.failedFuture(new Forbidden(REFUSAL));
    }

    @Override
    public CompletableFuture<Void> unloadWithSteps(String name) {
        return unload(name);
    }

    @Override
    public ModelConfiguration configuration(String name, @Nullable String version) {
        return models.configuration(name, version);
    }
}
