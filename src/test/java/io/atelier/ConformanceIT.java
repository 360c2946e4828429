package io.atelier;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.conformance.Options;
import io.atelier.conformance.Reports;
import io.atelier.conformance.Result;
import io.atelier.conformance.Suite;
import io.atelier.testing.PackagedService;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The packaged service as the conformance suite sees it; the reports lie in {@code target/conformance}. */
class ConformanceIT {
    /** Inputs that ONNX Runtime's Java interface does not take: UINT16, UINT32 and UINT64. */
    private static final List<String> SKIPPED = List.of("B03", "B04", "B05", "B14", "C03", "C04", "C05");

    @Test
    void theServiceSpeaksTheProtocol() throws Exception {
        try (PackagedService service = PackagedService.start(
                "atelier.devices=cpu",
                "atelier.model-repository=conformance/models",
                "atelier.model-control=explicit",
                "quarkus.http.read-timeout=2s")) {
            URI url = URI.create("http://localhost:" + service.awaitLoaded());

            List<Result> results =
                    Suite.run(Options.of(url).withControl().withPatience(Duration.ofSeconds(10)), result -> {});

            Reports.write(Path.of("target", "conformance"), "Atelier", results);
            System.out.println(Reports.summary(results));
            assertThat(results)
                    .filteredOn(Result::failed)
                    .extracting(Reports::line)
                    .isEmpty();
            assertThat(results)
                    .filteredOn(Result::skipped)
                    .extracting(result -> result.check().number())
                    .containsExactlyElementsOf(SKIPPED);
        }
    }
}
