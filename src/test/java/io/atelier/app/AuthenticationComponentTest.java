package io.atelier.app;

import static io.atelier.testing.ServiceClient.json;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.testing.ServiceClient;
import io.atelier.testing.StartUp;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.RestAssured;
import jakarta.inject.Inject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** API keys over real HTTP. */
@QuarkusTest
@TestProfile(AuthenticationComponentTest.Keys.class)
@Timeout(60)
class AuthenticationComponentTest {
    private static final String USER = "user-0123456789abcdef";
    private static final String ADMIN = "admin-0123456789abcdef";
    private static final String QUESTION =
            "{\"inputs\": [{\"name\": \"x\", \"datatype\": \"FP32\", \"shape\": [1, 1], \"data\": [1]}]}";

    /** A user and an admin. */
    public static class Keys extends FakeService.Profile {
        @Override
        protected Map<String, String> repository() {
            return Map.of("m/1/model.onnx", "1", "leaver/1/model.onnx", "1");
        }

        @Override
        protected Map<String, String> settings() {
            return Map.of(
                    "atelier.model-control", "explicit",
                    "atelier.auth.api-keys", keys().toString(),
                    "atelier.auth.admins", "ops");
        }

        private static Path keys() {
            try {
                Path folder = Files.createTempDirectory("atelier-keys-");
                Files.writeString(folder.resolve("app"), USER);
                Files.writeString(folder.resolve("ops"), ADMIN + "\n");
                return folder;
            } catch (IOException failure) {
                throw new UncheckedIOException(failure);
            }
        }
    }

    @Inject
    StartUp startUp;

    private ServiceClient client;

    @BeforeEach
    void awaitTheModels() throws InterruptedException {
        startUp.await();
        client = new ServiceClient(RestAssured.port);
    }

    @Test
    void aKeyOpensTheService() {
        assertThat(client.post("/v2/models/m/infer", QUESTION, "Authorization", "Bearer " + USER)
                        .join()
                        .statusCode())
                .isEqualTo(200);
        assertThat(client.post("/v2/models/m/infer", QUESTION, "authorization", "bearer  " + ADMIN)
                        .join()
                        .statusCode())
                .isEqualTo(200);
    }

    @Test
    void withoutAKeyThereIsAChallenge() {
        HttpResponse<String> answer =
                client.post("/v2/models/m/infer", QUESTION).join();

        assertThat(answer.statusCode()).isEqualTo(401);
        assertThat(answer.headers().firstValue("WWW-Authenticate")).contains("Bearer realm=\"atelier\"");
        assertThat(answer.headers().firstValue("Content-Type")).contains("application/problem+json");
        assertThat(json(answer).get("code").asText()).isEqualTo("UNAUTHENTICATED");
        assertThat(json(answer).get("error").asText())
                .isEqualTo("an API key is missing: 'Authorization: Bearer <key>'");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Bearer wrong-0123456789abcdef", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", USER})
    void whatIsNoKeyIsRefusedAndNotRepeated(String credentials) {
        HttpResponse<String> answer = client.post("/v1/embeddings", "{}", "Authorization", credentials)
                .join();

        assertThat(answer.statusCode()).isEqualTo(401);
        assertThat(answer.headers().firstValue("WWW-Authenticate"))
                .contains("Bearer realm=\"atelier\", error=\"invalid_token\"");
        assertThat(json(answer).at("/error/type").asText()).isEqualTo("authentication_error");
        assertThat(json(answer).at("/error/message").asText()).isEqualTo("this is no API key of this service");
    }

    /** Paths that are served and not, and detours to one that is from one that is open; as bytes, as no client sends them. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "/v2/models/m",
                "/v2",
                "/v2/devices",
                "/v2/jobs/1",
                "/v1/models",
                "/predict/m",
                "/",
                "/nothing",
                "/q",
                "/q/",
                "/q/info",
                "/q/healthy",
                "/q/health/../../v2",
                "/q/health/%2e%2e/%2e%2e/v2",
                "/q/health/..%2f..%2fv2",
                "/v2/health/live/../../models/m",
                "/v2/health/live/",
                "/v2/health/live;/../../models/m",
                "//v2/models/m",
                "/./v2/models/m",
                "/%76%32/models/m"
            })
    void noDetourLeadsPastTheKeys(String path) throws IOException {
        assertThat(exchange("GET " + path + " HTTP/1.1\r\n")).startsWith("HTTP/1.1 401 ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/q/health",
                "/q/health/live",
                "/q/health/ready",
                "/q/metrics",
                "/q/openapi",
                "/v2/health/live",
                "/v2/health/ready"
            })
    void probesMetricsAndTheDescriptionAreOpen(String path) {
        assertThat(client.get(path).join().statusCode()).isEqualTo(200);
    }

    @Test
    void twoCredentialsAreNone() throws IOException {
        String answer = exchange(
                "GET /v2 HTTP/1.1\r\nAuthorization: Bearer %s\r\nAuthorization: Bearer %s\r\n".formatted(USER, USER));

        assertThat(answer).startsWith("HTTP/1.1 401 ");
    }

    @Test
    void aBodyIsNotReadBeforeTheKeyIs() throws IOException {
        String answer = exchange("POST /v2/models/m/infer HTTP/1.1\r\nContent-Length: 60000000\r\n");

        assertThat(answer).startsWith("HTTP/1.1 401 ");
    }

    @ParameterizedTest
    @CsvSource({"load", "unload"})
    void onlyAnAdminChangesTheModels(String change) {
        String path = "/v2/repository/models/leaver/" + change;

        HttpResponse<String> refused =
                client.post(path, "{}", "Authorization", "Bearer " + USER).join();
        HttpResponse<String> done =
                client.post(path, "{}", "Authorization", "Bearer " + ADMIN).join();

        assertThat(refused.statusCode()).isEqualTo(403);
        assertThat(json(refused).get("code").asText()).isEqualTo("FORBIDDEN");
        assertThat(json(refused).get("error").asText()).isEqualTo("this API key may not load or unload models");
        assertThat(done.statusCode()).as(done.body()).isEqualTo(200);
    }

    /** Everything that the service says to this head, until it closes the connection. */
    private static String exchange(String head) throws IOException {
        try (Socket socket = new Socket("localhost", RestAssured.port)) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write((head + "Host: a\r\nConnection: close\r\n\r\n").getBytes(US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
        }
    }
}
