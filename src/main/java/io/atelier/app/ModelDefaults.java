package io.atelier.app;

import io.atelier.repository.ModelConfig;
import io.atelier.scheduling.BatchPolicy;
import java.time.Duration;

/**
 * What holds where a model's folder says nothing else. Immutable.
 *
 * @param priorityStep wait that lifts a request by one level
 */
record ModelDefaults(
        int maxBatchSize, Duration maxQueueDelay, int maxQueueSize, Duration priorityStep, Duration timeout) {

    /** How the requests of a model are put together and wait. */
    BatchPolicy policy(ModelConfig config) {
        ModelConfig.Batching batching = config.batching();
        return new BatchPolicy(
                batching.maxBatchSize().orElse(maxBatchSize),
                batching.maxQueueDelay().orElse(maxQueueDelay),
                batching.maxQueueSize().orElse(maxQueueSize),
                config.share().priority().orElse(BatchPolicy.DEFAULT_PRIORITY),
                priorityStep,
                batching.queueTimeout());
    }
}
