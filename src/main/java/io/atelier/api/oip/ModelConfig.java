package io.atelier.api.oip;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.atelier.core.DataType;
import io.atelier.core.DeviceId;
import io.atelier.core.InferenceRequest;
import io.atelier.core.TensorSpec;
import io.atelier.serving.ModelConfiguration;
import io.atelier.serving.ModelConfiguration.Versions;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How a model version is served, in Triton's form.
 *
 * @param maxBatchSize most rows of a request; 0 where the first axis is not one of rows
 * @param batching     null where requests never share an execution
 * @param scheduling   null but for an ensemble
 * @see <a href="https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_model_configuration.md">Triton:
 *     model configuration extension</a>
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record ModelConfig(
        String name,
        String platform,
        String backend,
        @JsonProperty("version_policy") VersionPolicy versions,
        @JsonProperty("max_batch_size") int maxBatchSize,
        List<Tensor> input,
        List<Tensor> output,
        @JsonProperty("instance_group") List<Group> instances,
        @JsonProperty("default_model_filename") String file,
        @JsonProperty("dynamic_batching") @Nullable Batching batching,
        @JsonProperty("ensemble_scheduling") @Nullable Scheduling scheduling) {

    /** One of the three. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record VersionPolicy(
            @Nullable Latest latest,
            @Nullable Map<String, String> all,
            @Nullable Specific specific) {
        static VersionPolicy of(Versions versions) {
            if (versions instanceof Versions.Latest latest) {
                return new VersionPolicy(new Latest(latest.count()), null, null);
            }
            if (versions instanceof Versions.Specific specific) {
                return new VersionPolicy(null, null, new Specific(specific.numbers()));
            }
            return new VersionPolicy(null, Map.of(), null);
        }
    }

    record Latest(@JsonProperty("num_versions") int count) {}

    record Specific(List<Long> versions) {}

    /**
     * One input or output.
     *
     * @param dims without the axis of rows; -1 where any size fits
     */
    record Tensor(String name, @JsonProperty("data_type") String dataType, List<Long> dims) {
        static Tensor of(TensorSpec spec, boolean rows) {
            return new Tensor(
                    spec.name(),
                    "TYPE_" + (spec.dataType() == DataType.BYTES ? "STRING" : spec.dataType()),
                    Arrays.stream(spec.shape().toArray())
                            .skip(rows ? 1 : 0)
                            .boxed()
                            .toList());
        }
    }

    /** One device. */
    record Group(String name, String kind, int count, List<Integer> gpus) {
        static Group of(DeviceId device, int count) {
            return new Group(
                    device.toString(),
                    "KIND_" + device.kind(),
                    count,
                    device.kind() == DeviceId.Kind.GPU ? List.of(device.index()) : List.of());
        }
    }

    /** How requests share executions, and wait. */
    record Batching(
            @JsonProperty("max_queue_delay_microseconds") long maxQueueDelay,
            @JsonProperty("priority_levels") int priorities,
            @JsonProperty("default_priority_level") int priority,
            @JsonProperty("default_queue_policy") QueuePolicy queue) {}

    /** How many wait, and how long. */
    record QueuePolicy(
            @JsonProperty("timeout_action") String timeoutAction,
            @JsonProperty("default_timeout_microseconds") long timeout,
            @JsonProperty("allow_timeout_override") boolean override,
            @JsonProperty("max_queue_size") int maxQueueSize) {}

    /** What an ensemble is made of. */
    record Scheduling(@JsonProperty("step") List<Step> steps) {
        static Scheduling of(List<ModelConfiguration.Step> steps) {
            return new Scheduling(steps.stream()
                    .map(step -> new Step(
                            step.model(),
                            step.version().map(Long::valueOf).orElse(Step.NEWEST),
                            step.inputs(),
                            step.outputs()))
                    .toList());
        }
    }

    /** One model's part in an ensemble. */
    record Step(
            @JsonProperty("model_name") String model,
            @JsonProperty("model_version") long version,
            @JsonProperty("input_map") Map<String, String> inputs,
            @JsonProperty("output_map") Map<String, String> outputs) {
        private static final long NEWEST = -1;
    }

    static ModelConfig of(ModelConfiguration model) {
        boolean rows = model.signature().hasBatchAxis();
        return new ModelConfig(
                model.id().name(),
                model.platform(),
                model.backend(),
                VersionPolicy.of(model.versions()),
                rows ? model.maxBatchSize() : 0,
                model.signature().inputs().stream()
                        .map(spec -> Tensor.of(spec, rows))
                        .toList(),
                model.signature().outputs().stream()
                        .map(spec -> Tensor.of(spec, rows))
                        .toList(),
                model.instances().entrySet().stream()
                        .map(entry -> Group.of(entry.getKey(), entry.getValue()))
                        .sorted((a, b) -> a.name().compareTo(b.name()))
                        .toList(),
                model.file(),
                model.sharing().isAllowed()
                        ? new Batching(
                                model.maxQueueDelay().toNanos() / 1000,
                                InferenceRequest.LOWEST_PRIORITY,
                                model.priority(),
                                new QueuePolicy("REJECT", model.timeout().toNanos() / 1000, true, model.maxQueueSize()))
                        : null,
                model.steps().isEmpty() ? null : Scheduling.of(model.steps()));
    }
}
