package io.atelier.docs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.atelier.serving.InferenceService;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.RestAssured;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands of {@code docs/protocol.md}, given to a shell. */
@QuarkusTest
@TestProfile(RealService.class)
class ProtocolDocTest {
    private static final Pattern EXAMPLE =
            Pattern.compile("(?s)```shell\\n(.*?)```.*?```json\\n(.*?)\\n```\\n\\nand ([\\d,]+) bytes");

    @Inject
    InferenceService service;

    @TempDir
    Path folder;

    @Test
    void theBinaryExampleIsAnsweredAsShown() throws IOException, InterruptedException {
        assumeTrue(
                Stream.of("/usr/bin/curl", "/bin/curl").map(Path::of).anyMatch(Files::isExecutable), "curl is there");
        RealService.awaitReady(service);
        Matcher example = EXAMPLE.matcher(Page.read("docs/protocol.md"));
        assertThat(example.find()).isTrue();

        Process shell = new ProcessBuilder(
                        "bash", "-c", example.group(1).replace("localhost:8080", "localhost:" + RestAssured.port))
                .directory(folder.toFile())
                .inheritIO()
                .start();
        assertThat(shell.waitFor(30, TimeUnit.SECONDS)).isTrue();

        byte[] answer = Files.readAllBytes(folder.resolve("answer"));
        String json = example.group(2);
        int binary = Integer.parseInt(example.group(3).replace(",", ""));
        assertThat(new String(Arrays.copyOf(answer, json.length()), UTF_8)).isEqualTo(json);
        assertThat(answer).hasSize(json.length() + binary);
    }
}
