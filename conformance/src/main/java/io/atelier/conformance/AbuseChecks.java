package io.atelier.conformance;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/** L: what no honest client sends. Bounded in bytes, connections and time. */
final class AbuseChecks {
    private static final Source LENGTH = Source.rfc(9112, "6.3");
    private static final Source INCOMPLETE = Source.rfc(9112, "8");
    private static final int SLOW_CONNECTIONS = 300;
    private static final int AT_ONCE = 64;
    private static final Set<Integer> FULL = Set.of(429, 503);
    private static final int PROBES = 20;
    private static final Duration PROBE_LIMIT = Duration.ofSeconds(1);
    private static final int BOMB_MIB = 256;

    private AbuseChecks() {}

    static List<Check> checks() {
        Checklist list = new Checklist();
        lengths(list);
        halves(list);
        sizes(list);
        list.robustness(
                "L12", "after all that the server is ready and answers", Source.rest("Server Ready"), server -> {
                    server.get("/v2/health/ready").expect(200);
                    Examples.expectSums(server.infer(server.add(), Examples.add()));
                });
        list.robustness(
                "L13",
                "of 64 requests at once to a slow model with a short queue some are refused with 429 or 503, the others answered",
                Source.rfc(6585, "4"),
                AbuseChecks::fullQueue);
        return list.checks();
    }

    private static void fullQueue(Server server) throws IOException {
        byte[] body = Examples.add().body();
        String path = Server.inferPath(server.slow());
        List<RawConnection> callers = new ArrayList<>();
        int refused = 0;
        try {
            for (int i = 0; i < AT_ONCE; i++) {
                callers.add(server.connect());
            }
            for (RawConnection caller : callers) {
                caller.send(TransportChecks.head(path, caller, "Content-Length: " + body.length))
                        .send(body);
            }
            for (RawConnection caller : callers) {
                Answer answer = TransportChecks.answered(caller.answer());
                if (answer.status() == 200) {
                    Examples.expectSums(InferAnswer.of(answer));
                } else {
                    answer.refusedWith(FULL);
                    refused++;
                }
            }
        } finally {
            for (RawConnection caller : callers) {
                caller.close();
            }
        }
        PathChecks.expect("some refused and some answered", refused > 0 && refused < AT_ONCE, refused + " refused");
    }

    private static void lengths(Checklist list) {
        list.robustness("L01", "two lengths that differ are refused", LENGTH, server -> {
                    byte[] body = Examples.add().body();
                    hostile(server, body, "Content-Length: " + body.length, "Content-Length: " + (body.length - 1));
                })
                .robustness("L02", "a length that is no number is refused", LENGTH, server -> {
                    for (String length : List.of("-5", "many", "1e3", "99999999999999999999999")) {
                        hostile(server, Examples.add().body(), "Content-Length: " + length);
                    }
                })
                .robustness(
                        "L03",
                        "a length beside chunks is refused, or the connection closed behind its answer",
                        Source.rfc(9112, "6.1"),
                        AbuseChecks::lengthBesideChunks)
                .robustness(
                        "L04", "a declared length of 99 GB is refused, or the connection closed", LENGTH, server -> {
                            hostile(server, new byte[] {'{'}, "Content-Length: 99000000000");
                        });
    }

    /** A server may take the chunks alone, and has to close then. */
    private static void lengthBesideChunks(Server server) throws IOException {
        byte[] body = Examples.add().body();
        try (RawConnection connection = server.connect()) {
            connection
                    .send(TransportChecks.head(server, connection, "Content-Length: 7", "Transfer-Encoding: chunked"))
                    .send(Integer.toHexString(body.length) + "\r\n")
                    .send(body)
                    .send("\r\n0\r\n\r\n");
            Answer first = connection.answer();
            if (first == null || (first.status() >= 400 && first.status() < 500)) {
                return;
            }
            Examples.expectSums(InferAnswer.of(first));
            Answer second = connection.answer();
            if (second != null) {
                throw new Failure("a closed connection", second.toString());
            }
        }
    }

    private static void halves(Checklist list) {
        list.robustness("L05", "a body that ends half way is refused, or the connection closed", INCOMPLETE, server -> {
                    try (RawConnection connection = server.connect()) {
                        connection
                                .send(TransportChecks.head(server, connection, "Content-Length: 1000"))
                                .send("{\"inputs\": [")
                                .endOfRequest()
                                .refusedOrClosed();
                    }
                })
                .robustness(
                        "L06",
                        "a body that stops half way is refused, or the connection closed, in time",
                        Source.rfc(9110, "15.5.9"),
                        server -> {
                            try (RawConnection connection = server.connect()) {
                                connection
                                        .send(TransportChecks.head(server, connection, "Content-Length: 1000"))
                                        .send("{\"inputs\": [")
                                        .refusedOrClosed();
                            }
                        })
                .robustness(
                        "L07",
                        "beside 300 connections that have stopped half way others are answered within a second",
                        INCOMPLETE,
                        AbuseChecks::besideSlowOnes);
    }

    private static void besideSlowOnes(Server server) throws IOException, InterruptedException {
        List<RawConnection> slow = new ArrayList<>();
        try {
            for (int i = 0; i < SLOW_CONNECTIONS; i++) {
                RawConnection connection = server.connect();
                slow.add(connection);
                connection
                        .send(TransportChecks.head(server, connection, "Content-Length: 1000"))
                        .send("{");
            }
            for (int i = 0; i < PROBES; i++) {
                for (RawConnection connection : slow) {
                    connection.send(" ");
                }
                long began = System.nanoTime();
                askAnew(server);
                Duration took = Duration.ofNanos(System.nanoTime() - began);
                PathChecks.expect(
                        "an answer within " + PROBE_LIMIT.toSeconds() + " s",
                        took.compareTo(PROBE_LIMIT) <= 0,
                        took.toMillis() + " ms");
            }
        } finally {
            for (RawConnection connection : slow) {
                connection.close();
            }
        }
    }

    /** Over a connection of its own, as a client that comes now. */
    private static void askAnew(Server server) throws IOException {
        byte[] body = Examples.add().body();
        try (RawConnection connection = server.connect()) {
            connection
                    .send(TransportChecks.head(server, connection, "Content-Length: " + body.length))
                    .send(body);
            Examples.expectSums(InferAnswer.of(TransportChecks.answered(connection.answer())));
        }
    }

    private static void sizes(Checklist list) {
        list.robustness(
                        "L08",
                        "a body of 256 MiB in 256 KiB of gzip is refused, or the connection closed",
                        Source.rfc(9110, "15.5.14"),
                        server -> {
                            byte[] bomb = Bomb.BYTES;
                            hostile(server, bomb, "Content-Length: " + bomb.length, "Content-Encoding: gzip");
                        })
                .robustness(
                        "L09",
                        "headers of one megabyte are refused, or the connection closed",
                        Source.rfc(6585, "5"),
                        server -> {
                            hostile(server, new byte[0], "Content-Length: 0", "X-Long: " + "x".repeat(1 << 20));
                        })
                .robustness(
                        "L10",
                        "what is not HTTP is refused, or the connection closed",
                        Source.rfc(9112, "3"),
                        server -> {
                            try (RawConnection connection = server.connect()) {
                                Answer answer = connection
                                        .send("what is this?\r\n\r\n")
                                        .endOfRequest()
                                        .answer();
                                refusedOrGone(answer);
                            }
                        })
                .robustness(
                        "L11",
                        "a path of 100 KB is refused, or the connection closed",
                        Source.rfc(9110, "15.5.15"),
                        server -> {
                            try (RawConnection connection = server.connect()) {
                                connection
                                        .send("GET /v2/models/" + "x".repeat(100_000) + " HTTP/1.1\r\nHost: "
                                                + connection.host() + "\r\n\r\n")
                                        .refusedOrClosed();
                            }
                        });
    }

    private static void refusedOrGone(@Nullable Answer answer) {
        if (answer != null && (answer.status() < 400 || answer.status() == 500)) {
            throw new Failure("a refusal, or a closed connection", answer.toString());
        }
    }

    private static void hostile(Server server, byte[] body, String... headers) throws IOException {
        try (RawConnection connection = server.connect()) {
            connection
                    .send(TransportChecks.head(server, connection, headers))
                    .send(body)
                    .refusedOrClosed();
        }
    }

    /** Spaces, and nothing behind them; made once. */
    private static final class Bomb {
        static final byte[] BYTES = make();

        private static byte[] make() {
            byte[] spaces = " ".repeat(1 << 20).getBytes(StandardCharsets.US_ASCII);
            ByteArrayOutputStream compressed = new ByteArrayOutputStream();
            try (OutputStream out = new GZIPOutputStream(compressed)) {
                for (int i = 0; i < BOMB_MIB; i++) {
                    out.write(spaces);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return compressed.toByteArray();
        }
    }
}
