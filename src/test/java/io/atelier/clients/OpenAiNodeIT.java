package io.atelier.clients;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.atelier.testing.ServiceClient;
import io.atelier.testing.SuiteService;
import io.quarkus.test.junit.QuarkusIntegrationTest;
import io.quarkus.test.junit.TestProfile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** OpenAI's client for Node, unmodified; where there is Node, and npm can install the client. */
@QuarkusIntegrationTest
@TestProfile(SuiteService.class)
class OpenAiNodeIT {
    private static final Path SCRIPT = Path.of("src", "test", "clients", "openai");

    @Test
    void openAisClientEmbedsAndUnderstandsRefusals() throws IOException, InterruptedException {
        Path folder = Files.createDirectories(Path.of("target", "clients", "openai"));
        for (String file : List.of("package.json", "embeddings.mjs")) {
            Files.write(folder.resolve(file), Files.readAllBytes(SCRIPT.resolve(file)));
        }
        assumeTrue(hasNode20(folder), "there is no Node 20");
        Ran installed = run(folder, "npm", "install", "--no-package-lock", "--no-audit", "--no-fund");
        assumeTrue(installed.exitCode() == 0 || onCi(), installed.output());
        assertThat(installed.exitCode()).as(installed.output()).isZero();
        ServiceClient.ofTestedService().awaitStatus("/q/health/started", 200, Duration.ofSeconds(60));

        Ran ran = run(folder, "node", "embeddings.mjs", SuiteService.url().toString());

        assertThat(ran.output()).isEqualTo("right\n");
        assertThat(ran.exitCode()).isZero();
    }

    private static boolean onCi() {
        return System.getenv("CI") != null;
    }

    private static boolean hasNode20(Path folder) throws InterruptedException {
        try {
            String version = run(folder, "node", "--version").output();
            return version.matches("v\\d+\\..*\\n")
                    && Integer.parseInt(version.substring(1, version.indexOf('.'))) >= 20;
        } catch (IOException none) {
            return false;
        }
    }

    private record Ran(int exitCode, String output) {}

    private static Ran run(Path folder, String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
        return new Ran(process.exitValue(), output);
    }
}
