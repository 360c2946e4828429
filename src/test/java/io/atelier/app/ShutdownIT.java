package io.atelier.app;

import static io.atelier.testing.ServiceClient.embeddings;
import static io.atelier.testing.ServiceClient.ok;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.testing.PackagedService;
import io.atelier.testing.ServiceClient;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.Socket;
import java.net.SocketException;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How the packaged service leaves, and how it refuses to come. */
@Timeout(180)
class ShutdownIT {
    private static final int CLIENTS = 8;

    /** Longer than a request takes to arrive, also where the machine is busy; shorter than the queue under this load. */
    private static final Duration ON_THE_WAY = Duration.ofMillis(400);

    /** What became of a request, and when it was sent. */
    private record Sent(long nanos, long endedNanos, Fate fate, String detail) {}

    /** How a request can end. */
    private enum Fate {
        ANSWERED,
        REFUSED,
        /** The connection ended before the first byte of an answer. */
        NO_ANSWER,
        /** An answer without its end, or one that nobody expects. */
        BROKEN
    }

    /**
     * A request that the service has not read when it stops to listen ends without an answer: it was never accepted.
     * With a delay before that this happens to none that was sent in time; without one, to none that had arrived.
     */
    @ParameterizedTest
    @ValueSource(strings = {"PT0S", "PT1S"})
    void answersAllThatItAcceptedThenExitsWithZero(String text) throws Exception {
        Duration delay = Duration.parse(text);
        ExecutorService threads = Executors.newFixedThreadPool(CLIENTS);
        try (PackagedService service =
                PackagedService.start("atelier.devices=cpu*2", "quarkus.shutdown.delay=" + text)) {
            int port = service.awaitLoaded();
            CountDownLatch midLoad = new CountDownLatch(3 * CLIENTS);
            List<Future<List<Sent>>> clients = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                clients.add(threads.submit(() -> askUntilNobodyListens(port, midLoad)));
            }
            assertThat(midLoad.await(60, TimeUnit.SECONDS)).isTrue();

            long signal = System.nanoTime();
            service.terminate();

            List<Sent> all = new ArrayList<>();
            for (Future<List<Sent>> client : clients) {
                all.addAll(client.get(60, TimeUnit.SECONDS));
            }
            assertThat(service.awaitExit()).as(service.output()).isZero();
            System.out.printf("delay %s: %s%n", delay, all.stream().collect(groupingBy(Sent::fate, counting())));
            assertThat(all).noneMatch(sent -> sent.fate() == Fate.BROKEN);
            long accepted = signal + (delay.isZero() ? -ON_THE_WAY.toNanos() : delay.toNanos() / 2);
            assertThat(all)
                    .filteredOn(sent -> sent.nanos() < accepted)
                    .allMatch(sent -> sent.fate() == Fate.ANSWERED)
                    .as("some of them waited when the signal came")
                    .anyMatch(sent -> sent.endedNanos() > signal);
        } finally {
            threads.shutdownNow();
        }
    }

    /** Over one connection as long as the service keeps it, then over a new one, until none is to be had. */
    private static List<Sent> askUntilNobodyListens(int port, CountDownLatch midLoad) {
        byte[] request = request(embeddings(
                Collections.nCopies(48, "a sentence of some words ".repeat(10)).toArray(String[]::new)));
        List<Sent> all = new ArrayList<>();
        while (true) {
            try (Socket socket = new Socket("localhost", port)) {
                socket.setSoTimeout(60_000);
                InputStream in = new BufferedInputStream(socket.getInputStream());
                boolean kept = true;
                while (kept) {
                    long now = System.nanoTime();
                    @Nullable Response response = ask(socket, in, request);
                    all.add(new Sent(now, System.nanoTime(), fate(response), String.valueOf(response)));
                    midLoad.countDown();
                    kept = response != null && response.keepsConnection();
                }
            } catch (ConnectException nobodyListens) {
                return all;
            } catch (IOException failure) {
                all.add(new Sent(System.nanoTime(), System.nanoTime(), Fate.BROKEN, failure.toString()));
            }
        }
    }

    private static @Nullable Response ask(Socket socket, InputStream in, byte[] request) throws IOException {
        in.mark(1);
        try {
            socket.getOutputStream().write(request);
            if (in.read() < 0) {
                return null;
            }
        } catch (SocketException reset) {
            return null;
        }
        in.reset();
        return Response.read(in);
    }

    private static Fate fate(@Nullable Response response) {
        if (response == null) {
            return Fate.NO_ANSWER;
        }
        return switch (response.status()) {
            case 200 -> Fate.ANSWERED;
            case 503 -> Fate.REFUSED;
            default -> Fate.BROKEN;
        };
    }

    private static byte[] request(String body) {
        return ("POST /v1/embeddings HTTP/1.1\r\nHost: a\r\nContent-Length: " + body.length() + "\r\n\r\n" + body)
                .getBytes(UTF_8);
    }

    /** One answer, read to its last byte. */
    private record Response(int status, boolean keepsConnection) {
        static Response read(InputStream in) throws IOException {
            String line = line(in);
            int status = Integer.parseInt(line.substring(9, 12));
            int length = -1;
            boolean keeps = true;
            for (line = line(in); !line.isEmpty(); line = line(in)) {
                String header = line.toLowerCase(Locale.ROOT);
                if (header.startsWith("content-length:")) {
                    length = Integer.parseInt(header.substring(15).strip());
                } else if (header.equals("connection: close")) {
                    keeps = false;
                }
            }
            if (length < 0 || in.readNBytes(length).length < length) {
                throw new EOFException("answer " + status + " ends early");
            }
            return new Response(status, keeps);
        }

        private static String line(InputStream in) throws IOException {
            StringBuilder line = new StringBuilder();
            for (int next = in.read(); next != '\n'; next = in.read()) {
                if (next < 0) {
                    throw new EOFException("line ends early: " + line);
                }
                if (next != '\r') {
                    line.append((char) next);
                }
            }
            return line.toString();
        }
    }

    @Test
    void isNotReadyFirstAndStillAnswersUntilTheDelayIsOver() throws Exception {
        try (PackagedService service = PackagedService.start("quarkus.shutdown.delay=2S")) {
            ServiceClient client = new ServiceClient(service.awaitLoaded());
            ok(client.get("/q/health/ready").join());
            long asked = System.nanoTime();

            service.terminate();

            client.awaitStatus("/q/health/ready", 503, Duration.ofSeconds(2));
            assertThat(client.get("/v2/health/ready").join().statusCode()).isEqualTo(503);
            HttpResponse<String> answer =
                    client.post("/v1/embeddings", embeddings("hello world")).join();
            ok(answer);
            assertThat(answer.headers().firstValue("Connection"))
                    .as("a client that keeps its connection is told to look for another replica")
                    .hasValue("close");
            assertThat(client.get("/q/health/live").join().statusCode()).isEqualTo(200);
            assertThat(service.awaitExit()).as(service.output()).isZero();
            assertThat(Duration.ofNanos(System.nanoTime() - asked)).isGreaterThanOrEqualTo(Duration.ofSeconds(2));
        }
    }

    /** Nobody is connected for them, so nothing but the service itself waits for them; and longer than for its threads. */
    @Test
    void runsTheJobsThatItAcceptedToTheirEnd() throws Exception {
        Duration longerThanTheLastWait = Duration.ofSeconds(8);
        String body = "{\"inputs\":[" + tokens("input_ids") + "," + tokens("attention_mask") + ","
                + tokens("token_type_ids") + "]}";
        try (PackagedService service = PackagedService.start("atelier.devices=cpu", "atelier.slots=1")) {
            ServiceClient client = new ServiceClient(service.awaitLoaded());
            ok(client.post("/v2/models/minilm/infer", body).join()); // the first of a shape is slow
            long asked = System.nanoTime();
            ok(client.post("/v2/models/minilm/infer", body).join());
            int jobs = 2 + (int) (longerThanTheLastWait.toNanos() / (System.nanoTime() - asked));
            for (int i = 0; i < jobs; i++) {
                assertThat(client.post("/v2/models/minilm/infer", body, "Prefer", "respond-async")
                                .join()
                                .statusCode())
                        .isEqualTo(202);
            }

            long signal = System.nanoTime();
            service.terminate();

            assertThat(service.awaitExit()).as(service.output()).isZero();
            System.out.printf("%d jobs, %.1f s to the end%n", jobs, (System.nanoTime() - signal) / 1e9);
            assertThat(service.output()).doesNotContain("unanswered");
        }
    }

    private static String tokens(String input) {
        return "{\"name\":\"" + input + "\",\"datatype\":\"INT64\",\"shape\":[16,128],\"data\":["
                + String.join(",", Collections.nCopies(16 * 128, "1")) + "]}";
    }

    @ParameterizedTest
    @CsvSource({
        "atelier.foo=1, atelier.foo",
        "atelier.batching.max-batch-sise=1, atelier.batching.max-batch-sise",
        "atelier.batching.max-batch-size=0, must be greater than or equal to 1",
        "atelier.batching.max-batch-size=many, many",
        "atelier.requests.timeout=0S, requests.timeout",
        "atelier.devices=gpu:99, 'atelier.devices: gpu:99 cannot be used; the engine sees'",
        "atelier.devices=tpu, 'atelier.devices: ''tpu'' is not understood'",
        "atelier.model-repository=/no/such/folder, the model repository folder does not exist",
    })
    void doesNotStartWithASettingThatMeansNothing(String property, String reason) throws Exception {
        try (PackagedService service = PackagedService.start(property)) {
            assertThat(service.awaitExit()).isNotZero();
            assertThat(service.output()).contains(reason);
        }
    }
}
