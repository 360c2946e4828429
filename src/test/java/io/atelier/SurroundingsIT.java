package io.atelier;

import static io.atelier.testing.ServiceClient.embeddings;
import static io.atelier.testing.ServiceClient.ok;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.atelier.testing.PackagedService;
import io.atelier.testing.ServiceClient;
import io.atelier.testing.TaskModels;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What stands around the packaged service: TLS, a display, compressed bodies, logs for machines, the image's check. */
@Timeout(180)
class SurroundingsIT {
    private static final char[] PASSWORD = "atelier".toCharArray();

    @Test
    void speaksTls(@TempDir Path folder) throws Exception {
        Path keys = keys(folder);
        try (PackagedService service = tls(keys)) {
            service.awaitLoaded();
            HttpClient client =
                    HttpClient.newBuilder().sslContext(trusting(keys)).build();
            URI uri = URI.create("https://localhost:" + service.awaitTlsPort() + "/v1/embeddings");

            HttpResponse<String> answer = client.send(
                    HttpRequest.newBuilder(uri)
                            .POST(BodyPublishers.ofString(embeddings("hello world")))
                            .build(),
                    BodyHandlers.ofString());

            ok(answer);
            assertThat(answer.sslSession()).isPresent();
            assertThat(answer.version()).isEqualTo(HttpClient.Version.HTTP_2);
        }
    }

    /** Of so many handshakes and records some have bytes that a head of HTTP could not have. */
    @Test
    void takesNoTlsForAHead(@TempDir Path folder) throws Exception {
        Path keys = keys(folder);
        try (PackagedService service = tls(keys)) {
            service.awaitLoaded();
            URI uri = URI.create("https://localhost:" + service.awaitTlsPort() + "/v2/health/live");
            for (int connection = 0; connection < 40; connection++) {
                HttpClient client = HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .sslContext(trusting(keys))
                        .build();
                for (int request = 0; request < 10; request++) {
                    HttpResponse<Void> answer =
                            client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.discarding());
                    assertThat(answer.statusCode()).isEqualTo(200);
                    assertThat(answer.version()).isEqualTo(HttpClient.Version.HTTP_1_1);
                }
            }
        }
    }

    private static PackagedService tls(Path keys) throws IOException {
        return PackagedService.start(
                "quarkus.http.ssl-port=0",
                "quarkus.http.ssl.certificate.key-store-file=" + keys,
                "quarkus.http.ssl.certificate.key-store-password=" + new String(PASSWORD));
    }

    private static Path keys(Path folder) throws Exception {
        Path file = folder.resolve("keys.p12");
        List<String> command = List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "atelier",
                "-keyalg",
                "RSA",
                "-dname",
                "CN=localhost",
                "-ext",
                "san=dns:localhost",
                "-storetype",
                "PKCS12",
                "-keystore",
                file.toString(),
                "-storepass",
                new String(PASSWORD));
        assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
        return file;
    }

    private static SSLContext trusting(Path keys) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream file = Files.newInputStream(keys)) {
            store.load(file, PASSWORD);
        }
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("atelier", store.getCertificate("atelier"));
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    /** One may be named where the service is started from somebody's shell, and there be no library that reaches it. */
    @Test
    void decodesImagesWithoutLookingForADisplay(@TempDir Path models) throws Exception {
        try (PackagedService service = PackagedService.start(
                Map.of("DISPLAY", ":9"),
                "atelier.model-repository=" + TaskModels.write(models),
                "atelier.devices=cpu")) {
            HttpRequest request = HttpRequest.newBuilder(
                            URI.create("http://localhost:" + service.awaitLoaded() + "/predict/angle"))
                    .version(HttpClient.Version.HTTP_1_1)
                    .POST(BodyPublishers.ofByteArray(TaskModels.resource("/images/upright.jpg")))
                    .build();

            ok(HttpClient.newHttpClient().send(request, BodyHandlers.ofString()));

            assertThat(Path.of("/proc/" + service.pid() + "/maps"))
                    .content()
                    .contains("libawt_headless.so")
                    .doesNotContain("libawt_xawt.so");
        }
    }

    @Test
    void readsCompressedBodiesLogsForMachinesAndTellsWhetherItLives() throws Exception {
        try (PackagedService service = PackagedService.start()) {
            int port = service.awaitLoaded();
            ByteArrayOutputStream compressed = new ByteArrayOutputStream();
            try (GZIPOutputStream gzip = new GZIPOutputStream(compressed)) {
                gzip.write(embeddings("hello world").getBytes(UTF_8));
            }
            HttpRequest request = HttpRequest.newBuilder(URI.create("http://localhost:" + port + "/v1/embeddings"))
                    .version(HttpClient.Version.HTTP_1_1)
                    .header("Content-Encoding", "gzip")
                    .POST(BodyPublishers.ofByteArray(compressed.toByteArray()))
                    .build();

            JsonNode answer = ok(HttpClient.newHttpClient().send(request, BodyHandlers.ofString()));

            assertThat(ServiceClient.vector(answer, 0)).hasSize(384);
            assertThat(PackagedService.health(port)).isZero();
            service.terminate();
            assertThat(service.awaitExit()).as(service.output()).isZero();
            assertThat(PackagedService.health(port)).isNotZero();
            assertThat(service.output().lines().filter(line -> line.startsWith("{")))
                    .isNotEmpty()
                    .allSatisfy(line -> assertThat(new ObjectMapper()
                                    .readTree(line)
                                    .get("message")
                                    .asText())
                            .isNotEmpty());
        }
    }
}
