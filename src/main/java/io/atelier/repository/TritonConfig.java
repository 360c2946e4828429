package io.atelier.repository;

import io.atelier.core.Padding;
import io.atelier.repository.ModelConfig.Batching;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Reads Triton's {@code config.pbtxt}, as far as its fields have a meaning here. Fields that would change what a model
 * computes, or how requests belong together, are refused; others are listed as ignored.
 *
 * @see <a href="https://github.com/triton-inference-server/common/blob/main/protobuf/model_config.proto">Triton:
 *     model_config.proto</a>
 */
final class TritonConfig {
    static final String FILE_NAME = "config.pbtxt";

    private TritonConfig() {}

    /** @param folder the model's folder, whose name the file must not contradict */
    static ModelConfig parse(String text, String folder) throws ModelConfigException {
        return parse(ProtoSection.parse(FILE_NAME, text), folder);
    }

    static ModelConfig parse(ProtoSection root, String folder) throws ModelConfigException {
        Optional<String> name = root.text("name").filter(given -> !given.isEmpty());
        if (name.isPresent() && !name.get().equals(folder)) {
            throw root.problem(
                    "name is " + ProtoSection.quoted(name.get()) + ", allowed is the folder's name \"" + folder + "\"");
        }
        if (root.has("sequence_batching")) {
            throw root.problem("sequence_batching is not supported");
        }
        Optional<EnsembleConfig> ensemble =
                root.has(EnsembleProto.FIELD) ? Optional.of(EnsembleProto.parse(root)) : Optional.empty();
        Optional<ModelFormat> format = ensemble.isPresent() ? Optional.empty() : format(root);
        ProtoSection dynamic = root.section("dynamic_batching");
        ProtoSection queue = dynamic.section("default_queue_policy");
        ModelConfig config = new ModelConfig(
                new Batching(
                        maxBatchSize(root),
                        microseconds(dynamic, "max_queue_delay_microseconds"),
                        positive(queue.integer("max_queue_size", Integer.MAX_VALUE)),
                        Padding.NONE,
                        false),
                microseconds(queue, "default_timeout_microseconds").filter(timeout -> !timeout.isZero()),
                instances(root),
                Optional.empty(),
                versions(root),
                Optional.empty(),
                ModelConfig.Share.DEFAULTS,
                format,
                ensemble,
                Optional.empty(),
                List.of());
        return config.ignoring(root.ignored());
    }

    /**
     * Triton's 0 says that the server must not form batches, because the model's first axis is not one of rows. The same
     * is said here by batches of one row.
     */
    private static Optional<Integer> maxBatchSize(ProtoSection root) throws ModelConfigException {
        return root.integer("max_batch_size", Batching.LARGEST_BATCH).map(size -> Math.max(1, size.intValue()));
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
        List<VersionPolicy> given = new ArrayList<>();
        if (policy.has("all")) {
            policy.section("all");
            given.add(new VersionPolicy.All());
        }
        if (policy.has("specific")) {
            List<Long> versions = policy.section("specific").positiveIntegers("versions");
            if (versions.isEmpty()) {
                throw root.problem("version_policy.specific.versions is missing, allowed are positive integers");
            }
            given.add(new VersionPolicy.Specific(new TreeSet<>(versions)));
        }
        if (policy.has("latest")) {
            Optional<Integer> count = positive(policy.section("latest").integer("num_versions", Integer.MAX_VALUE));
            given.add(new VersionPolicy.Latest(count.orElse(1)));
        }
        if (given.size() > 1) {
            throw root.problem("version_policy has " + given.size() + " policies, allowed is one");
        }
        return given.isEmpty() ? VersionPolicy.NEWEST : given.get(0);
    }

    private static Optional<ModelFormat> format(ProtoSection root) throws ModelConfigException {
        Optional<ModelFormat> platform = format(root, "platform", ModelFormat::platform);
        Optional<ModelFormat> backend = format(root, "backend", ModelFormat::backend);
        Optional<ModelFormat> file = format(root, "default_model_filename", ModelFormat::fileName);
        List<ModelFormat> given = Stream.of(platform, backend, file)
                .flatMap(Optional::stream)
                .distinct()
                .toList();
        if (given.size() > 1) {
            throw root.problem("platform, backend and default_model_filename contradict each other");
        }
        return given.stream().findFirst();
    }

    private static Optional<ModelFormat> format(ProtoSection root, String field, Function<ModelFormat, String> word)
            throws ModelConfigException {
        Optional<String> given = root.text(field).filter(text -> !text.isEmpty());
        if (given.isEmpty()) {
            return Optional.empty();
        }
        for (ModelFormat format : ModelFormat.values()) {
            if (word.apply(format).equals(given.get())) {
                return Optional.of(format);
            }
        }
        throw root.problem(field + " is " + ProtoSection.quoted(given.get()) + ", allowed is "
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
