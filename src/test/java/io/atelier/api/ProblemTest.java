package io.atelier.api;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.core.ErrorCode;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ProblemTest {
    @Test
    void speaksToBothKindsOfClients() {
        Problem problem = Problem.of(ErrorCode.OVERLOADED, "the queue is full", null);

        assertThat(new String(problem.json("/v2/models/m/infer"), UTF_8))
                .isEqualTo("{\"type\":\"urn:atelier:problem:overloaded\",\"title\":\"Overloaded\",\"status\":429,"
                        + "\"detail\":\"the queue is full\",\"code\":\"OVERLOADED\",\"error\":\"the queue is full\"}");
        assertThat(new String(problem.json("/v1/embeddings"), UTF_8))
                .endsWith("\"error\":{\"message\":\"the queue is full\",\"type\":\"rate_limit_error\",\"param\":null,"
                        + "\"code\":\"overloaded\"}}");
    }

    @ParameterizedTest
    @CsvSource({"0,1", "1,1", "1000,1", "1001,2", "2100,3"})
    void roundsRetryAfterUp(long millis, String seconds) {
        assertThat(Problem.of(ErrorCode.OVERLOADED, "", Duration.ofMillis(millis))
                        .retryAfterSeconds())
                .isEqualTo(seconds);
        assertThat(Problem.of(ErrorCode.OVERLOADED, "", null).retryAfterSeconds())
                .isNull();
    }

    @ParameterizedTest
    @EnumSource(ErrorCode.class)
    void everyCodeKeepsItsStatus(ErrorCode code) {
        assertThat(Problem.of(code, "detail", null).status()).isEqualTo(code.status());
    }

    @Test
    void unwrapsWhatFuturesWrap() {
        IllegalStateException cause = new IllegalStateException("cause");
        assertThat(Problem.unwrap(new CompletionException(new ExecutionException(cause))))
                .isSameAs(cause);
        assertThat(Problem.of(cause)).isNull();
    }

    @ParameterizedTest
    @CsvSource({
        "400,INVALID_INPUT",
        "404,NOT_FOUND",
        "405,METHOD_NOT_ALLOWED",
        "408,REQUEST_TIMEOUT",
        "410,REQUEST_REFUSED"
    })
    void httpsOwnRefusalsKeepTheirStatus(int status, String code) {
        assertThat(Problem.http(status).status()).isEqualTo(status);
        assertThat(Problem.http(status).code()).isEqualTo(code);
    }

    @Test
    void rendersWhatAuthenticationRefusesWithTheCodesOfTheTable() {
        assertThat(Problem.http(401).code()).isEqualTo("UNAUTHENTICATED");
        assertThat(Problem.http(401).status()).isEqualTo(401);
        assertThat(Problem.http(403).code()).isEqualTo("FORBIDDEN");
        assertThat(Problem.http(403).status()).isEqualTo(403);
    }
}
