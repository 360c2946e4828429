package io.atelier.serving;

import io.atelier.core.ModelId;
import io.atelier.core.ModelSignature;
import io.atelier.core.TaskKind;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A served model version as callers see it.
 *
 * @param versions every version of the model that is served
 * @param platform the kind of model, in Triton's words ({@code onnxruntime_onnx})
 * @param maxBatchSize   most rows in one execution; 0 where requests are run as they come, whatever they have
 * @param maxRequestRows most rows in one request, which is answered by several executions then; 0 where nobody counts them
 * @param timeout  how long a request may take when its caller does not say
 * @param task     what it can be asked plainly; null if it takes tensors alone
 * @param labels   the names of classes by their index, for each output that has some
 * @param timeoutIsOfQueue whether the timeout that a request asks for is its longest wait in the queue, as in Triton, and
 *     not the time in which it wants its answer
 */
public record ModelView(
        ModelId id,
        List<String> versions,
        String platform,
        ModelSignature signature,
        int maxBatchSize,
        int maxRequestRows,
        Duration timeout,
        boolean ready,
        @Nullable TaskKind task,
        Map<String, List<String>> labels,
        boolean timeoutIsOfQueue) {
    /** A version that takes tensors alone. */
    public ModelView(
            ModelId id,
            List<String> versions,
            String platform,
            ModelSignature signature,
            int maxBatchSize,
            Duration timeout,
            boolean ready) {
        this(id, versions, platform, signature, maxBatchSize, maxBatchSize, timeout, ready, null, Map.of(), false);
    }

    /** A version whose requests may ask for the time in which they want their answers. */
    public ModelView(
            ModelId id,
            List<String> versions,
            String platform,
            ModelSignature signature,
            int maxBatchSize,
            int maxRequestRows,
            Duration timeout,
            boolean ready,
            @Nullable TaskKind task,
            Map<String, List<String>> labels) {
        this(id, versions, platform, signature, maxBatchSize, maxRequestRows, timeout, ready, task, labels, false);
    }
}
