package io.atelier.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.core.ServingException.InvalidInput;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ClientTimeoutTest {
    @ParameterizedTest
    @CsvSource({"1,PT1S", "0.25,PT0.25S", "0.000000001,PT0.000000001S", "999999999,PT277777H46M39S"})
    void readsSeconds(String text, Duration expected) {
        assertThat(ClientTimeout.seconds(text)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", " 1", "0", "0.0", "-1", "+1", "1.", ".5", "1e3", "NaN", "1s", "1000000000", "0.0000000001"})
    void refusesWhatIsNoPositiveNumberOfSeconds(String text) {
        assertThatThrownBy(() -> ClientTimeout.seconds(text)).isInstanceOf(InvalidInput.class);
    }

    @Test
    void theShortestCounts() {
        Duration allowed = Duration.ofSeconds(5);
        assertThat(ClientTimeout.shortest(allowed)).isEqualTo(allowed);
        assertThat(ClientTimeout.shortest(allowed, null, null)).isEqualTo(allowed);
        assertThat(ClientTimeout.shortest(allowed, Duration.ofSeconds(9), null)).isEqualTo(allowed);
        assertThat(ClientTimeout.shortest(allowed, Duration.ofSeconds(2), Duration.ofSeconds(1)))
                .isEqualTo(Duration.ofSeconds(1));
    }
}
