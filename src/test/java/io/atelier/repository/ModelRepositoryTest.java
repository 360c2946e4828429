package io.atelier.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.atelier.core.ModelId;
import io.atelier.core.QueueTimeout;
import io.atelier.repository.ModelRepository.BrokenFolder;
import io.atelier.repository.ModelRepository.Scan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelRepositoryTest {
    @TempDir
    Path temp;

    private Path root;

    @BeforeEach
    void createRoot() throws IOException {
        root = Files.createDirectory(temp.resolve("models"));
    }

    @Test
    void findsModelsByName() throws Exception {
        write("b/1/model.onnx", "");
        write("a/1/model.pt", "");

        assertThat(scan())
                .isEqualTo(new Scan(
                        List.of(
                                new ModelDefinition(
                                        new ModelId("a", "1"),
                                        root.resolve("a/1/model.pt"),
                                        root.resolve("a"),
                                        ModelConfig.DEFAULTS,
                                        ModelFormat.TORCHSCRIPT),
                                new ModelDefinition(
                                        new ModelId("b", "1"),
                                        root.resolve("b/1/model.onnx"),
                                        root.resolve("b"),
                                        ModelConfig.DEFAULTS,
                                        ModelFormat.ONNX)),
                        List.of(),
                        List.of()));
        assertThat(scan().models())
                .extracting(ModelDefinition::platform)
                .containsExactly("pytorch_libtorch", "onnxruntime_onnx");
    }

    @Test
    void readsOneFolderAndNothingOutsideTheRepository() throws Exception {
        write("m/1/model.onnx", "");
        write("other/model.yaml", "baching: {}");
        Files.createDirectory(temp.resolve("outside"));
        ModelRepository repository = new ModelRepository(root);

        assertThat(repository.names()).containsExactly("m", "other");
        assertThat(repository.scan("m", Optional.empty()).orElseThrow().models())
                .extracting(ModelDefinition::id)
                .containsExactly(new ModelId("m", "1"));
        for (String name : List.of("no", "..", "../outside", ".", "", "m/1")) {
            assertThat(repository.scan(name, Optional.empty())).as(name).isEmpty();
        }
    }

    @Test
    void refusesTheNameThatIsThePathOfTheStatistics() throws Exception {
        write("stats/1/model.onnx", "");

        assertThat(scan().models()).isEmpty();
        assertThat(scan().broken()).extracting(BrokenFolder::name).containsExactly("stats");
    }

    @Test
    void anOverrideStandsAboveModelYaml() throws Exception {
        write("m/1/model.onnx", "");
        write("m/2/model.onnx", "");
        write("m/model.yaml", "batching: {max-batch-size: 8, max-queue-delay: 1ms}\ntimeout: 2s");

        ModelConfig config = override("{\"batching\": {\"max-batch-size\": 4}, \"timeout\": null, \"versions\": [1]}");

        assertThat(config.batching().maxBatchSize()).contains(4);
        assertThat(config.batching().maxQueueDelay()).contains(Duration.ofMillis(1));
        assertThat(config.timeout()).isEmpty();
        assertThat(new ModelRepository(root)
                        .scan("m", Optional.of("{\"versions\": [1]}"))
                        .orElseThrow()
                        .models())
                .extracting(model -> model.id().version())
                .containsExactly("1");
    }

    @Test
    void anOverrideInTritonsFormKeepsWhatItDoesNotName() throws Exception {
        write("m/1/model.onnx", "");
        write("m/model.yaml", "batching: {padding: {values: {x: 0}}}\ntimeout: 2s\ninstances: 3");

        ModelConfig config = override(
                "{\"name\": \"m\", \"maxBatchSize\": \"16\", \"input\": [{\"name\": \"x\", \"data_type\": \"TYPE_FP32\", \"dims\": [\"-1\"]}],"
                        + "\"dynamic_batching\": {\"max_queue_delay_microseconds\": 500},"
                        + "\"instance_group\": [{\"kind\": \"KIND_CPU\", \"count\": 2}],"
                        + "\"version_policy\": {\"latest\": {\"num_versions\": 2}}}");

        assertThat(config.batching().maxBatchSize()).contains(16);
        assertThat(config.batching().maxQueueDelay()).contains(Duration.ofNanos(500_000));
        assertThat(config.batching().padding().values()).containsOnlyKeys("x");
        assertThat(config.timeout()).contains(Duration.ofSeconds(2));
        assertThat(config.instances()).contains(2);
        assertThat(config.versions()).isEqualTo(new VersionPolicy.Latest(2));
    }

    @Test
    void anOverrideInTritonsFormIsReadFieldByFieldToo() throws Exception {
        write("m/1/model.onnx", "");
        write("m/config.pbtxt", "");

        ModelConfig config = override("{\"parameters\": {\"a\": {\"string_value\": \"b\"}, \"c\": null},"
                + "\"dynamicBatching\": {\"defaultQueuePolicy\": {\"timeoutAction\": 1,"
                + "\"defaultTimeoutMicroseconds\": \"7\"}}, \"response_cache\": {\"enable\": true}}");
        assertThat(config.declaration().parameters()).containsOnly(Map.entry("a", "b"));
        assertThat(config.batching().queueTimeout())
                .contains(new QueueTimeout(Duration.ofNanos(7000), QueueTimeout.Action.DELAY, false));
        assertThat(config.ignored()).containsExactly("response_cache.enable");

        assertThat(refusal("{\"max_batchsize\": 8}"))
                .startsWith("parameters.config: max_batchsize is unknown, allowed are");
        assertThat(refusal("{\"parameters\": [{\"key\": \"a\"}]}"))
                .isEqualTo("parameters.config: parameters is a list, allowed is one value");
        assertThat(refusal("{\"sequence_batching\": {}}"))
                .isEqualTo("parameters.config: sequence_batching is not supported");
        assertThat(refusal("{\"max_batch_size\": 1.5}"))
                .startsWith("parameters.config: max_batch_size is 1.5, allowed is");
    }

    private String refusal(String config) throws Exception {
        return new ModelRepository(root)
                .scan("m", Optional.of(config))
                .orElseThrow()
                .broken()
                .get(0)
                .reason();
    }

    @Test
    void anOverrideInTritonsFormStandsAboveItsOwnFile() throws Exception {
        write("m/1/model.onnx", "");
        write("m/config.pbtxt", "max_batch_size: 8\nversion_policy: { all: {} }");

        ModelConfig config = override("{\"max_batch_size\": 2}");

        assertThat(config.batching().maxBatchSize()).contains(2);
        assertThat(config.versions()).isEqualTo(new VersionPolicy.All());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"parameters\": 1 | parameters.config: is not JSON",
                "[1] | parameters.config: is not a JSON object",
                "{\"timeout\": 5} | model.yaml with parameters.config: timeout is the number 5, allowed is",
                "{\"batching\": {\"size\": 5}} | model.yaml with parameters.config: batching.size is unknown",
                "{\"max_batch_size\": \"many\"} | parameters.config: max_batch_size is \"many\", allowed is an integer",
                "{\"ensemble_scheduling\": {}} | parameters.config: ensemble_scheduling.step is missing, allowed is at least one",
                "{\"name\": \"n\"} | parameters.config: name is \"n\", allowed is the folder's name \"m\"",
            })
    void refusesAnOverrideThatItCannotRead(String json, String reason) throws Exception {
        write("m/1/model.onnx", "");

        Scan scan = new ModelRepository(root).scan("m", Optional.of(json)).orElseThrow();

        assertThat(scan.models()).isEmpty();
        assertThat(scan.broken())
                .singleElement()
                .satisfies(broken -> assertThat(broken.reason()).startsWith(reason));
    }

    @Test
    void refusesKeysOfModelYamlAboveTritonsFile() throws Exception {
        write("m/1/model.onnx", "");
        write("m/config.pbtxt", "");

        assertThat(new ModelRepository(root)
                        .scan("m", Optional.of("{\"timeout\": \"1s\"}"))
                        .orElseThrow()
                        .broken())
                .containsExactly(new BrokenFolder(
                        "m", "parameters.config: has keys of model.yaml, and the model has a config.pbtxt"));
    }

    private ModelConfig override(String json) throws ModelRepositoryException {
        return new ModelRepository(root)
                .scan("m", Optional.of(json))
                .orElseThrow()
                .models()
                .get(0)
                .config();
    }

    @Test
    void servesTheNewestVersionWhereTheFolderSaysNothing() throws Exception {
        write("m/2/model.onnx", "");
        write("m/9/model.onnx", "");
        write("m/10/model.onnx", "");

        assertThat(served()).containsExactly("m/10");
    }

    @Test
    void servesTheVersionsThatTheFolderNames() throws Exception {
        write("m/2/model.onnx", "");
        write("m/9/model.onnx", "");
        write("m/10/model.onnx", "");

        write("m/model.yaml", "versions: all");
        assertThat(served()).containsExactly("m/2", "m/9", "m/10");

        write("m/model.yaml", "versions: [9, 2]");
        assertThat(served()).containsExactly("m/2", "m/9");

        Files.delete(root.resolve("m/model.yaml"));
        write("m/config.pbtxt", "version_policy { latest { num_versions: 2 } }");
        assertThat(served()).containsExactly("m/9", "m/10");
    }

    @Test
    void ignoresFoldersThatAreNoVersions() throws Exception {
        write("m/1/model.onnx", "");
        write("m/02/model.onnx", "");
        write("m/0/model.onnx", "");
        write("m/v3/model.onnx", "");
        write("m/9999999999999999999/model.onnx", "");

        assertThat(served()).containsExactly("m/1");
    }

    @Test
    void ignoresHiddenFoldersPlainFilesAndLostAndFound() throws Exception {
        write("..2026_01_01/m/1/model.onnx", "");
        write(".git/1/model.onnx", "");
        write("README.md", "");
        Files.createDirectory(root.resolve("lost+found"));

        assertThat(scan()).isEqualTo(new Scan(List.of(), List.of(), List.of()));
    }

    @Test
    void followsLinksAsKubernetesMountsThem() throws Exception {
        write("..2026_01_01/m/1/model.onnx", "");
        write("..2026_01_01/m/model.yaml", "instances: 3");
        Files.createSymbolicLink(root.resolve("..data"), Path.of("..2026_01_01"));
        Files.createSymbolicLink(root.resolve("m"), Path.of("..data/m"));

        assertThat(scan().broken()).isEmpty();
        assertThat(scan().models()).singleElement().satisfies(model -> {
            assertThat(model.id()).isEqualTo(new ModelId("m", "1"));
            assertThat(model.config().instances()).contains(3);
        });
    }

    @Test
    void prefersModelYamlAndSaysSo() throws Exception {
        write("m/1/model.onnx", "");
        write("m/model.yaml", "instances: 3");
        write("m/config.pbtxt", "instance_group { count: 5 }");

        assertThat(scan().models()).singleElement().satisfies(model -> {
            assertThat(model.config().instances()).contains(3);
            assertThat(model.config().ignored()).containsExactly("config.pbtxt");
        });
    }

    @Test
    void letsThePlatformDecideBetweenTwoFiles() throws Exception {
        write("m/1/model.onnx", "");
        write("m/1/model.pt", "");
        write("m/config.pbtxt", "backend: 'pytorch'");

        assertThat(scan().models())
                .extracting(model -> model.file().getFileName().toString())
                .containsExactly("model.pt");
    }

    @Test
    void readsAFileWithAByteOrderMark() throws Exception {
        write("m/1/model.onnx", "");
        write("m/model.yaml", "\uFEFFinstances: 3");

        assertThat(scan().models())
                .extracting(model -> model.config().instances().orElseThrow())
                .containsExactly(3);
    }

    @Test
    void keepsGoingWhereOneFolderIsBroken() throws Exception {
        write("good/1/model.onnx", "");
        write("bad/model.yaml", "instance: 3");
        write("bad/1/model.onnx", "");

        assertThat(served()).containsExactly("good/1");
        assertBroken(
                "bad",
                "model.yaml: instance is unknown, allowed are batching, task, golden, share, ensemble, timeout, instances, versions, inputs, outputs, file, warm-up");
    }

    @Test
    void keepsGoingWhereOneVersionIsBroken() throws Exception {
        write("m/1/model.onnx", "");
        write("m/2/net.bin", "");
        write("m/model.yaml", "versions: all");

        assertThat(served()).containsExactly("m/1");
        assertBroken("m", "version 2: has no model.onnx and no model.pt");
    }

    @Test
    void doesNotFallBackToAnOlderVersion() throws Exception {
        write("m/1/model.onnx", "");
        Files.createDirectory(root.resolve("m/2"));

        assertThat(served()).isEmpty();
        assertBroken("m", "version 2: has no model.onnx and no model.pt");
    }

    @Test
    void reportsAVersionThatIsNamedAndNotThere() throws Exception {
        write("m/1/model.onnx", "");
        write("m/model.yaml", "versions: [1, 3]");

        assertThat(served()).containsExactly("m/1");
        assertBroken("m", "version 3: there is no such folder");
    }

    @Test
    void reportsAModelWithoutVersions() throws Exception {
        Files.createDirectory(root.resolve("m"));

        assertBroken(
                "m",
                "has no version: a folder named by a positive integer, such as 1;"
                        + " and no model file, such as model.onnx or onnx/model.onnx");
    }

    @Test
    void reportsTwoModelFiles() throws Exception {
        write("m/1/model.onnx", "");
        write("m/1/model.pt", "");

        assertBroken("m", "version 1: has both model.onnx and model.pt, allowed is one");
    }

    @Test
    void reportsAFileThatIsNotThePlatforms() throws Exception {
        write("m/1/model.onnx", "");
        write("m/config.pbtxt", "platform: 'pytorch_libtorch'");

        assertBroken("m", "version 1: has no model.pt");
    }

    @Test
    void reportsNamesThatDoNotFit() throws Exception {
        write("my model/1/model.onnx", "");

        assertBroken("my model", "the name has to be 1 to 128 letters, digits, dots, underscores and hyphens");
    }

    @Test
    void reportsLinksThatLeadNowhere() throws Exception {
        Files.createSymbolicLink(root.resolve("m"), Path.of("gone"));

        assertBroken("m", "is a link that leads nowhere");
    }

    @Test
    void reportsAMissingTokenizer() throws Exception {
        write("m/1/model.onnx", "");
        write("m/model.yaml", "task: {name: text-embedding, tokenizer: words.json}");

        assertBroken("m", "model.yaml: task.tokenizer: there is no file words.json beside it");
    }

    @Test
    void reportsConfigurationUnderANameThatIsNotRead() throws Exception {
        write("m/1/model.onnx", "");
        write("m/model.yml", "instances: 3");

        assertBroken("m", "model.yml: is not read, its name has to be model.yaml");
    }

    @Test
    void reportsConfigurationThatIsNoText() throws Exception {
        write("m/1/model.onnx", "");
        Files.write(root.resolve("m/model.yaml"), new byte[] {(byte) 0xC3, (byte) 0x28});

        assertBroken("m", "model.yaml: is not UTF-8");
    }

    @Test
    void reportsConfigurationThatIsTooLarge() throws Exception {
        write("m/1/model.onnx", "");
        write("m/config.pbtxt", "#".repeat((1 << 20) + 1));

        assertBroken("m", "config.pbtxt: is larger than 1 MiB");
    }

    @Test
    void reportsConfigurationThatIsAFolder() throws Exception {
        write("m/1/model.onnx", "");
        Files.createDirectory(root.resolve("m/model.yaml"));

        assertThat(scan().broken())
                .singleElement()
                .satisfies(broken -> assertThat(broken.reason())
                        .startsWith("model.yaml: cannot be read: ")
                        .doesNotContain(root.toString()));
    }

    @Test
    void reportsWhatItMayNotRead() throws Exception {
        write("m/1/model.onnx", "");
        Files.setPosixFilePermissions(root.resolve("m"), PosixFilePermissions.fromString("--x------"));
        assumeFalse(Files.isReadable(root.resolve("m")), "a super-user may read everything");

        assertBroken("m", "cannot be read: permission denied");
    }

    @Test
    void refusesARootThatIsNotThere() {
        assertThatThrownBy(() -> new ModelRepository(root.resolve("gone")).scan())
                .isInstanceOf(ModelRepositoryException.class)
                .hasMessage("the model repository gone does not exist");
    }

    @Test
    void refusesARootThatIsAFile() throws Exception {
        write("file", "");

        assertThatThrownBy(() -> new ModelRepository(root.resolve("file")).scan())
                .isInstanceOf(ModelRepositoryException.class)
                .hasMessage("the model repository file is not a folder");
    }

    private void assertBroken(String name, String reason) throws ModelRepositoryException {
        assertThat(scan().broken()).containsExactly(new BrokenFolder(name, reason));
    }

    private Iterable<String> served() throws ModelRepositoryException {
        return scan().models().stream().map(model -> model.id().toString()).toList();
    }

    private Scan scan() throws ModelRepositoryException {
        return new ModelRepository(root).scan();
    }

    private void write(String path, String text) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }
}
