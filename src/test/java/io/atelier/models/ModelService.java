package io.atelier.models;

import io.atelier.testing.PackagedService;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A packaged service over a repository of its own, into which models are put one after the other. Owns the process and the
 * repository's folder until it is closed. For one thread; its client is for many.
 */
final class ModelService implements AutoCloseable {
    private final Path jar;
    private final Path repository = Files.createTempDirectory("atelier-models-");
    private final List<String> settings = new ArrayList<>();
    private PackagedService service;
    private InferClient client;

    /** Starts the jar with one CPU device and these settings beside. */
    ModelService(Path jar, String... settings) throws IOException, InterruptedException {
        this.jar = jar;
        this.settings.addAll(List.of(settings));
        this.settings.add("atelier.devices=cpu");
        this.settings.add("atelier.model-control=explicit");
        this.settings.add("atelier.model-repository=" + repository);
        this.service = start();
        this.client = new InferClient(service.awaitLoaded());
    }

    private PackagedService start() throws IOException {
        return PackagedService.startJar(jar, List.of("-Xmx1g"), settings.toArray(String[]::new));
    }

    InferClient client() {
        return client;
    }

    boolean isAlive() {
        return service.isAlive();
    }

    /** All that the service has printed since it was started last. */
    String log() {
        return service.output();
    }

    /** Another process in place of one that has ended or hangs. */
    void restart() throws IOException, InterruptedException {
        service.close();
        service = start();
        client = new InferClient(service.awaitLoaded());
    }

    /**
     * Puts a model into the repository and has it loaded.
     *
     * @param yaml {@code model.yaml}; empty means none
     * @return why it was refused
     */
    Optional<String> load(String name, Path model, String yaml) throws IOException, InterruptedException {
        Path folder = Files.createDirectories(repository.resolve(name).resolve("1"));
        Files.createSymbolicLink(folder.resolve("model.onnx"), model.toAbsolutePath());
        if (!yaml.isEmpty()) {
            Files.writeString(folder.resolveSibling("model.yaml"), yaml);
        }
        HttpResponse<String> answer = client.post("/v2/repository/models/" + name + "/load", "");
        return answer.statusCode() == 200 ? Optional.empty() : Optional.of(InferClient.problem(answer.body()));
    }

    /** Takes it away again, whether it was loaded or not. */
    void unload(String name) throws IOException, InterruptedException {
        client.post("/v2/repository/models/" + name + "/unload", "");
        delete(repository.resolve(name));
    }

    @Override
    public void close() throws IOException {
        service.close();
        delete(repository);
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
