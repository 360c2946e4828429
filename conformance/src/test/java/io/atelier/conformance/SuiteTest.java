package io.atelier.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.xml.parsers.DocumentBuilderFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The suite passes a server that is right, and finds what is wrong with one that is not. */
class SuiteTest {
    private static final Duration PATIENCE = Duration.ofMillis(1500);

    @Test
    void passesAServerThatIsRight() throws Exception {
        assertThat(run(null, StubServer.EXTENSIONS))
                .allSatisfy(result ->
                        assertThat(result.verdict()).as(Reports.line(result)).isInstanceOf(Verdict.Passed.class));
    }

    @ParameterizedTest
    @EnumSource
    void findsAFaultByItsNumbersAndNothingElse(Fault fault) throws Exception {
        List<String> failed = run(fault, StubServer.EXTENSIONS).stream()
                .filter(Result::failed)
                .map(result -> result.check().number())
                .toList();

        assertThat(failed)
                .isNotEmpty()
                .containsExactlyInAnyOrderElementsOf(Suite.checks().stream()
                        .filter(fault::isFoundBy)
                        .map(Check::number)
                        .toList());
    }

    @Test
    void demandsNothingOfAnExtensionThatIsNotClaimed() throws Exception {
        List<Result> results = run(Fault.BINARY_IGNORED, Set.of());

        assertThat(results).noneMatch(Result::failed);
        assertThat(results)
                .filteredOn(result -> result.check().level() == Level.EXTENSION)
                .hasSizeGreaterThan(60)
                .allMatch(Result::skipped);
    }

    @Test
    void theCommandLineTellsByItsExitCode(@TempDir Path folder) throws Exception {
        try (StubServer wrong = new StubServer(Fault.ID_DROPPED, Set.of())) {
            String url = wrong.url().toString();
            assertThat(run("--url", url, "--patience", "2", "--report", folder.toString()))
                    .isEqualTo(1);
            assertThat(run("--url", url, "--patience", "2", "--levels", "extension"))
                    .isZero();
            assertThat(run("--url", url, "--add-model", "nowhere")).isEqualTo(2);
        }
        assertThat(run("--levels", "all", "--url", "http://localhost")).isEqualTo(2);
        assertThat(run("--patience", "2")).isEqualTo(2);

        var suite = DocumentBuilderFactory.newDefaultInstance()
                .newDocumentBuilder()
                .parse(folder.resolve("conformance.xml").toFile())
                .getDocumentElement();
        assertThat(suite.getAttribute("failures")).isEqualTo("2");
        assertThat(suite.getElementsByTagName("failure").getLength()).isEqualTo(2);
        assertThat(folder.resolve("conformance.txt"))
                .content()
                .contains("I01  FAILED   an id comes back\n       expected id request 42\n")
                .contains("C01  skipped")
                .contains(", 2 failed, ");
        assertThat(folder.resolve("conformance.html")).content().contains("<td class=\"failed\">failed</td>");
    }

    @Test
    void theFilesAreWhatTheirGeneratorWrites() throws IOException {
        Path models = Path.of("conformance", "models");
        for (Map.Entry<String, byte[]> file : ModelFiles.all().entrySet()) {
            assertThat(models.resolve(file.getKey())).hasBinaryContent(file.getValue());
        }
        try (var files = Files.walk(models)) {
            assertThat(files.filter(Files::isRegularFile))
                    .hasSize(ModelFiles.all().size());
        }
    }

    private static int run(String... args) throws InterruptedException {
        return Main.run(new PrintStream(OutputStream.nullOutputStream(), false, UTF_8), args);
    }

    private static List<Result> run(@Nullable Fault fault, Set<String> extensions) throws Exception {
        try (StubServer server = new StubServer(fault, extensions)) {
            return Suite.run(
                    Options.of(server.url())
                            .withControl()
                            .withSlowModel(StubProtocol.SLOW)
                            .withPatience(PATIENCE),
                    result -> {});
        }
    }
}
