package io.atelier.app;

import static io.atelier.testing.ServiceClient.json;
import static io.atelier.testing.ServiceClient.ok;
import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.testing.PackagedService;
import io.atelier.testing.ServiceClient;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** API keys of the packaged service. */
@Timeout(180)
class AuthenticationIT {
    private static final String KEY = "team-0123456789abcdef";
    private static final String OTHER = "other-0123456789abcdef";
    private static final String QUESTION = "{\"model\": \"minilm\", \"input\": \"hello world\"}";

    @TempDir
    Path keys;

    @Test
    void aKeyOpensTheServiceAndIsRevokedWhileItServes() throws IOException, InterruptedException {
        Files.writeString(keys.resolve("team"), KEY);
        try (PackagedService service = PackagedService.start("atelier.auth.api-keys=" + keys)) {
            ServiceClient client = new ServiceClient(service.awaitLoaded());
            assertThat(client.get("/q/health/ready").join().statusCode()).isEqualTo(200);
            problem(embed(client, OTHER), 401, "UNAUTHENTICATED");
            ok(embed(client, KEY));

            Files.writeString(keys.resolve("other"), OTHER);
            Files.delete(keys.resolve("team"));

            client.await(Duration.ofSeconds(60), () -> embed(client, KEY).statusCode() == 401);
            ok(embed(client, OTHER));
            assertThat(service.output()).doesNotContain(KEY, OTHER);
        }
    }

    @Test
    void onlyAdminsLoadAndUnload() throws IOException, InterruptedException {
        Files.writeString(keys.resolve("team"), KEY);
        Files.writeString(keys.resolve("other"), OTHER);
        try (PackagedService service = PackagedService.start(
                "atelier.auth.api-keys=" + keys, "atelier.auth.admins=team", "atelier.model-control=explicit")) {
            ServiceClient client = new ServiceClient(service.awaitLoaded());
            for (String action : List.of("load", "unload")) {
                problem(control(client, OTHER, action), 403, "FORBIDDEN");
            }
            ok(embed(client, OTHER));

            ok(control(client, KEY, "unload"));
            problem(embed(client, OTHER), 404, "MODEL_NOT_FOUND");
        }
    }

    @Test
    void aKeyThatCanBeGuessedStopsTheStart() throws IOException, InterruptedException {
        Files.writeString(keys.resolve("careless"), "secret");
        try (PackagedService service = PackagedService.start("atelier.auth.api-keys=" + keys)) {
            assertThat(service.awaitExit()).isNotZero();
            assertThat(service.output())
                    .contains("the API key of 'careless' has to have 16 to 256")
                    .doesNotContain("secret");
        }
    }

    private static void problem(HttpResponse<String> answer, int status, String code) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(json(answer).get("code").asText()).isEqualTo(code);
    }

    private static HttpResponse<String> control(ServiceClient client, String key, String action) {
        return client.post("/v2/repository/models/minilm/" + action, "", "Authorization", "Bearer " + key)
                .join();
    }

    private static HttpResponse<String> embed(ServiceClient client, String key) {
        return client.post("/v1/embeddings", QUESTION, "Authorization", "Bearer " + key)
                .join();
    }
}
