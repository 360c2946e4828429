package io.atelier.engine;

import io.atelier.core.Tensor;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * What one execution computes.
 *
 * @param requests  for each request its inputs, in the order of the signature
 * @param outputs   the outputs that any of the requests wants
 * @param abandoned completes when nobody waits for the batch any more; the engine may then end it early
 */
public record EngineBatch(List<List<Tensor>> requests, List<String> outputs, CompletionStage<Void> abandoned) {
    public EngineBatch {
        requests = List.copyOf(requests);
        outputs = List.copyOf(outputs);
    }
}
