package io.atelier.api.oip;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.atelier.core.DataType;
import io.atelier.core.DeviceId;
import io.atelier.core.InferenceRequest;
import io.atelier.core.QueueTimeout;
import io.atelier.core.TensorSpec;
import io.atelier.serving.ModelConfiguration;
import io.atelier.serving.ModelConfiguration.Filling;
import io.atelier.serving.ModelConfiguration.Note;
import io.atelier.serving.ModelConfiguration.Versions;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How a model version is served, in Triton's form.
 *
 * @param maxBatchSize most rows of a request; 0 where the first axis is not one of rows
 * @param parameters   null where there are none
 * @param warmUps      null where there are none
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
        @JsonProperty("ensemble_scheduling") @Nullable Scheduling scheduling,
        @Nullable Map<String, Parameter> parameters,
        @JsonProperty("model_warmup") @Nullable List<WarmUp> warmUps) {

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
     * @param format  null where it is not said to be an image
     * @param dims    without the axis of rows; -1 where any size fits
     * @param reshape null where the model has the same shape
     * @param labels  name of the file with the names of its classes; null where there is none
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Tensor(
            String name,
            @JsonProperty("data_type") String dataType,
            @Nullable String format,
            List<Long> dims,
            @Nullable Reshape reshape,
            @JsonProperty("label_filename") @Nullable String labels) {
        static List<Tensor> of(List<TensorSpec> specs, Map<String, Note> notes, boolean rows) {
            return specs.stream()
                    .map(spec -> of(spec, notes.getOrDefault(spec.name(), Note.NONE), rows))
                    .toList();
        }

        private static Tensor of(TensorSpec spec, Note note, boolean rows) {
            return new Tensor(
                    spec.name(),
                    type(spec.dataType()),
                    note.format().orElse(null),
                    Arrays.stream(spec.shape().toArray())
                            .skip(rows ? 1 : 0)
                            .boxed()
                            .toList(),
                    note.reshape().map(Reshape::new).orElse(null),
                    note.labels().orElse(null));
        }
    }

    /** The shape that the model has. */
    record Reshape(List<Long> shape) {}

    /** Whatever its owner wrote down. */
    record Parameter(@JsonProperty("string_value") String value) {}

    /** A request that was answered before the model served. */
    record WarmUp(String name, @JsonProperty("batch_size") int batchSize, Map<String, WarmUpInput> inputs, int count) {
        static @Nullable List<WarmUp> of(List<ModelConfiguration.WarmUp> requests) {
            return requests.isEmpty() ? null : requests.stream().map(WarmUp::of).toList();
        }

        private static WarmUp of(ModelConfiguration.WarmUp request) {
            Map<String, WarmUpInput> inputs = new LinkedHashMap<>();
            request.inputs().forEach((name, input) -> inputs.put(name, WarmUpInput.of(input)));
            return new WarmUp(request.name(), Math.max(1, request.rows()), inputs, request.count());
        }
    }

    /** An input of such a request; one of the last three says what fills it. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record WarmUpInput(
            @JsonProperty("data_type") String dataType,
            List<Long> dims,
            @JsonProperty("zero_data") @Nullable Boolean zero,
            @JsonProperty("random_data") @Nullable Boolean random,
            @JsonProperty("input_data_file") @Nullable String file) {
        static WarmUpInput of(ModelConfiguration.WarmUpInput input) {
            return new WarmUpInput(
                    type(input.dataType()),
                    input.shape(),
                    input.filling() == Filling.ZERO ? true : null,
                    input.filling() == Filling.RANDOM ? true : null,
                    input.file().orElse(null));
        }
    }

    /** Triton's name of a type. */
    private static String type(DataType type) {
        return "TYPE_" + (type == DataType.BYTES ? "STRING" : type);
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
            @JsonProperty("max_queue_size") int maxQueueSize) {
        static QueuePolicy of(ModelConfiguration model) {
            return new QueuePolicy(
                    model.queueTimeout()
                            .map(QueueTimeout::action)
                            .orElse(QueueTimeout.Action.REJECT)
                            .name(),
                    model.queueTimeout()
                            .map(timeout -> timeout.after().toNanos() / 1000)
                            .orElse(0L),
                    model.queueTimeout().filter(QueueTimeout::overridable).isPresent(),
                    model.maxQueueSize());
        }
    }

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
        boolean rows = model.signature().hasBatchAxis()
                && (model.sharing().isAllowed()
                        || model.maxBatchSize() == 1
                        || !model.steps().isEmpty());
        return new ModelConfig(
                model.id().name(),
                model.platform(),
                model.backend(),
                VersionPolicy.of(model.versions()),
                rows ? model.maxBatchSize() : 0,
                Tensor.of(model.signature().inputs(), model.notes(), rows),
                Tensor.of(model.signature().outputs(), model.notes(), rows),
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
                                QueuePolicy.of(model))
                        : null,
                model.steps().isEmpty() ? null : Scheduling.of(model.steps()),
                parameters(model),
                WarmUp.of(model.warmUps()));
    }

    /** The owner's, and what was found out about the model. */
    private static @Nullable Map<String, Parameter> parameters(ModelConfiguration model) {
        Map<String, Parameter> parameters = new LinkedHashMap<>();
        model.parameters().forEach((key, value) -> parameters.put(key, new Parameter(value)));
        if (model.steps().isEmpty()) {
            parameters.put(
                    "atelier.batching", new Parameter(model.sharing().extent().word()));
            parameters.put(
                    "atelier.batching.reason", new Parameter(model.sharing().reason()));
        }
        return parameters.isEmpty() ? null : parameters;
    }
}
