package io.atelier.fuzz;

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
 * Sends the requests of a seed over many connections that are kept alive, and judges the answers: a refusal says why, the
 * server's own failures are no answer but 503 and 504, and no request stays without one.
 */
final class Fuzzer {
    private static final int CONNECTIONS = 32;
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int CLOSED = 0;

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
        if (answer.status() >= 400 && !request.broken) {
            try {
                return answer.error().isBlank() ? "no error in " + answer : "";
            } catch (Failure notJson) {
                return "no error in " + answer;
            }
        }
        return "";
    }
}
