package io.atelier.api;

import static io.atelier.api.RawHttp.bytes;
import static io.atelier.api.RawHttp.exchange;
import static io.atelier.api.RawHttp.join;
import static io.atelier.api.RawHttp.post;
import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.hasItems;

import io.atelier.core.DataType;
import io.atelier.core.InferenceResult;
import io.atelier.core.Shape;
import io.atelier.core.Tensor;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.InflaterInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The binary extension and compression over real HTTP, with the bytes that stock clients send. */
@QuarkusTest
class WireComponentTest {
    private static final String PATH = "/v2/models/echo/infer";
    private static final String HEADER = "Inference-Header-Content-Length";

    /** As {@code rapidjson.dumps} writes it for Triton's Python client. */
    private static final String TENSORS = "\"inputs\":[{\"name\":\"x\",\"shape\":[1,2],\"datatype\":\"FP32\","
            + "\"parameters\":{\"binary_data_size\":8}},{\"name\":\"y\",\"shape\":[1,1],\"datatype\":\"INT64\","
            + "\"parameters\":{\"binary_data_size\":8}}]";

    private static final byte[] X = little(8).putFloat(0.1f).putFloat(-2).array();
    private static final byte[] Y = little(8).putLong(9007199254740993L).array();

    private static final String X_BINARY =
            "{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1,2],\"parameters\":{\"binary_data_size\":8}}";
    private static final String Y_BINARY =
            "{\"name\":\"y\",\"datatype\":\"INT64\",\"shape\":[1,1],\"parameters\":{\"binary_data_size\":8}}";

    @Inject
    StubInferenceService service;

    @AfterEach
    void reset() {
        service.reset();
    }

    // -- stock clients

    /** geventhttpclient: no Content-Type, and {@code binary_data_output} because no outputs are asked for. */
    @Test
    void tritonsPythonClientWithoutOutputs() throws IOException {
        byte[] json = bytes("{\"id\":\"1\"," + TENSORS + ",\"parameters\":{\"binary_data_output\":true}}");
        byte[] request = join(
                bytes("POST /v2/models/echo/infer HTTP/1.1\r\nUser-Agent: python/gevent-http-client-2.3.3\r\n"
                        + "Host: localhost:8000\r\nInference-Header-Content-Length: " + json.length
                        + "\r\nContent-Length: " + (json.length + 16) + "\r\nConnection: close\r\n\r\n"),
                json,
                X,
                Y);

        String answer = exchange(request);

        String head = "{\"model_name\":\"echo\",\"model_version\":\"1\",\"id\":\"1\",\"outputs\":[" + X_BINARY + ","
                + Y_BINARY + "]}";
        assertThat(answer)
                .startsWith("HTTP/1.1 200 OK\r\n")
                .containsIgnoringCase("\r\nInference-Header-Content-Length: " + head.length() + "\r\n")
                .containsIgnoringCase("\r\nContent-Length: " + (head.length() + 16) + "\r\n")
                .containsIgnoringCase("\r\nContent-Type: application/octet-stream\r\n")
                .endsWith("\r\n\r\n" + head + text(X) + text(Y));
    }

    /** All inputs in JSON: then the client sends no header at all, and still wants binary. */
    @Test
    void tritonsPythonClientWithInputsInJson() throws IOException {
        byte[] json = bytes("{\"inputs\":[{\"name\":\"x\",\"shape\":[1,2],\"datatype\":\"FP32\",\"data\":[0.1,-2.0]},"
                + "{\"name\":\"y\",\"shape\":[1,1],\"datatype\":\"INT64\",\"data\":[9007199254740993]}],"
                + "\"parameters\":{\"binary_data_output\":true}}");
        String head =
                "{\"model_name\":\"echo\",\"model_version\":\"1\",\"outputs\":[" + X_BINARY + "," + Y_BINARY + "]}";
        assertThat(exchange(post(PATH, "", json))).endsWith("\r\n\r\n" + head + text(X) + text(Y));
    }

    /** {@code InferRequestedOutput} with and without {@code binary_data}, and in another order. */
    @Test
    void tritonsPythonClientWithOutputs() throws IOException {
        byte[] json = bytes("{" + TENSORS + ",\"outputs\":[{\"name\":\"y\",\"parameters\":{\"binary_data\":true}},"
                + "{\"name\":\"x\",\"parameters\":{\"binary_data\":false}}]}");
        String head = "{\"model_name\":\"echo\",\"model_version\":\"1\",\"outputs\":[" + Y_BINARY
                + ",{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1,2],\"data\":[0.1,-2.0]}]}";
        assertThat(exchange(post(PATH, header(json), join(json, X, Y)))).endsWith("\r\n\r\n" + head + text(Y));
    }

    /** {@code class_count}, as its image client asks. */
    @Test
    void tritonsPythonClientWithClasses() throws IOException {
        byte[] json = bytes("{" + TENSORS
                + ",\"outputs\":[{\"name\":\"x\",\"parameters\":{\"classification\":1,\"binary_data\":true}}]}");
        String head = "{\"model_name\":\"echo\",\"model_version\":\"1\",\"outputs\":[{\"name\":\"x\","
                + "\"datatype\":\"BYTES\",\"shape\":[1,1],\"parameters\":{\"binary_data_size\":9}}]}";
        assertThat(exchange(post(PATH, header(json), join(json, X, Y))))
                .endsWith("\r\n\r\n" + head + "\5\0\0\0" + "0.1:0");
    }

    /** aiohttp: header names as it writes them, a Content-Type, and Accept-Encoding. */
    @Test
    void tritonsAsyncioClient() throws IOException {
        byte[] json = bytes("{" + TENSORS + ",\"parameters\":{\"binary_data_output\":true}}");
        String headers = "Accept: */*\r\nAccept-Encoding: gzip, deflate\r\nUser-Agent: Python/3.12 aiohttp/3.11.11\r\n"
                + header(json) + "Content-Type: application/octet-stream\r\n";
        assertThat(exchange(post(PATH, headers, join(json, X, Y)))).endsWith(Y_BINARY + "]}" + text(X) + text(Y));
    }

    /** Apache HttpClient; Java's maps order members in their own way. */
    @Test
    void tritonsJavaClient() throws IOException {
        byte[] json = bytes("{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1,2],"
                + "\"parameters\":{\"binary_data_size\":8}},{\"name\":\"y\",\"datatype\":\"INT64\",\"shape\":[1,1],"
                + "\"parameters\":{\"binary_data_size\":8}}],\"outputs\":[{\"name\":\"x\","
                + "\"parameters\":{\"binary_data\":true}}],\"id\":\"7\"}");
        byte[] request = join(
                bytes("POST /v2/models/echo/infer HTTP/1.1\r\nInference-Header-Content-Length: " + json.length
                        + "\r\nContent-Length: " + (json.length + 16)
                        + "\r\nHost: localhost:8000\r\nConnection: Close\r\n"
                        + "User-Agent: Apache-HttpAsyncClient/4.1.4 (Java/17.0.15)\r\n\r\n"),
                json,
                X,
                Y);
        assertThat(exchange(request)).endsWith("\"id\":\"7\",\"outputs\":[" + X_BINARY + "]}" + text(X));
    }

    @Test
    void serverMetadataNamesWhatIsSpoken() {
        given().get("/v2").then().statusCode(200).body("extensions", hasItems("binary_tensor_data", "classification"));
    }

    // -- the header

    @ParameterizedTest
    @ValueSource(strings = {"inference-header-content-length", "INFERENCE-HEADER-CONTENT-LENGTH"})
    void headerNamesHaveNoCase(String name) throws IOException {
        byte[] json = bytes("{" + TENSORS + "}");
        assertThat(exchange(post(PATH, name + ": " + json.length + "\r\n", join(json, X, Y))))
                .endsWith("\"data\":[0.1,-2.0]},{\"name\":\"y\",\"datatype\":\"INT64\",\"shape\":[1,1],"
                        + "\"data\":[9007199254740993]}]}");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "10000 | header Inference-Header-Content-Length is 10000, but the body has 191 bytes",
                "0 | header Inference-Header-Content-Length is 0, but model 'echo' has 2 inputs, and a raw body is one",
                "-1 | header Inference-Header-Content-Length is not a number of bytes",
                "1e2 | header Inference-Header-Content-Length is not a number of bytes",
                "99999999999999999999 | header Inference-Header-Content-Length is not a number of bytes",
                "175, 175 | header Inference-Header-Content-Length is not a number of bytes",
                "174 | malformed JSON",
                "176 | input 'y' has binary_data_size 8, but only 7 bytes follow",
            })
    void refusesAHeaderThatLies(String value, String detail) throws IOException {
        byte[] json = bytes("{" + TENSORS + "}");
        assertThat(exchange(post(PATH, HEADER + ": " + value + "\r\n", join(json, X, Y))))
                .startsWith("HTTP/1.1 400 ")
                .contains(detail);
    }

    @Test
    void refusesTwoHeaders() throws IOException {
        byte[] json = bytes("{" + TENSORS + "}");
        assertThat(exchange(post(PATH, header(json) + header(json), join(json, X, Y))))
                .startsWith("HTTP/1.1 400 ")
                .contains("header Inference-Header-Content-Length is not a number of bytes");
    }

    // -- large bodies

    @Test
    void megabytesArriveWholeInWhateverPieces() throws IOException {
        byte[] data = new byte[4 << 20];
        new Random(1).nextBytes(data);
        byte[] json = bytes("{\"inputs\":[{\"name\":\"x\",\"shape\":[1," + data.length / 4
                + "],\"datatype\":\"FP32\",\"parameters\":{\"binary_data_size\":" + data.length
                + "}},{\"name\":\"y\",\"shape\":[1,1],\"datatype\":\"INT64\",\"data\":[1]}],"
                + "\"outputs\":[{\"name\":\"x\",\"parameters\":{\"binary_data\":true}}]}");
        assertThat(exchange(post(PATH, header(json), join(json, data)))).endsWith("}}]}" + text(data));

        ByteArrayOutputStream chunked = new ByteArrayOutputStream();
        byte[] body = join(json, data);
        Random random = new Random(2);
        for (int at = 0; at < body.length; ) {
            int size = Math.min(body.length - at, 1 + random.nextInt(1 << random.nextInt(18)));
            chunked.writeBytes(bytes(Integer.toHexString(size) + "\r\n"));
            chunked.write(body, at, size);
            chunked.writeBytes(bytes("\r\n"));
            at += size;
        }
        byte[] request = join(
                bytes("POST " + PATH + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + header(json)
                        + "Transfer-Encoding: chunked\r\n\r\n"),
                chunked.toByteArray(),
                bytes("0\r\n\r\n"));
        assertThat(exchange(request)).endsWith("}}]}" + text(data));
    }

    // -- compression

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "x-gzip", "GZIP", "deflate", "raw deflate"})
    void takesCompressedBodies(String coding) throws IOException {
        byte[] json = bytes("{" + TENSORS + ",\"parameters\":{\"binary_data_output\":true}}");
        byte[] compressed = compressed(coding, join(json, X, Y));
        String headers = header(json) + "Content-Encoding: " + coding.replace("raw ", "") + "\r\n";
        assertThat(exchange(post(PATH, headers, compressed))).endsWith(Y_BINARY + "]}" + text(X) + text(Y));
    }

    @ParameterizedTest
    @CsvSource({
        PATH + ", 413, the body is larger than 67108864 bytes",
        "/predict/echo, 413, the body is larger than 67108864 bytes",
        "/v1/models/echo:predict, 413, the body is larger than 67108864 bytes",
        "/v1/embeddings, 413, the body is larger than 67108864 bytes",
        "/v2/models/echo/map, 200, the line is longer than 8388608 bytes",
    })
    void aBombIsRefusedAtTheLimitOfTheBody(String path, int status, String reason) throws IOException {
        byte[] bomb = compressed("gzip", new byte[65 << 20]);
        assertThat(bomb.length).isLessThan(100_000);
        assertThat(exchange(post(path, "Content-Encoding: gzip\r\n", bomb)))
                .startsWith("HTTP/1.1 " + status)
                .contains(reason);
    }

    @Test
    void refusesACodingThatIsNotSpoken() throws IOException {
        for (String coding : List.of("zip", "gzip, gzip", "compress")) {
            assertThat(exchange(post(PATH, "Content-Encoding: " + coding + "\r\n", new byte[20])))
                    .startsWith("HTTP/1.1 400 ")
                    .contains("Content-Encoding is '" + coding + "', what is read here is gzip and deflate");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "gzip | gzip",
                "deflate | deflate",
                "deflate, gzip;q=0.5 | gzip",
                "gzip;q=0, deflate | deflate",
                "br, GZIP | gzip",
            })
    void compressesJsonForThoseWhoAsk(String accepted, String coding) throws IOException {
        String answer = exchange(post(PATH, "Accept-Encoding: " + accepted + "\r\n", large("")));
        assertThat(answer).containsIgnoringCase("\r\nContent-Encoding: " + coding + "\r\n");
        String body = answer.substring(answer.indexOf("\r\n\r\n") + 4);
        assertThat(body.length()).isLessThan(9_000);
        ByteArrayInputStream in = new ByteArrayInputStream(bytes(body));
        byte[] plain = (coding.equals("gzip") ? new GZIPInputStream(in) : new InflaterInputStream(in)).readAllBytes();
        assertThat(text(plain)).startsWith("{\"model_name\":\"echo\"").endsWith("]}]}");
    }

    @Test
    void doesNotCompressWhatDoesNotPayOrIsNotAskedFor() throws IOException {
        for (String headers : List.of("", "Accept-Encoding: identity\r\n", "Accept-Encoding: gzip;q=0\r\n")) {
            assertThat(exchange(post(PATH, headers, large(""))))
                    .doesNotContainIgnoringCase("Content-Encoding")
                    .endsWith("]}]}");
        }
        byte[] noise = new byte[100_000];
        new Random(3).nextBytes(noise);
        service.answer = request -> CompletableFuture.completedFuture(new InferenceResult(
                request.model(), List.of(new Tensor("x", DataType.FP32, Shape.of(1, 25_000), ByteBuffer.wrap(noise)))));
        assertThat(exchange(post(PATH, "Accept-Encoding: gzip\r\n", large(",\"parameters\":{\"binary_data\":true}"))))
                .doesNotContainIgnoringCase("Content-Encoding")
                .endsWith(text(noise));
    }

    /** Ten thousand numbers in, all of them out. */
    private static byte[] large(String parameters) {
        return bytes("{\"inputs\":[{\"name\":\"x\",\"shape\":[1,10000],\"datatype\":\"FP32\",\"data\":["
                + "1.5,".repeat(9999) + "1.5]},{\"name\":\"y\",\"shape\":[1,1],\"datatype\":\"INT64\",\"data\":[1]}],"
                + "\"outputs\":[{\"name\":\"x\"" + parameters + "}]}");
    }

    private static byte[] compressed(String coding, byte[] body) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (OutputStream coder = switch (coding) {
            case "deflate" -> new DeflaterOutputStream(out);
            case "raw deflate" -> new DeflaterOutputStream(out, new Deflater(Deflater.DEFAULT_COMPRESSION, true));
            default -> new GZIPOutputStream(out);
        }) {
            coder.write(body);
        }
        return out.toByteArray();
    }

    private static String header(byte[] json) {
        return HEADER + ": " + json.length + "\r\n";
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    private static ByteBuffer little(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }
}
