package io.atelier.serving;

import io.atelier.core.ModelId;
import io.atelier.core.ModelSignature;
import io.atelier.core.Task;
import io.atelier.scheduling.BatchRule;
import io.atelier.scheduling.ModelQueue;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A model version that is loaded on every device, and the line in front of it. Immutable but for its queue.
 *
 * @param timeout how long a request may take when its caller does not say
 * @param task    what makes it answer to plain values; null if nothing does
 * @param labels  the names of classes by their index, for each output that has some
 */
public record ServedModel(
        ModelId id,
        String platform,
        ModelSignature signature,
        BatchRule rule,
        ModelQueue queue,
        Duration timeout,
        @Nullable Task task,
        Map<String, List<String>> labels) {
    /** A version whose classes are named by its task, if at all. */
    public ServedModel(
            ModelId id,
            String platform,
            ModelSignature signature,
            BatchRule rule,
            ModelQueue queue,
            Duration timeout,
            @Nullable Task task) {
        this(id, platform, signature, rule, queue, timeout, task, task == null ? Map.of() : task.labels());
    }
}
