package io.atelier.testing;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;

/** Speaks to a service over real HTTP, with as many requests in flight as a test likes. Thread-safe. */
public final class ServiceClient {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final URI base;

    public ServiceClient(int port) {
        this(URI.create("http://localhost:" + port));
    }

    private ServiceClient(URI base) {
        this.base = base;
    }

    /** The service that an integration test runs against: the packaged one, or one that runs already elsewhere. */
    public static ServiceClient ofTestedService() {
        return new ServiceClient(SuiteService.url());
    }

    /**
     * Sends and does not wait.
     *
     * @param headers names and values by turns
     */
    public CompletableFuture<HttpResponse<String>> get(String path, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(base.resolve(path));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return http.sendAsync(request.build(), BodyHandlers.ofString());
    }

    public CompletableFuture<HttpResponse<String>> delete(String path) {
        return http.sendAsync(
                HttpRequest.newBuilder(base.resolve(path)).DELETE().build(), BodyHandlers.ofString());
    }

    /**
     * Sends and does not wait.
     *
     * @param headers names and values by turns
     */
    public CompletableFuture<HttpResponse<String>> post(String path, String body, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(base.resolve(path)).POST(BodyPublishers.ofString(body));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return http.sendAsync(request.build(), BodyHandlers.ofString());
    }

    /** Asks a service in another process until it answers so; it has no other way to tell. */
    public void awaitStatus(String path, int status, Duration patience) {
        await(patience, () -> get(path).join().statusCode() == status);
    }

    /** Asks until the answer is yes; each question is a request of its own. */
    public void await(Duration patience, BooleanSupplier question) {
        long until = System.nanoTime() + patience.toNanos();
        while (!question.getAsBoolean()) {
            assertThat(System.nanoTime() - until).as("never in %s", patience).isNegative();
        }
    }

    /** The body of an answer that has to be 200. */
    public static JsonNode ok(HttpResponse<String> answer) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return json(answer);
    }

    public static JsonNode json(HttpResponse<String> answer) {
        try {
            return JSON.readTree(answer.body());
        } catch (JsonProcessingException notJson) {
            throw new UncheckedIOException(answer.body(), notJson);
        }
    }

    /** The check of this name in a health answer. */
    public static JsonNode check(JsonNode health, String name) {
        for (JsonNode check : health.get("checks")) {
            if (check.get("name").asText().equals(name)) {
                return check;
            }
        }
        throw new AssertionError("no check " + name + " in " + health);
    }

    /** Texts as the body of an embeddings request for the embedded model. */
    public static String embeddings(String... texts) {
        ObjectNode body = JSON.createObjectNode().put("model", "minilm");
        ArrayNode input = body.putArray("input");
        for (String text : texts) {
            input.add(text);
        }
        return body.toString();
    }

    /** The vector at this place of an embeddings answer. */
    public static float[] vector(JsonNode answer, int index) {
        return floats(answer.get("data").get(index).get("embedding"));
    }

    public static float[] floats(JsonNode numbers) {
        float[] floats = new float[numbers.size()];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = numbers.get(i).floatValue();
        }
        return floats;
    }
}
