package io.atelier.clients;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.atelier.testing.OnnxModelWriter;
import io.atelier.testing.PackagedService;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Triton's Java client, unmodified, as Maven Central has it: one jar with all that it needs. The build lays it in
 * {@code target/clients}; it runs in processes of its own, since some of what it brings is in the tests too, in other
 * versions.
 */
class TritonJavaIT {
    private static final Path CLIENT = Path.of("target", "clients", "triton-java-api.jar");
    private static final Path PROGRAM = Path.of("src", "test", "clients", "triton-java", "TritonClient.java");

    /** Where the client's own example looks for its server. */
    private static final int PORT_OF_THE_EXAMPLE = 8000;

    /** None where {@link PackagedService} starts none, since the tests ask a service that runs already. */
    private static @Nullable PackagedService service;

    private static int port;

    @BeforeAll
    static void start(@TempDir Path repository) throws IOException, InterruptedException {
        model(repository, "simple", OnnxModelWriter.add("batch", 16));
        model(repository, "wide", OnnxModelWriter.add("batch", "length"));
        for (String type : List.of("bool", "int8", "int16", "int32", "int64", "fp32", "fp64")) {
            Path identity = Path.of("conformance", "models", "identity_" + type, "1", "model.onnx");
            model(repository, "identity_" + type, Files.readAllBytes(identity));
        }
        service = PackagedService.start(
                "atelier.devices=cpu",
                "atelier.model-repository=" + repository,
                "quarkus.http.port=" + (isFree(PORT_OF_THE_EXAMPLE) ? PORT_OF_THE_EXAMPLE : 0));
        port = service.awaitLoaded();
    }

    private static void model(Path repository, String name, byte[] onnx) throws IOException {
        Files.write(Files.createDirectories(repository.resolve(name + "/1")).resolve("model.onnx"), onnx);
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress("0.0.0.0", port));
            return true;
        } catch (IOException taken) {
            return false;
        }
    }

    @AfterAll
    static void stop() {
        if (service != null) {
            service.close();
        }
    }

    @Test
    void theClientInfersAndShowsWhyItIsRefused() throws IOException, InterruptedException {
        Ran ran = java(PROGRAM.toString(), "localhost:" + port);

        assertThat(ran.exitCode()).as(ran.output()).isZero();
        assertThat(ran.lines("unknown model: "))
                .singleElement()
                .asString()
                .contains("Malformed error response: {")
                .contains("\"error\":\"Request for unknown model: 'no-such' is not found\"");
        assertThat(ran.lines("wrong shape: "))
                .singleElement()
                .asString()
                .contains("Malformed error response: {")
                .contains("\"error\":\"input 'INPUT0' has shape [1,15], the model takes [-1,16]\"");
        assertThat(ran.output()).endsWith("right\n");
    }

    @Test
    void itsOwnExampleRuns() throws IOException, InterruptedException {
        assumeTrue(port == PORT_OF_THE_EXAMPLE, "something else listens on port 8000");

        Ran ran = java("triton.client.examples.SimpleInferClient");

        assertThat(ran.exitCode()).as(ran.output()).isZero();
        assertThat(ran.output()).contains("16 + 16 = 32").contains("16 - 16 = 0");
    }

    private record Ran(int exitCode, String output) {
        List<String> lines(String beginning) {
            return output.lines().filter(line -> line.startsWith(beginning)).toList();
        }
    }

    private static Ran java(String... program) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp", CLIENT.toString()));
        Stream.of(program).forEach(command::add);
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
        return new Ran(process.exitValue(), output);
    }
}
