package io.atelier;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.conformance.Options;
import io.atelier.conformance.Reports;
import io.atelier.conformance.Result;
import io.atelier.conformance.Suite;
import io.atelier.testing.ServiceClient;
import io.atelier.testing.SuiteService;
import io.quarkus.test.junit.QuarkusIntegrationTest;
import io.quarkus.test.junit.TestProfile;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The packaged service as the conformance suite sees it; the reports lie in {@code target/conformance}. */
@QuarkusIntegrationTest
@TestProfile(SuiteService.class)
class ConformanceIT {
    @Test
    void theServiceSpeaksTheProtocol() throws Exception {
        ServiceClient.ofTestedService().awaitStatus("/q/health/started", 200, Duration.ofSeconds(60));

        List<Result> results = Suite.run(
                Options.of(SuiteService.url())
                        .withControl()
                        .withSlowModel("slow_add")
                        .withPatience(patience()),
                result -> {});

        Reports.write(Path.of("target", "conformance"), "Atelier", results);
        System.out.println(Reports.summary(results));
        assertThat(results).filteredOn(Result::failed).extracting(Reports::line).isEmpty();
        assertThat(results)
                .filteredOn(Result::skipped)
                .extracting(result -> result.check().number())
                .isEmpty();
    }

    /** Longer than the service waits for the rest of a request; who knows how long one does that runs already? */
    private static Duration patience() {
        return Duration.ofSeconds(SuiteService.elsewhere().isPresent() ? 65 : 10);
    }
}
