package io.atelier.fuzz;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.atelier.conformance.Answer;
import io.atelier.conformance.Failure;
import io.atelier.conformance.RawConnection;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Sends the requests of a seed over many connections that are kept alive, and judges the answers: a refusal says why, also one
 * in a stream of lines; the server's own failures are no answer but 503 and 504; and no request stays without one.
 */
final class Fuzzer {
    private static final int CONNECTIONS = 32;
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int CLOSED = 0;
    private static final String LINES = "application/x-ndjson";
    private static final Set<String> SERVER_FAILURES = Set.of("INTERNAL_ERROR", "ENGINE_FAILURE");
    private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private final URI server;
    private final long seed;
    private final Map<Integer, LongAdder> statuses = new ConcurrentSkipListMap<>();
    private final Queue<FuzzFailure> failures = new ConcurrentLinkedQueue<>();

    Fuzzer(URI server, long seed) {
        this.server = server;
        this.seed = seed;
    }

    /** Sends the requests from number {@code first} on, and returns when each has its answer. */
    void send(long first, long count) throws InterruptedException {
        AtomicLong next = new AtomicLong(first);
        ExecutorService threads = Executors.newFixedThreadPool(CONNECTIONS);
        try {
            List<Future<Long>> senders = new ArrayList<>();
            for (int i = 0; i < CONNECTIONS; i++) {
                senders.add(threads.submit(() -> sendAll(next, first + count)));
            }
            long sent = 0;
            for (Future<Long> sender : senders) {
                sent += sender.get();
            }
            if (sent != count) {
                throw new IllegalStateException(sent + " of " + count + " were sent");
            }
        } catch (ExecutionException unexpected) {
            throw new IllegalStateException(unexpected.getCause());
        } finally {
            threads.shutdownNow();
        }
    }

    /** How often each status came; {@code 0} is a connection that was closed instead. */
    Map<Integer, LongAdder> statuses() {
        return statuses;
    }

    long count(int status) {
        LongAdder count = statuses.get(status);
        return count == null ? 0 : count.sum();
    }

    List<FuzzFailure> failures() {
        return List.copyOf(failures);
    }

    /** The request of this number; the numbers of one seed have nothing in common with those of the next. */
    static FuzzRequest request(long seed, long number) {
        return Mutator.request(seed * 0x9E3779B97F4A7C15L + number);
    }

    /** How many it sent. */
    private long sendAll(AtomicLong next, long end) throws IOException {
        @Nullable RawConnection connection = null;
        long sent = 0;
        try {
            for (long number = next.getAndIncrement(); number < end; number = next.getAndIncrement()) {
                if (connection == null) {
                    connection = RawConnection.open(server, PATIENCE);
                }
                if (!exchange(connection, number)) {
                    connection.close();
                    connection = null;
                }
                sent++;
            }
            return sent;
        } finally {
            if (connection != null) {
                connection.close();
            }
        }
    }

    /** Whether the connection can be used again. */
    private boolean exchange(RawConnection connection, long number) throws IOException {
        FuzzRequest request = request(seed, number);
        connection.send(request.bytes());
        if (request.broken) {
            connection.endOfRequest();
        }
        try {
            Answer answer = connection.answer();
            statuses.computeIfAbsent(answer == null ? CLOSED : answer.status(), status -> new LongAdder())
                    .increment();
            String complaint = complaint(request, answer);
            if (!complaint.isEmpty()) {
                failures.add(new FuzzFailure(seed, number, complaint));
            }
            return answer != null && !request.broken && !"close".equalsIgnoreCase(answer.header("connection"));
        } catch (Failure hang) {
            failures.add(new FuzzFailure(seed, number, String.valueOf(hang.getMessage())));
            return false;
        }
    }

    private static String complaint(FuzzRequest request, @Nullable Answer answer) {
        if (answer == null) {
            return request.broken ? "" : "the connection was closed without an answer";
        }
        if (answer.status() >= 500 && answer.status() != 503 && answer.status() != 504) {
            return answer.toString();
        }
        if (request.broken) {
            return "";
        }
        if (answer.status() >= 400) {
            return saysWhy(tree(answer.body())) ? "" : "no error in " + answer;
        }
        return LINES.equals(answer.header("content-type"))
                ? new String(answer.body(), UTF_8)
                        .lines()
                        .filter(line -> !isRight(tree(line.getBytes(UTF_8))))
                        .findFirst()
                        .map("line "::concat)
                        .orElse("")
                : "";
    }

    /** Whether a line of a stream has an answer, or a refusal that is not for the server's own failure. */
    private static boolean isRight(JsonNode line) {
        return line.has("outputs")
                || (saysWhy(line) && !SERVER_FAILURES.contains(line.path("code").asText()));
    }

    /** As most of the protocols say it, or as OpenAI's does. */
    private static boolean saysWhy(JsonNode refusal) {
        JsonNode error = refusal.path("error");
        return !(error.isObject() ? error.path("message") : error).asText().isBlank();
    }

    /** Missing where it is no JSON. */
    private static JsonNode tree(byte[] body) {
        try {
            return JSON.readTree(body);
        } catch (IOException notJson) {
            return MissingNode.getInstance();
        }
    }
}
