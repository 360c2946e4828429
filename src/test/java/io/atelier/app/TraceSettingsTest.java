package io.atelier.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TraceSettingsTest {
    @Test
    void theProcessIsDescribedByItsNameItsVersionAndWhatIsSet() {
        assertThat(TraceSettings.resource("search", Optional.empty(), "1.2"))
                .isEqualTo(Map.of("service.name", "search", "service.version", "1.2"));
        assertThat(TraceSettings.resource("search", Optional.of("service.name=other, k8s.pod.name = a=b ,"), "1.2"))
                .isEqualTo(Map.of("service.name", "search", "service.version", "1.2", "k8s.pod.name", "a=b"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"collector:4318", "localhost", "ftp://collector", "http:///v1"})
    void whatIsNoAddressOfACollectorIsRefused(String endpoint) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> TraceSettings.spans(URI.create(endpoint), Optional.empty(), Duration.ofSeconds(1)))
                .withMessageContaining("atelier.tracing.endpoint is '" + endpoint + "'");
    }

    @Test
    void aHeaderWithoutANameIsRefusedAndNotShown() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> TraceSettings.spans(
                        URI.create("http://localhost"), Optional.of("a=b,secret"), Duration.ofSeconds(1)))
                .withMessageContaining("atelier.tracing.headers")
                .withMessageNotContaining("secret");
    }
}
