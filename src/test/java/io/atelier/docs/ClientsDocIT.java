package io.atelier.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.testing.ServiceClient;
import io.atelier.testing.SuiteService;
import io.quarkus.test.junit.QuarkusIntegrationTest;
import io.quarkus.test.junit.TestProfile;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example in binary of {@code docs/clients.md}, whose model is one of the conformance suite's. */
@QuarkusIntegrationTest
@TestProfile(SuiteService.class)
class ClientsDocIT {
    private static final Pattern EXAMPLE = Pattern.compile("(?s)```sh\n(json=.*?identity_fp32.*?)```");

    @TempDir
    Path folder;

    @Test
    void whatIsSentInBinaryComesBack() throws IOException, InterruptedException {
        Shell shell = new Shell(folder);
        ServiceClient.ofTestedService().awaitStatus("/q/health/started", 200, Duration.ofSeconds(60));
        Matcher example = EXAMPLE.matcher(Page.read("docs/clients.md"));
        assertThat(example.find()).isTrue();

        String printed = shell.run(example.group(1)).replaceAll("(?m)^[0-7]{7}|\\s+", ""); // no offsets, and no columns

        assertThat(printed).startsWith("{\"model_name\":\"identity_fp32\"").endsWith("}\\0\\0200?\\0\\0\\0@\\0\\0@@");
    }
}
