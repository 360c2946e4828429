package io.atelier.serving;

import io.atelier.core.BatchShape;
import io.atelier.core.ModelId;
import io.atelier.core.ModelSignature;
import io.atelier.core.Task;
import io.atelier.core.Tensor;
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
    /** Most executions by which one request is answered. */
    static final int MOST_PARTS = 64;

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

    /** How a request with these inputs fits into batches now. */
    BatchShape shapeOf(List<Tensor> inputs) {
        return (queue.sharing().isAllowed() ? rule : BatchRule.alone()).shapeOf(inputs);
    }

    /** Most rows in one execution; 0 where requests are run as they come, whatever they have. */
    int maxBatchSize() {
        return queue.sharing().isAllowed() ? queue.policy().maxBatchSize() : 0;
    }

    /** Most rows in one request; 0 where nobody counts them. */
    int maxRequestRows() {
        return maxBatchSize() * MOST_PARTS;
    }
}
