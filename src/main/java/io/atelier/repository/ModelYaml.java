package io.atelier.repository;

import io.atelier.core.InferenceRequest;
import io.atelier.core.ModelSignature;
import io.atelier.core.Padding;
import io.atelier.core.QueueTimeout;
import io.atelier.core.TensorSpec;
import io.atelier.engine.TaskConfig;
import io.atelier.repository.ModelConfig.Batching;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/** Reads {@code model.yaml}. A new key is one more question to its {@link YamlSection}. */
final class ModelYaml {
    static final String FILE_NAME = "model.yaml";

    private static final String PROOF = "proof";
    private static final String TRUSTED = "trusted";

    private ModelYaml() {}

    static ModelConfig parse(String text) throws ModelConfigException {
        return parse(YamlSection.parse(FILE_NAME, text), HubFolder.none());
    }

    /** @param files what they say counts where {@code model.yaml} says nothing */
    static ModelConfig parse(YamlSection root, HubFolder files) throws ModelConfigException {
        Optional<YamlSection> batching = root.sectionOrName("batching", PROOF);
        Optional<YamlSection> task = root.sectionOrName("task", "name");
        Optional<YamlSection> golden = root.section("golden");
        Optional<YamlSection> share = root.section("share");
        Optional<YamlSection> ensemble = root.section("ensemble");
        ModelConfig config = new ModelConfig(
                batching(batching.isPresent() ? batching.get() : root.none("batching"), files),
                root.positiveDuration("timeout", ModelConfig.LONGEST),
                root.integer("instances", ModelConfig.MOST_INSTANCES),
                ensemble.isPresent() ? Optional.empty() : TaskYaml.read(root, task, files),
                versions(root),
                golden.isPresent() ? Optional.of(golden(golden.get())) : Optional.empty(),
                share.isPresent() ? share(share.get()) : ModelConfig.Share.DEFAULTS,
                Optional.empty(),
                ensemble.isPresent() ? Optional.of(EnsembleYaml.parse(ensemble.get())) : Optional.empty(),
                signature(root),
                root.text("file", "the path of a file in the model's folder", ModelFiles::isPath),
                Declaration.NONE,
                WarmUpYaml.read(root),
                List.of());
        root.refuseUnknownKeys();
        if (ensemble.isPresent()) {
            refuseBesideEnsemble(root);
        }
        return config;
    }

    /** What belongs to a model with a file of its own. */
    private static void refuseBesideEnsemble(YamlSection root) throws ModelConfigException {
        for (String key :
                List.of("batching", "instances", "task", "golden", "share", "inputs", "outputs", "file", "warm-up")) {
            if (root.has(key)) {
                throw root.problem(key
                        + " has no meaning beside ensemble, its models have their own; allowed are timeout, versions");
            }
        }
    }

    private static Optional<ModelSignature> signature(YamlSection root) throws ModelConfigException {
        List<TensorSpec> inputs = EnsembleYaml.tensors(root, "inputs");
        List<TensorSpec> outputs = EnsembleYaml.tensors(root, "outputs");
        if (inputs.isEmpty() != outputs.isEmpty()) {
            throw root.problem("inputs and outputs belong together, only one of them is there");
        }
        return inputs.isEmpty() ? Optional.empty() : Optional.of(new ModelSignature(inputs, outputs));
    }

    private static ModelConfig.Golden golden(YamlSection golden) throws ModelConfigException {
        return new ModelConfig.Golden(
                golden.text("file", "the name of a file beside it", TaskConfig::isFileName)
                        .orElse("golden.json"),
                golden.number("tolerance", 0, 1e6).orElse(ModelConfig.Golden.DEFAULT_TOLERANCE));
    }

    private static ModelConfig.Share share(YamlSection share) throws ModelConfigException {
        return new ModelConfig.Share(
                share.integer("priority", InferenceRequest.LOWEST_PRIORITY),
                share.number("weight", 0.001, 1000).orElse(1.0));
    }

    private static Batching batching(YamlSection batching, HubFolder files) throws ModelConfigException {
        Optional<YamlSection> padding = batching.section("padding");
        return new Batching(
                batching.integer("max-batch-size", Batching.LARGEST_BATCH),
                batching.duration("max-queue-delay", ModelConfig.LONGEST),
                batching.integer("max-queue-size", Integer.MAX_VALUE),
                batching.positiveDuration("queue-timeout", ModelConfig.LONGEST)
                        .map(longest -> new QueueTimeout(longest, QueueTimeout.Action.REJECT, false)),
                padding.isPresent() ? padding(padding.get()) : files.padding(),
                batching.word(PROOF, List.of("required", TRUSTED))
                        .filter(TRUSTED::equals)
                        .isPresent());
    }

    private static Padding padding(YamlSection padding) throws ModelConfigException {
        Map<String, Double> values = padding.numbers("values");
        Optional<String> mask = padding.text("mask", "the name of an input", name -> !name.isBlank());
        if (mask.isPresent() && !Double.valueOf(0).equals(values.get(mask.get()))) {
            throw padding.problem("batching.padding.values." + mask.get()
                    + " must be 0: the mask is padded too, and 0 marks what is padding");
        }
        return new Padding(values, mask.orElse(null));
    }

    private static VersionPolicy versions(YamlSection root) throws ModelConfigException {
        Optional<YamlSection.WordOrNumbers> versions = root.wordOrNumbers("versions", List.of("latest", "all"));
        if (versions.isEmpty() || "latest".equals(versions.get().word())) {
            return VersionPolicy.NEWEST;
        }
        return versions.get().word() == null
                ? new VersionPolicy.Specific(new TreeSet<>(versions.get().numbers()))
                : new VersionPolicy.All();
    }
}
