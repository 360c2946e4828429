package io.atelier.docs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.atelier.testing.SuiteService;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Gives a page's commands to a shell as they are, but for the address; without curl the test is skipped. */
final class Shell {
    private final Path folder;

    /** @param folder where the commands run */
    Shell(Path folder) {
        assumeTrue(
                Stream.of("/usr/bin/curl", "/bin/curl").map(Path::of).anyMatch(Files::isExecutable), "curl is there");
        this.folder = folder;
    }

    /** What the command printed. */
    String run(String command) throws IOException, InterruptedException {
        Process shell = new ProcessBuilder(
                        "bash",
                        "-c",
                        command.replace("localhost:8080", SuiteService.url().getAuthority()))
                .directory(folder.toFile())
                .redirectError(Redirect.INHERIT)
                .start();
        shell.getOutputStream().close();
        String printed = new String(shell.getInputStream().readAllBytes(), UTF_8);
        assertThat(shell.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return printed;
    }
}
