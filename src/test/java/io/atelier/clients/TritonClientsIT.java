package io.atelier.clients;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.atelier.conformance.Answer;
import io.atelier.conformance.RawConnection;
import io.atelier.testing.ServiceClient;
import io.atelier.testing.SuiteService;
import io.quarkus.test.junit.QuarkusIntegrationTest;
import io.quarkus.test.junit.TestProfile;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.InflaterInputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What Triton's clients put on the wire, and what they look for in the answer: their requests, written down from their
 * sources, are replayed. {@link TritonJavaIT} runs the Java client itself.
 *
 * @see <a href="https://github.com/triton-inference-server/client">Triton's client libraries and examples</a>
 */
@QuarkusIntegrationTest
@TestProfile(SuiteService.class)
class TritonClientsIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int WIDTH = 16;

    /** Of the examples: {@code simple} adds and subtracts, {@code simple_identity} returns its BYTES. */
    @BeforeEach
    void awaitTheModels() {
        ServiceClient.ofTestedService().awaitStatus("/q/health/started", 200, Duration.ofSeconds(60));
    }

    /** A way in which these clients write the header of a request; none of the first three sends a Content-Type. */
    enum Client {
        /** {@code tritonclient.http}, geventhttpclient up to 2.1: names in lower case. */
        PYTHON {
            @Override
            List<String> head(int length, List<String> own) {
                return all(
                        List.of("user-agent: python/gevent-http-client-2.0.11"),
                        lowerCase(own),
                        List.of("host: localhost:8000", "content-length: " + length));
            }
        },
        /** The same with geventhttpclient from 2.2 on. */
        PYTHON_NEW {
            @Override
            List<String> head(int length, List<String> own) {
                return all(
                        List.of("User-Agent: python/gevent-http-client-2.3.9"),
                        own,
                        List.of("Host: localhost:8000", "Content-Length: " + length));
            }
        },
        /** {@code triton.client} on Apache's asynchronous client. */
        JAVA {
            @Override
            List<String> head(int length, List<String> own) {
                return all(
                        own,
                        List.of(
                                "Content-Length: " + length,
                                "Host: localhost:8000",
                                "Connection: Keep-Alive",
                                "User-Agent: Apache-HttpAsyncClient/4.1.4 (Java/17.0.15)"));
            }
        },
        /** {@code tritonclient.http.aio} on aiohttp, which asks for compressed answers of its own accord. */
        PYTHON_AIO {
            @Override
            List<String> head(int length, List<String> own) {
                boolean asks = own.stream().anyMatch(line -> line.startsWith("Accept-Encoding"));
                return all(
                        List.of("Host: localhost:8000"),
                        own,
                        List.of("Accept: */*"),
                        asks ? List.of() : List.of("Accept-Encoding: gzip, deflate"),
                        List.of(
                                "User-Agent: Python/3.12 aiohttp/3.9.5",
                                "Content-Length: " + length,
                                "Content-Type: application/octet-stream"));
            }
        };

        abstract List<String> head(int length, List<String> own);

        byte[] post(String path, byte[] body, String... own) {
            return message("POST", path, head(body.length, List.of(own)), body);
        }

        private static List<String> lowerCase(List<String> lines) {
            return lines.stream()
                    .map(line -> line.substring(0, line.indexOf(':')).toLowerCase(Locale.ROOT)
                            + line.substring(line.indexOf(':')))
                    .toList();
        }

        @SafeVarargs
        @SuppressWarnings("varargs")
        private static List<String> all(List<String>... parts) {
            return Arrays.stream(parts).flatMap(List::stream).toList();
        }
    }

    /** {@code simple_http_infer_client.py}, {@code …_aio_…} and {@code SimpleInferClient.java}: mixed both ways. */
    @ParameterizedTest
    @EnumSource
    void infersWithOneInputInJsonAndOneInBinary(Client client) throws IOException {
        String json = "{\"inputs\":[" + input0() + "," + input1() + "],\"outputs\":["
                + "{\"name\":\"OUTPUT0\",\"parameters\":{\"binary_data\":true}},"
                + "{\"name\":\"OUTPUT1\",\"parameters\":{\"binary_data\":false}}]}";

        Infer answer = infer(client, json, "");

        assertThat(answer.binary("OUTPUT0"))
                .containsExactly(IntStream.range(0, WIDTH).map(i -> i - 1).toArray());
        assertThat(answer.data("OUTPUT1"))
                .containsExactly(IntStream.range(0, WIDTH).map(i -> i + 1).toArray());
    }

    /** Without outputs these clients ask for all of them in binary. */
    @ParameterizedTest
    @EnumSource
    void infersWithoutNamingOutputs(Client client) throws IOException {
        Infer answer = infer(client, withoutOutputs(), "");

        assertThat(answer.binary("OUTPUT0"))
                .containsExactly(IntStream.range(0, WIDTH).map(i -> i - 1).toArray());
        assertThat(answer.binary("OUTPUT1"))
                .containsExactly(IntStream.range(0, WIDTH).map(i -> i + 1).toArray());
    }

    /** {@code --request-compression-algorithm} and {@code --response-compression-algorithm}. */
    @ParameterizedTest
    @EnumSource
    void compressesBothWays(Client client) throws IOException {
        for (String algorithm : List.of("gzip", "deflate")) {
            Infer answer = infer(client, withoutOutputs(), algorithm);

            assertThat(answer.binary("OUTPUT0")).startsWith(-1, 0, 1);
        }
    }

    /** {@code simple_http_string_infer_client.py} and {@code …_aio_…}: a zero byte within a text. */
    @ParameterizedTest
    @CsvSource({"PYTHON, true", "PYTHON, false", "PYTHON_AIO, true", "PYTHON_AIO, false"})
    void carriesTextWithZeroBytes(Client client, boolean binary) throws IOException {
        ByteBuffer raw = ByteBuffer.allocate(WIDTH * 10).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < WIDTH; i++) {
            raw.putInt(6).put("he\0llo".getBytes(UTF_8));
        }
        String data = ",\"data\":[" + "\"he\\u0000llo\",".repeat(WIDTH - 1) + "\"he\\u0000llo\"]}";
        String json = "{\"inputs\":[{\"name\":\"INPUT0\",\"shape\":[1,16],\"datatype\":\"BYTES\""
                + (binary ? ",\"parameters\":{\"binary_data_size\":160}}" : data)
                + "],\"outputs\":[{\"name\":\"OUTPUT0\",\"parameters\":{\"binary_data\":" + binary + "}}]}";
        byte[] body = binary ? joined(json.getBytes(UTF_8), raw.array()) : json.getBytes(UTF_8);
        String[] own = binary ? new String[] {"Inference-Header-Content-Length: " + json.length()} : new String[0];

        Infer answer = new Infer(send(client.post("/v2/models/simple_identity/infer", body, own)), "");

        if (binary) {
            assertThat(answer.raw("OUTPUT0")).isEqualTo(raw.array());
        } else {
            assertThat(answer.output("OUTPUT0").get("data"))
                    .hasSize(WIDTH)
                    .allMatch(text -> text.asText().equals("he\0llo"));
        }
    }

    /** The examples end with a model that does not exist, and look at the message. */
    @ParameterizedTest
    @EnumSource
    void saysWhichModelIsUnknown(Client client) throws IOException {
        Answer answer = send(client.post("/v2/models/wrong_model_name/infer?test_1=1&test_2=2", new byte[] {'{', '}'}));

        assertThat(answer.status()).isEqualTo(404);
        assertThat(answer.error()).startsWith("Request for unknown model");
    }

    /** {@code simple_http_health_metadata.py}. */
    @Test
    void tellsHealthAndMetadata() throws IOException {
        assertThat(get("/v2/health/live?test_1=1&test_2=2").status()).isEqualTo(200);
        assertThat(get("/v2/health/ready").status()).isEqualTo(200);
        assertThat(get("/v2/models/simple/ready").status()).isEqualTo(200);
        assertThat(json(get("/v2")).get("name").asText()).isEqualTo("triton");
        assertThat(json(get("/v2/models/simple?test_1=1&test_2=2")).get("name").asText())
                .isEqualTo("simple");
        assertThat(get("/v2/models/wrong_model_name").error()).contains("Request for unknown model");
    }

    /** {@code get_inference_statistics}, which {@code simple_http_infer_client.py} asks for. */
    @Test
    void tellsStatisticsOfOneModel() throws IOException {
        assertThat(json(get("/v2/models/simple/stats")).get("model_stats")).hasSize(1);
    }

    /** {@code simple_http_model_control.py} and {@code …_aio_…}; the index request has neither a body nor a length. */
    @ParameterizedTest
    @EnumSource(names = {"PYTHON", "PYTHON_AIO"})
    void controlsModels(Client client) throws IOException {
        List<String> head = List.of("user-agent: python/gevent-http-client-2.0.11", "host: localhost:8000");
        assertThat(json(send(message("POST", "/v2/repository/index", head, new byte[0])))
                        .findValuesAsText("name"))
                .contains("simple", "simple_identity");
        assertThat(control(client, "simple", "load", "{}").status()).isEqualTo(200);
        assertThat(get("/v2/models/simple/ready").status()).isEqualTo(200);
        String nonsense = "{\"parameters\":{\"config\":"
                + "\"\\\"parameters\\\": {\\\"config\\\": {{\\\"max_batch_size\\\": \\\"16\\\"}}}\"}}";
        assertThat(control(client, "simple", "load", nonsense).error()).contains("failed to load");
        assertThat(control(
                                client,
                                "simple",
                                "load",
                                "{\"parameters\":{\"config\":\"{\\\"max_batch_size\\\":\\\"16\\\"}\"}}")
                        .status())
                .isEqualTo(200);
        assertThat(json(get("/v2/models/simple/config")).get("max_batch_size").asInt())
                .isEqualTo(16);
        assertThat(control(client, "simple", "unload", "{\"parameters\":{\"unload_dependents\":false}}")
                        .status())
                .isEqualTo(200);
        assertThat(get("/v2/models/simple/ready").status()).isNotEqualTo(200);
        assertThat(control(client, "wrong_model_name", "load", "{}").error()).contains("failed to load");
        assertThat(control(client, "simple", "load", "{}").status()).isEqualTo(200);
    }

    private static Answer control(Client client, String model, String verb, String body) throws IOException {
        return send(client.post("/v2/repository/models/" + model + "/" + verb, body.getBytes(UTF_8)));
    }

    /** 0 to 15, as {@code set_data_from_numpy(…, binary_data=False)} writes them. */
    private static String input0() {
        return "{\"name\":\"INPUT0\",\"shape\":[1,16],\"datatype\":\"INT32\",\"data\":"
                + Arrays.toString(IntStream.range(0, WIDTH).toArray()).replace(" ", "") + "}";
    }

    private static String input1() {
        return "{\"name\":\"INPUT1\",\"shape\":[1,16],\"datatype\":\"INT32\",\"parameters\":{\"binary_data_size\":64}}";
    }

    private static String withoutOutputs() {
        return "{\"inputs\":[" + input0() + "," + input1() + "],\"parameters\":{\"binary_data_output\":true}}";
    }

    /** Sends the JSON and sixteen times -1 behind it. */
    private static Infer infer(Client client, String json, String algorithm) throws IOException {
        byte[] ones = new byte[4 * WIDTH];
        Arrays.fill(ones, (byte) -1);
        byte[] body = joined(json.getBytes(UTF_8), ones);
        String path = "/v2/models/simple/infer?test_1=1&test_2=2";
        String length = "Inference-Header-Content-Length: " + json.length();
        byte[] request = algorithm.isEmpty()
                ? client.post(path, body, length)
                : client.post(
                        path,
                        compressed(body, algorithm),
                        "Content-Encoding: " + algorithm,
                        "Accept-Encoding: " + algorithm,
                        length);
        return new Infer(send(request), algorithm);
    }

    private static byte[] compressed(byte[] body, String algorithm) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (var out = algorithm.equals("gzip") ? new GZIPOutputStream(bytes) : new DeflaterOutputStream(bytes)) {
            out.write(body);
        }
        return bytes.toByteArray();
    }

    private static Answer get(String path) throws IOException {
        return send(
                message("GET", path, List.of("user-agent: python/gevent-http-client-2.0.11", "host: a"), new byte[0]));
    }

    private static byte[] message(String verb, String path, List<String> head, byte[] body) {
        String lines = verb + " " + path + " HTTP/1.1\r\n" + String.join("\r\n", head) + "\r\n\r\n";
        return joined(lines.getBytes(UTF_8), body);
    }

    private static byte[] joined(byte[] first, byte[] second) {
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    private static Answer send(byte[] request) throws IOException {
        try (RawConnection connection = RawConnection.open(SuiteService.url(), Duration.ofSeconds(20))) {
            return Objects.requireNonNull(connection.send(request).answer(), "the connection was closed");
        }
    }

    private static JsonNode json(Answer answer) throws IOException {
        assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
        return JSON.readTree(answer.body());
    }

    /** An inference's answer, taken apart as the clients do. */
    private static final class Infer {
        private final JsonNode json;
        private final byte[] body;
        private final int header;

        Infer(Answer answer, String algorithm) throws IOException {
            assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
            body = decoded(answer, algorithm);
            String length = answer.header("inference-header-content-length");
            header = length == null ? body.length : Integer.parseInt(length);
            json = JSON.readTree(Arrays.copyOf(body, header));
        }

        private static byte[] decoded(Answer answer, String algorithm) throws IOException {
            String coding = answer.header("content-encoding");
            if (coding == null) {
                return answer.body();
            }
            assertThat(coding).isIn(algorithm, "gzip", "deflate");
            ByteArrayInputStream bytes = new ByteArrayInputStream(answer.body());
            try (InputStream in = coding.equals("gzip") ? new GZIPInputStream(bytes) : new InflaterInputStream(bytes)) {
                return in.readAllBytes();
            }
        }

        JsonNode output(String name) {
            for (JsonNode output : json.get("outputs")) {
                if (output.get("name").asText().equals(name)) {
                    return output;
                }
            }
            throw new AssertionError("no output " + name + " in " + json);
        }

        int[] data(String name) {
            return IntStream.range(0, WIDTH)
                    .map(i -> output(name).get("data").get(i).asInt())
                    .toArray();
        }

        byte[] raw(String name) {
            int from = header;
            for (JsonNode output : json.get("outputs")) {
                int size = output.at("/parameters/binary_data_size").asInt();
                if (output.get("name").asText().equals(name)) {
                    return Arrays.copyOfRange(body, from, from + size);
                }
                from += size;
            }
            throw new AssertionError("no output " + name + " in " + json);
        }

        int[] binary(String name) {
            int[] values = new int[WIDTH];
            ByteBuffer.wrap(raw(name))
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .asIntBuffer()
                    .get(values);
            return values;
        }
    }
}
