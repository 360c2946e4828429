package io.atelier.repository;

import io.atelier.core.InferenceRequest;
import io.atelier.core.ModelSignature;
import io.atelier.core.Padding;
import io.atelier.core.QueueTimeout;
import io.atelier.core.Shape;
import io.atelier.core.TensorSpec;
import io.atelier.repository.Declaration.Rows;
import io.atelier.repository.ModelConfig.Batching;
import io.atelier.repository.ModelConfig.Share;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Reads Triton's {@code config.pbtxt}: what a field means there it means here, or the configuration is refused.
 * {@link TritonSchema} knows what becomes of each field, and refuses and ignores; this class reads those with a meaning.
 *
 * @see <a href="https://github.com/triton-inference-server/server/blob/main/docs/user_guide/model_configuration.md">Triton:
 *     model configuration</a>
 */
final class TritonConfig {
    static final String FILE_NAME = "config.pbtxt";

    private static final String LIBRARY = "libtriton_%s.so";

    private TritonConfig() {}

    /** @param folder the model's folder, whose name the file must not contradict */
    static ModelConfig parse(String text, String folder) throws ModelConfigException {
        return parse(ProtoSection.parse(FILE_NAME, text), folder);
    }

    static ModelConfig parse(ProtoSection root, String folder) throws ModelConfigException {
        Optional<String> name = root.text("name");
        if (name.isPresent() && !name.get().equals(folder)) {
            throw root.problem(
                    "name",
                    "is " + ProtoSection.quoted(name.get()) + ", allowed is the folder's name \"" + folder + "\"");
        }
        Optional<EnsembleConfig> ensemble =
                root.has(EnsembleProto.FIELD) ? Optional.of(EnsembleProto.parse(root)) : Optional.empty();
        Optional<String> file = ensemble.isPresent() ? Optional.empty() : file(root);
        Optional<ModelFormat> format = ensemble.isPresent() ? Optional.empty() : format(root, file);
        Declaration declaration = declaration(root);
        ProtoSection dynamic = root.section("dynamic_batching");
        ProtoSection queue = dynamic.section("default_queue_policy");
        ModelConfig config = new ModelConfig(
                new Batching(
                        maxBatchSize(root, declaration.rows()),
                        microseconds(dynamic, "max_queue_delay_microseconds"),
                        positive(queue.integer("max_queue_size", Integer.MAX_VALUE)),
                        queueTimeout(queue),
                        Padding.NONE,
                        false),
                Optional.empty(),
                instances(root),
                Optional.empty(),
                versions(root),
                Optional.empty(),
                new Share(priority(dynamic), Share.DEFAULTS.weight()),
                format,
                ensemble,
                format.orElse(ModelFormat.ONNX) == ModelFormat.TORCHSCRIPT ? signature(declaration) : Optional.empty(),
                file,
                declaration,
                TritonWarmUps.read(root, declaration.rows()),
                List.of());
        return config.ignoring(root.ignored());
    }

    /**
     * Triton's 0 says that the first axis is not one of rows. A size that is not given is 0 as well, unless Triton would
     * complete the configuration from the model file: when it does not tell both inputs and outputs.
     */
    private static Rows rows(ProtoSection root) throws ModelConfigException {
        Optional<Long> size = root.integer("max_batch_size", Batching.LARGEST_BATCH);
        if (size.isPresent()) {
            return size.get() > 0 ? Rows.YES : Rows.NO;
        }
        return root.has("input") && root.has("output") ? Rows.NO : Rows.INFERRED;
    }

    private static Optional<Integer> maxBatchSize(ProtoSection root, Rows rows) throws ModelConfigException {
        return rows == Rows.NO ? Optional.of(1) : positive(root.integer("max_batch_size", Batching.LARGEST_BATCH));
    }

    private static Declaration declaration(ProtoSection root) throws ModelConfigException {
        Map<String, String> parameters = new LinkedHashMap<>();
        root.entries("parameters")
                .forEach((key, value) ->
                        parameters.put(key, value.text("string_value").orElse("")));
        List<DeclaredTensor> outputs = TritonTensors.read(root, "output");
        for (ProtoSection output : root.sections("output")) {
            Optional<String> labels = output.text("label_filename").filter(label -> !FolderFile.isInside(label));
            if (labels.isPresent()) {
                throw output.problem(
                        "label_filename",
                        "is " + ProtoSection.quoted(labels.get())
                                + ", allowed is the name of a file in the model's folder");
            }
        }
        return new Declaration(rows(root), TritonTensors.read(root, "input"), outputs, parameters);
    }

    /** What a file that does not tell its inputs and outputs takes and gives. */
    private static Optional<ModelSignature> signature(Declaration declaration) {
        return declaration.inputs().isEmpty() || declaration.outputs().isEmpty()
                ? Optional.empty()
                : Optional.of(new ModelSignature(
                        specs(declaration.inputs(), declaration.rows()),
                        specs(declaration.outputs(), declaration.rows())));
    }

    private static List<TensorSpec> specs(List<DeclaredTensor> tensors, Rows rows) {
        return tensors.stream()
                .map(tensor -> new TensorSpec(
                        tensor.name(),
                        tensor.dataType(),
                        TritonTensors.shape(
                                rows == Rows.YES
                                        ? Stream.concat(Stream.of(Shape.DYNAMIC), tensor.modelDims().stream())
                                                .toList()
                                        : tensor.modelDims())))
                .toList();
    }

    private static Optional<QueueTimeout> queueTimeout(ProtoSection queue) throws ModelConfigException {
        QueueTimeout.Action action =
                QueueTimeout.Action.valueOf(queue.word("timeout_action").orElse("REJECT"));
        return microseconds(queue, "default_timeout_microseconds")
                .filter(timeout -> !timeout.isZero())
                .map(timeout -> new QueueTimeout(timeout, action, queue.flag("allow_timeout_override")));
    }

    /** Levels are counted as here: 1 is served first. */
    private static Optional<Integer> priority(ProtoSection dynamic) throws ModelConfigException {
        long levels = dynamic.integer("priority_levels", InferenceRequest.LOWEST_PRIORITY)
                .orElse(0L);
        if (levels == 0) {
            return Optional.empty();
        }
        long level =
                dynamic.integer("default_priority_level", Integer.MAX_VALUE).orElse(0L);
        if (level < 1 || level > levels) {
            throw dynamic.problem(
                    "default_priority_level", "is " + level + ", allowed is an integer from 1 to " + levels);
        }
        return Optional.of((int) level);
    }

    /** Groups share the device here, so the largest count is what one device gets. */
    private static Optional<Integer> instances(ProtoSection root) throws ModelConfigException {
        Optional<Integer> most = Optional.empty();
        for (ProtoSection group : root.sections("instance_group")) {
            Optional<Integer> count = positive(group.integer("count", ModelConfig.MOST_INSTANCES));
            if (count.isPresent() && count.get() > most.orElse(0)) {
                most = count;
            }
        }
        return most;
    }

    private static VersionPolicy versions(ProtoSection root) throws ModelConfigException {
        ProtoSection policy = root.section("version_policy");
        if (policy.has("all")) {
            return new VersionPolicy.All();
        }
        if (policy.has("specific")) {
            ProtoSection specific = policy.section("specific");
            List<Long> versions = specific.positiveIntegers("versions");
            if (versions.isEmpty()) {
                throw specific.problem("versions", "is missing, allowed are positive integers");
            }
            return new VersionPolicy.Specific(new TreeSet<>(versions));
        }
        Optional<Integer> count = positive(policy.section("latest").integer("num_versions", Integer.MAX_VALUE));
        return count.isPresent() ? new VersionPolicy.Latest(count.get()) : VersionPolicy.NEWEST;
    }

    private static Optional<String> file(ProtoSection root) throws ModelConfigException {
        Optional<String> file = root.text("default_model_filename");
        if (file.isPresent() && !FolderFile.isInside(file.get())) {
            throw root.problem(
                    "default_model_filename",
                    "is " + ProtoSection.quoted(file.get())
                            + ", allowed is the name of a file in the version's folder");
        }
        return file;
    }

    private static Optional<ModelFormat> format(ProtoSection root, Optional<String> file) throws ModelConfigException {
        List<ModelFormat> given = new ArrayList<>();
        format(root, "platform", ModelFormat::platform).ifPresent(given::add);
        format(root, "backend", ModelFormat::backend).ifPresent(given::add);
        format(root, "runtime", format -> LIBRARY.formatted(format.backend())).ifPresent(given::add);
        if (given.stream().distinct().count() > 1) {
            throw root.problem("platform, backend and runtime contradict each other");
        }
        if (file.isEmpty()) {
            return given.stream().findFirst();
        }
        Optional<ModelFormat> bySuffix = ModelFormat.bySuffix(file.get());
        if (given.isEmpty()) {
            if (bySuffix.isEmpty()) {
                throw root.problem("backend", "is missing, and default_model_filename does not end with .onnx or .pt");
            }
            return bySuffix;
        }
        boolean torch = given.get(0) == ModelFormat.TORCHSCRIPT;
        if (torch != (bySuffix.orElse(ModelFormat.ONNX) == ModelFormat.TORCHSCRIPT)) {
            throw root.problem(
                    "default_model_filename",
                    "is " + ProtoSection.quoted(file.get()) + ", which "
                            + given.get(0).backend() + (torch ? " reads with the suffix .pt alone" : " does not read"));
        }
        return given.stream().findFirst();
    }

    private static Optional<ModelFormat> format(ProtoSection root, String field, Function<ModelFormat, String> word)
            throws ModelConfigException {
        Optional<String> given = root.text(field);
        if (given.isEmpty()) {
            return Optional.empty();
        }
        for (ModelFormat format : ModelFormat.values()) {
            if (word.apply(format).equals(given.get())) {
                return Optional.of(format);
            }
        }
        throw root.problem(
                field,
                "is " + ProtoSection.quoted(given.get()) + ", allowed is "
                        + Stream.of(ModelFormat.values()).map(word).collect(Collectors.joining(" or ")));
    }

    private static Optional<Duration> microseconds(ProtoSection section, String field) throws ModelConfigException {
        long most = ModelConfig.LONGEST.toNanos() / 1000;
        return section.integer(field, most).map(micros -> Duration.of(micros, ChronoUnit.MICROS));
    }

    /** Protobuf's 0 is the same as a field that is not there. */
    private static Optional<Integer> positive(Optional<Long> number) {
        return number.filter(value -> value > 0).map(Long::intValue);
    }
}
