package io.atelier.conformance;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.InflaterInputStream;
import org.jspecify.annotations.Nullable;

/** G: the ways in which bodies and headers travel. */
final class TransportChecks {
    private static final Source CODING = Source.rfc(9110, "8.4");
    private static final Source CHUNKS = Source.rfc(9112, "7.1");
    private static final Source FIELDS = Source.rfc(9110, "5.1");
    private static final Source CLIENT = Source.example("simple_http_infer_client.py");

    private TransportChecks() {}

    static List<Check> checks() {
        Checklist list = new Checklist();
        bodies(list);
        compression(list);
        headers(list);
        return list.checks();
    }

    private static void bodies(Checklist list) {
        list.robustness("G01", "a chunked body is read", CHUNKS, server -> {
                    InferRequest request = Examples.add();
                    Answer answer = server.send(
                            "POST",
                            Server.inferPath(server.add()),
                            BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(request.body())),
                            "Content-Type",
                            "application/json");
                    unless(411, "chunked bodies", answer);
                    Examples.expectSums(InferAnswer.of(answer));
                })
                .robustness("G02", "a body of many small chunks is read", CHUNKS, server -> {
                    try (RawConnection connection = server.connect()) {
                        ByteArrayOutputStream chunks = new ByteArrayOutputStream();
                        for (byte each : Examples.add().body()) {
                            chunks.writeBytes(new byte[] {'1', '\r', '\n', each, '\r', '\n'});
                        }
                        chunks.writeBytes("0\r\n\r\n".getBytes(ISO_8859_1));
                        connection
                                .send(head(server, connection, "Transfer-Encoding: chunked"))
                                .send(chunks.toByteArray());
                        Examples.expectSums(InferAnswer.of(answered(connection.answer())));
                    }
                })
                .robustness(
                        "G03",
                        "a request that expects 100-continue is answered",
                        Source.rfc(9110, "10.1.1"),
                        server -> {
                            Answer answer = server.send(server.request(
                                            "POST",
                                            Server.inferPath(server.add()),
                                            BodyPublishers.ofByteArray(
                                                    Examples.add().body()),
                                            "Content-Type",
                                            "application/json")
                                    .expectContinue(true)
                                    .build());
                            unless(417, "expectations", answer);
                            Examples.expectSums(InferAnswer.of(answer));
                        })
                .robustness("G04", "one connection carries several requests", Source.rfc(9112, "9.3"), server -> {
                    try (RawConnection connection = server.connect()) {
                        for (int i = 0; i < 3; i++) {
                            byte[] body = Examples.add().body();
                            connection
                                    .send(head(server, connection, "Content-Length: " + body.length))
                                    .send(body);
                            Examples.expectSums(InferAnswer.of(answered(connection.answer())));
                        }
                    }
                });
    }

    private static void compression(Checklist list) {
        list.robustness(
                        "G05",
                        "a body compressed with gzip is read",
                        CODING,
                        server -> Examples.expectSums(compressed(server, Examples.add(), "gzip")))
                .robustness(
                        "G06",
                        "a body compressed with deflate is read",
                        CODING,
                        server -> Examples.expectSums(compressed(server, Examples.add(), "deflate")))
                .extension(
                        BinaryChecks.NAME,
                        "G07",
                        "of a compressed binary body the header gives the length before compression",
                        CLIENT,
                        server -> {
                            InferRequest request = new InferRequest()
                                    .binaryInput(Examples.first())
                                    .binaryInput(Examples.second());
                            Examples.expectSums(compressed(server, request, "gzip"));
                        })
                .robustness("G08", "an answer may be asked for in gzip", CODING, server -> decompressed(server, "gzip"))
                .robustness(
                        "G09",
                        "an answer may be asked for in deflate",
                        CODING,
                        server -> decompressed(server, "deflate"))
                .robustness("G10", "a body that is not what its coding says is refused", CODING, server -> {
                    Answer answer = server.post(
                            Server.inferPath(server.add()), Examples.add().body(), "Content-Encoding", "gzip");
                    PathChecks.expect(
                            "a status from 400 to 499", answer.status() >= 400 && answer.status() < 500, answer);
                })
                .robustness("G11", "a coding that does not exist is refused", Source.rfc(9110, "15.5.16"), server -> {
                    Answer answer = server.post(
                            Server.inferPath(server.add()), Examples.add().body(), "Content-Encoding", "no-such");
                    PathChecks.expect(
                            "a status from 400 to 499", answer.status() >= 400 && answer.status() < 500, answer);
                });
    }

    private static void headers(Checklist list) {
        list.robustness("G12", "a JSON request may come without a Content-Type", CLIENT, server -> contentType(server))
                .robustness(
                        "G13",
                        "a Content-Type may have parameters",
                        Source.rfc(9110, "8.3.1"),
                        server -> contentType(server, "Content-Type", "application/json; charset=utf-8"))
                .robustness(
                        "G14",
                        "curl's own Content-Type does no harm",
                        Source.rest("Inference Request Examples"),
                        server -> contentType(server, "Content-Type", "application/x-www-form-urlencoded"))
                .robustness("G15", "names of headers may be in lower case", FIELDS, server -> renamed(server, true))
                .robustness("G16", "names of headers may be in upper case", FIELDS, server -> renamed(server, false));
    }

    private static void contentType(Server server, String... headers) throws IOException, InterruptedException {
        Examples.expectSums(InferAnswer.of(
                server.post(Server.inferPath(server.add()), Examples.add().body(), headers)));
    }

    private static void renamed(Server server, boolean lower) throws IOException {
        byte[] body = Examples.add().body();
        try (RawConnection connection = server.connect()) {
            String head = "Host: " + connection.host() + "\r\nContent-Length: " + body.length
                    + "\r\nContent-Type: application/json\r\n\r\n";
            connection
                    .send("POST " + Server.inferPath(server.add()) + " HTTP/1.1\r\n")
                    .send(renamed(head, lower))
                    .send(body);
            Examples.expectSums(InferAnswer.of(answered(connection.answer())));
        }
    }

    private static String renamed(String head, boolean lower) {
        return List.of(head.split("\r\n", 0)).stream()
                .map(line -> {
                    int colon = line.indexOf(':');
                    String name = line.substring(0, colon);
                    return (lower ? name.toLowerCase(Locale.ROOT) : name.toUpperCase(Locale.ROOT))
                            + line.substring(colon);
                })
                .collect(Collectors.joining("\r\n", "", "\r\n\r\n"));
    }

    private static InferAnswer compressed(Server server, InferRequest request, String coding)
            throws IOException, InterruptedException {
        String[] headers = Server.headers(request);
        String[] all = Arrays.copyOf(headers, headers.length + 2);
        all[headers.length] = "Content-Encoding";
        all[headers.length + 1] = coding;
        Answer answer = server.post(Server.inferPath(server.add()), compress(request.body(), coding), all);
        unless(415, "bodies in " + coding, answer);
        return InferAnswer.of(answer);
    }

    static byte[] compress(byte[] bytes, String coding) {
        ByteArrayOutputStream compressed = new ByteArrayOutputStream();
        try (OutputStream out =
                coding.equals("gzip") ? new GZIPOutputStream(compressed) : new DeflaterOutputStream(compressed)) {
            out.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return compressed.toByteArray();
    }

    private static void decompressed(Server server, String coding) throws IOException, InterruptedException {
        Answer answer = server.post(
                Server.inferPath(server.add()),
                Examples.add().body(),
                "Content-Type",
                "application/json",
                "Accept-Encoding",
                coding);
        String used = answer.header("content-encoding");
        if (used == null || used.equals("identity")) {
            Examples.expectSums(InferAnswer.of(answer));
            return;
        }
        PathChecks.expect("Content-Encoding: " + coding + ", or none", used.equals(coding), used);
        ByteArrayInputStream body = new ByteArrayInputStream(answer.body());
        try (InputStream in = coding.equals("gzip") ? new GZIPInputStream(body) : new InflaterInputStream(body)) {
            Examples.expectSums(InferAnswer.of(new Answer(answer.status(), answer.headers(), in.readAllBytes())));
        }
    }

    static String head(Server server, RawConnection connection, String... headers) {
        return head(Server.inferPath(server.add()), connection, headers);
    }

    static String head(String path, RawConnection connection, String... headers) {
        return "POST " + path + " HTTP/1.1\r\nHost: " + connection.host() + "\r\nContent-Type: application/json\r\n"
                + String.join("\r\n", headers) + "\r\n\r\n";
    }

    static Answer answered(@Nullable Answer answer) {
        if (answer == null) {
            throw new Failure("an answer", "a closed connection");
        }
        return answer;
    }

    /** HTTP lets a server refuse this. */
    private static void unless(int status, String what, Answer answer) {
        if (answer.status() == status) {
            throw new NotApplicable("the server refuses " + what + " with " + status);
        }
    }
}
