package io.atelier.docs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.serving.InferenceService;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
        Shell shell = new Shell(folder);
        RealService.awaitReady(service);
        Matcher example = EXAMPLE.matcher(Page.read("docs/protocol.md"));
        assertThat(example.find()).isTrue();

        shell.run(example.group(1));

        byte[] answer = Files.readAllBytes(folder.resolve("answer"));
        String json = example.group(2);
        int binary = Integer.parseInt(example.group(3).replace(",", ""));
        assertThat(new String(Arrays.copyOf(answer, json.length()), UTF_8)).isEqualTo(json);
        assertThat(answer).hasSize(json.length() + binary);
    }
}
