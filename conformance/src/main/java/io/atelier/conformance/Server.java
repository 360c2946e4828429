package io.atelier.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The server that is asked. Sends no header that a check did not give, but what HTTP needs. Not thread-safe. */
final class Server {
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(10))
            .build();
    private final Options options;
    private final Map<Datatype, Boolean> served = new EnumMap<>(Datatype.class);
    private @Nullable Set<String> extensions;

    Server(Options options) {
        this.options = options;
    }

    Options options() {
        return options;
    }

    String add() {
        return options.addModel();
    }

    /** The identity of this type; whoever asks for one that is not served is not asked any further. */
    String identity(Datatype type) throws IOException, InterruptedException {
        String name = options.identityModel().replace("{type}", type.word());
        Boolean ready = served.get(type);
        if (ready == null) {
            ready = get("/v2/models/" + name + "/ready").status() == 200;
            served.put(type, ready);
        }
        if (!ready) {
            throw new NotApplicable("the server has no model " + name);
        }
        return name;
    }

    /** As the add model, but slow; without one nothing that needs it is asked. */
    String slow() {
        String name = options.slowModel();
        if (name == null) {
            throw new NotApplicable("no --slow-model was named");
        }
        return name;
    }

    boolean claims(String extension) throws IOException, InterruptedException {
        if (extensions == null) {
            Set<String> claimed = new HashSet<>();
            for (JsonNode each : get("/v2").expect(200).json().path("extensions")) {
                claimed.add(each.asText());
            }
            extensions = claimed;
        }
        return extensions.contains(extension);
    }

    void require(String extension) throws IOException, InterruptedException {
        if (!claims(extension)) {
            throw new NotApplicable("GET /v2 does not claim " + extension);
        }
    }

    Answer get(String path, String... headers) throws IOException, InterruptedException {
        return send("GET", path, BodyPublishers.noBody(), headers);
    }

    Answer post(String path, byte[] body, String... headers) throws IOException, InterruptedException {
        return send("POST", path, BodyPublishers.ofByteArray(body), headers);
    }

    Answer postJson(String path, byte[] body) throws IOException, InterruptedException {
        return post(path, body, "Content-Type", "application/json");
    }

    Answer send(String method, String path, BodyPublisher body, String... headers)
            throws IOException, InterruptedException {
        return send(request(method, path, body, headers).build());
    }

    HttpRequest.Builder request(String method, String path, BodyPublisher body, String... headers) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(uri(path)).timeout(options.patience()).method(method, body);
        if (headers.length > 0) {
            request.headers(headers);
        }
        return request;
    }

    Answer send(HttpRequest request) throws IOException, InterruptedException {
        HttpResponse<byte[]> response = http.send(request, BodyHandlers.ofByteArray());
        Map<String, String> headers = new HashMap<>();
        response.headers()
                .map()
                .forEach((name, values) -> headers.put(name.toLowerCase(Locale.ROOT), String.join(", ", values)));
        return new Answer(response.statusCode(), headers, response.body());
    }

    /** Posts an infer request as clients mostly do. */
    Answer post(String model, InferRequest request) throws IOException, InterruptedException {
        return post(inferPath(model), request.body(), headers(request));
    }

    InferAnswer infer(String model, InferRequest request) throws IOException, InterruptedException {
        return InferAnswer.of(post(model, request));
    }

    static String[] headers(InferRequest request) {
        return request.hasBinary()
                ? new String[] {
                    "Content-Type",
                    "application/octet-stream",
                    Answer.INFERENCE_HEADER,
                    Integer.toString(request.header().length)
                }
                : new String[] {"Content-Type", "application/json"};
    }

    static String inferPath(String model) {
        return "/v2/models/" + model + "/infer";
    }

    /** A connection on which any bytes can be sent. */
    RawConnection connect() throws IOException {
        return RawConnection.open(options.url(), options.patience());
    }

    /** The first version that the add model's metadata name. */
    String addVersion() throws IOException, InterruptedException {
        JsonNode version =
                get("/v2/models/" + add()).expect(200).json().path("versions").path(0);
        if (!version.isTextual()) {
            throw new NotApplicable("the metadata of " + add() + " name no version");
        }
        return version.textValue();
    }

    private URI uri(String path) {
        String base = options.url().toString();
        return URI.create((base.endsWith("/") ? base.substring(0, base.length() - 1) : base) + path);
    }
}
