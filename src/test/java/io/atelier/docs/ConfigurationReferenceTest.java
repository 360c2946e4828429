package io.atelier.docs;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** {@code docs/configuration.md} is what the source of the configuration says. */
class ConfigurationReferenceTest {
    @Test
    void thePageIsInStepWithTheCode() throws IOException {
        Page.assertUpToDate(
                "docs/configuration.md",
                ConfigurationReference.of(Path.of("src/main/java/io/atelier/config/AtelierConfig.java")),
                "configuration.update");
    }
}
