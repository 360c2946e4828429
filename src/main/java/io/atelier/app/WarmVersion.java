package io.atelier.app;

import io.atelier.core.ModelId;
import io.atelier.core.Sharing;
import io.atelier.core.Task;
import io.atelier.engine.ModelInstance;
import io.atelier.repository.LoadedModel;
import io.atelier.repository.ModelDefinition;
import io.atelier.scheduling.BatchPolicy;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A model version that is warm on every device, and does not serve yet. Whoever has it gives it to {@link
 * ServedVersions}, or frees it.
 *
 * @param loaded on each device, in the order of the devices
 * @param task   what makes it answer to plain values; null if nothing does
 * @param labels the names of classes by their index, for each output to which the folder gives some
 */
record WarmVersion(
        ModelDefinition definition,
        BatchPolicy policy,
        List<LoadedModel> loaded,
        @Nullable Task task,
        Map<String, List<String>> labels) {

    ModelId id() {
        return definition.id();
    }

    /** On the first device: what it takes and gives is the same on all. */
    ModelInstance first() {
        return loaded.get(0).instance();
    }

    /** Whether requests may share executions: on every device, or on none. */
    Sharing sharing() {
        return loaded.stream().map(LoadedModel::sharing).reduce(Sharing::and).orElseThrow();
    }

    void free() {
        loaded.forEach(one -> one.instance().close());
    }

    /** For the log. */
    String describe() {
        Sharing sharing = sharing();
        return "model %s loaded in %s, warm in %s, %s (%s) in %s"
                .formatted(
                        id(),
                        seconds(slowest(loaded.stream().map(LoadedModel::loadTime))),
                        seconds(slowest(loaded.stream().map(LoadedModel::warmUpTime))),
                        switch (sharing.extent()) {
                            case NONE -> "runs one request at a time";
                            case SINGLE_ROWS -> "batches requests of one row";
                            case ROWS -> "batches requests";
                        },
                        sharing.reason(),
                        seconds(slowest(loaded.stream().map(LoadedModel::proofTime))));
    }

    private static Duration slowest(Stream<Duration> durations) {
        return durations.max(Comparator.naturalOrder()).orElse(Duration.ZERO);
    }

    private static String seconds(Duration duration) {
        return String.format(Locale.ROOT, "%.2f s", duration.toNanos() / 1e9);
    }
}
