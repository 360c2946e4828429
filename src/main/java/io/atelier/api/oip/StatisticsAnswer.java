package io.atelier.api.oip;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.atelier.core.ModelId;
import io.atelier.serving.ModelCounts;
import java.util.List;

/**
 * What models have done, in Triton's form.
 *
 * @see <a href="https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_statistics.md">Triton:
 *     statistics extension</a>
 */
record StatisticsAnswer(@JsonProperty("model_stats") List<Model> models) {

    /**
     * One model version.
     *
     * @param lastInference in milliseconds since 1970
     * @param memory        always empty: engines do not tell
     */
    record Model(
            String name,
            String version,
            @JsonProperty("last_inference") long lastInference,
            @JsonProperty("inference_count") long inferences,
            @JsonProperty("execution_count") long executions,
            @JsonProperty("inference_stats") Inference inference,
            @JsonProperty("batch_stats") List<Batch> batches,
            @JsonProperty("memory_usage") List<Memory> memory) {}

    /** Requests, by what became of them. */
    record Inference(
            Duration success,
            Duration fail,
            Duration queue,
            @JsonProperty("compute_input") Duration computeInput,
            @JsonProperty("compute_infer") Duration computeInfer,
            @JsonProperty("compute_output") Duration computeOutput,
            @JsonProperty("cache_hit") Duration cacheHit,
            @JsonProperty("cache_miss") Duration cacheMiss,
            Duration cancel) {}

    /** Executions of so many rows. */
    record Batch(
            @JsonProperty("batch_size") int size,
            @JsonProperty("compute_input") Duration computeInput,
            @JsonProperty("compute_infer") Duration computeInfer,
            @JsonProperty("compute_output") Duration computeOutput) {}

    /** Memory that a model holds. */
    record Memory(
            String type, int id, @JsonProperty("byte_size") long bytes) {}

    /** How often, and how long in all. */
    record Duration(long count, long ns) {
        private static final Duration NONE = new Duration(0, 0);

        static Duration of(ModelCounts.Sum sum) {
            return new Duration(sum.count(), sum.nanos());
        }
    }

    static Model model(ModelId id, ModelCounts counts) {
        return new Model(
                id.name(),
                id.version(),
                counts.lastRequestMillis(),
                counts.inferences(),
                counts.executions(),
                new Inference(
                        Duration.of(counts.success()),
                        Duration.of(counts.fail()),
                        Duration.of(counts.queue()),
                        Duration.of(counts.compute().input()),
                        Duration.of(counts.compute().infer()),
                        Duration.of(counts.compute().output()),
                        Duration.NONE,
                        Duration.NONE,
                        Duration.of(counts.cancel())),
                counts.batches().entrySet().stream()
                        .map(batch -> new Batch(
                                batch.getKey(),
                                Duration.of(batch.getValue().input()),
                                Duration.of(batch.getValue().infer()),
                                Duration.of(batch.getValue().output())))
                        .toList(),
                List.of());
    }
}
