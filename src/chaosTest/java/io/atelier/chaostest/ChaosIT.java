package io.atelier.chaostest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The packaged service on four devices that hang, crash, lose their context, slow down and lie, while models are
 * reloaded, clients hang up or have no patience, and the process is asked to leave and is started again.
 *
 * <p>Every request has one answer, and it is right or an honest error. Each request carries its own number, so a wrong
 * or a stranger's answer is seen. Exempt are: those whose connection was refused, whose client hung up, and those sent
 * after the service had closed its gate. A device that lies can do harm until its next golden check: only then may an
 * answer be wrong.
 *
 * <p>{@code -Dchaos.seed=N} plays a schedule again as far as a real machine can; {@code -Dchaos.requests=N}.
 */
class ChaosIT {
    private static final int DEVICES = 4;
    private static final double ARRIVALS_PER_SECOND = 600;
    private static final Duration PRE_STOP = Duration.ofSeconds(1);
    private static final Duration GOLDEN_INTERVAL = Duration.ofMillis(500);

    /** What the promise allows beyond the deadline, and what a busy machine may add for one request in a thousand. */
    private static final double LATE_MILLIS = 50;

    /** A process that has just started compiles its code; what it then owes to whom is shown and not judged. */
    private static final Duration COLD = Duration.ofSeconds(5);

    private static final double SLACK_MILLIS = Double.parseDouble(System.getProperty("chaos.slack-millis", "250"));

    /** More than golden checks alone run in five seconds. */
    private static final int SOME_ROWS = 16;

    private static final List<String> FAULTS = List.of("HANG", "CRASH", "STICKY", "SLOW", "LIE");
    private static final int LONGEST_FAULT_MILLIS = 2500;

    private final int total = Integer.getInteger("chaos.requests", 100_000);
    private final long seed = Long.getLong("chaos.seed", 0L) == 0 ? System.nanoTime() : Long.getLong("chaos.seed", 0L);

    private final AtomicIntegerArray answers = new AtomicIntegerArray(total);
    private final int[] statuses = new int[total];
    private final double[] overrunMillis = new double[total];
    private final boolean[] cold = new boolean[total];
    private final AtomicInteger open = new AtomicInteger();
    private final AtomicInteger refusedConnections = new AtomicInteger();
    private final AtomicInteger hungUp = new AtomicInteger();
    private final AtomicInteger closedAfterTheGate = new AtomicInteger();
    private final Queue<String> violations = new ConcurrentLinkedQueue<>();
    private final Queue<Long> wrongNanos = new ConcurrentLinkedQueue<>();
    private final Map<String, Integer> events = new ConcurrentHashMap<>();
    private final List<long[]> lies = new ArrayList<>();
    private volatile boolean ready;
    private volatile boolean over;
    private volatile long gateClosesNanos = Long.MAX_VALUE;
    private volatile long gateOpensNanos;

    @TempDir
    private Path work;

    @Test
    void everyRequestHasOneHonestAnswer() throws Exception {
        System.out.printf("ChaosIT: seed %d, %d requests%n", seed, total);
        int port = ServerProcess.freePort();
        ServerProcess.repository(work.resolve("models"));
        ServerProcess server = start(port);
        gateOpensNanos = System.nanoTime();
        Thread poller = null;
        try (LoadClient client = new LoadClient(port)) {
            ready = true;
            SplittableRandom random = new SplittableRandom(seed);
            SplittableRandom faults = random.split();
            ServerProcess[] current = {server};
            poller = new Thread(() -> poll(current), "readiness");
            poller.setDaemon(true);
            poller.start();
            long began = System.nanoTime();
            long nextFault = began;
            long nextReload = began + TimeUnit.SECONDS.toNanos(5);
            int restarts = 0;
            double due = began;
            for (int i = 0; i < total; ) {
                long now = System.nanoTime();
                if (now > nextFault && ready) {
                    nextFault = now + TimeUnit.MILLISECONDS.toNanos(200 + faults.nextInt(1000));
                    ail(current[0], faults);
                }
                if (now > nextReload && ready) {
                    nextReload = now + TimeUnit.SECONDS.toNanos(3 + faults.nextInt(6));
                    reload(current[0]);
                }
                if (i > (restarts + 1) * total / 3 && restarts < 2) {
                    restarts++;
                    restart(current, port);
                    nextFault = Long.MAX_VALUE;
                }
                if (nextFault == Long.MAX_VALUE && ready) {
                    nextFault = now + TimeUnit.SECONDS.toNanos(1);
                }
                if (!ready && random.nextInt(100) < 97) {
                    LockSupport.parkNanos(1_000_000); // as behind a router that asks for readiness
                    due = System.nanoTime();
                    continue;
                }
                due += -Math.log(1 - random.nextDouble()) / ARRIVALS_PER_SECOND * 1e9;
                for (long left = (long) due - System.nanoTime(); left > 0; left = (long) due - System.nanoTime()) {
                    LockSupport.parkNanos(left);
                }
                send(client, i++, random);
            }
            await("every request to be answered", Duration.ofSeconds(30), () -> open.get() == 0);
            over = true;
            server = current[0];
            double seconds = (System.nanoTime() - began) / 1e9;
            JsonNode devices = settle(server);
            JsonNode executions = permits(server, client);
            server.terminate();
            int exit = server.exitCode(Duration.ofSeconds(60));
            report(seconds, devices, executions);
            check(client, executions);
            assertThat(exit).isZero();
        } finally {
            over = true;
            server.close();
        }
    }

    private ServerProcess start(int port) throws IOException, InterruptedException {
        return ServerProcess.start(
                Path.of(System.getProperty("chaos.jar", "target/chaos/quarkus-app/quarkus-run.jar")),
                port,
                List.of(
                        "-Xmx512m",
                        "-Datelier.devices=cpu*" + DEVICES,
                        "-Datelier.slots=1",
                        "-Datelier.model-repository=" + work.resolve("models"),
                        "-Datelier.requests.timeout=2S",
                        "-Datelier.watch.hang-floor=1S",
                        "-Datelier.watch.golden-interval=" + GOLDEN_INTERVAL.toMillis() + "MS",
                        "-Datelier.watch.probe-interval=300MS",
                        "-Datelier.guard.open-delay=1S",
                        "-Dquarkus.shutdown.delay=" + PRE_STOP.toSeconds() + "S"),
                Path.of("target/chaos/ChaosIT-server.log"));
    }

    private void send(LoadClient client, int index, SplittableRandom random) {
        int kind = random.nextInt(100);
        double timeout = kind < 5 ? 0.001 + random.nextInt(20) / 1000.0 : kind < 20 ? 0.2 : 2;
        boolean hangsUp = kind >= 97;
        byte[] request = LoadClient.request(index, timeout);
        open.incrementAndGet();
        long sent = System.nanoTime();
        cold[index] = sent < gateOpensNanos + COLD.toNanos();
        LoadClient.Callback callback = new LoadClient.Callback() {
            @Override
            public void answered(int status, long retryAfter, String body) {
                long now = System.nanoTime();
                statuses[index] = status;
                overrunMillis[index] = (now - sent) / 1e6 - timeout * 1000;
                if (answers.incrementAndGet(index) != 1) {
                    violations.add("request " + index + " has a second answer");
                }
                judge(index, status, retryAfter, body, now);
                open.decrementAndGet();
            }

            @Override
            public void refused() {
                refusedConnections.incrementAndGet();
                if (sent < gateClosesNanos && sent > gateOpensNanos) {
                    violations.add("request " + index + " was refused a connection while the service was up");
                }
                open.decrementAndGet();
            }

            @Override
            public void closed() {
                if (hangsUp) {
                    hungUp.incrementAndGet();
                } else if (sent > gateClosesNanos || sent < gateOpensNanos) {
                    closedAfterTheGate.incrementAndGet();
                } else {
                    violations.add("request " + index + " was accepted and never answered");
                }
                open.decrementAndGet();
            }
        };
        if (hangsUp) {
            client.sendAndHangUp(request, callback, random.nextInt(20));
        } else {
            client.send(request, callback);
        }
    }

    private void judge(int index, int status, long retryAfter, String body, long now) {
        switch (status) {
            case 200 -> {
                double number = LoadClient.number(body);
                if (number == index + 2) {
                    wrongNanos.add(now); // a lie
                } else if (number != index + 1) {
                    violations.add("request " + index + " was answered " + body);
                }
            }
            case 429, 503 -> {
                if (retryAfter < 1) {
                    violations.add("status " + status + " without Retry-After: " + body);
                }
            }
            case 500 -> {
                if (!body.contains("ENGINE_FAILURE")) {
                    violations.add("request " + index + " met a bug: " + body);
                }
            }
            case 504 -> {}
            default -> violations.add("request " + index + " was answered " + status + " " + body);
        }
    }

    private void ail(ServerProcess server, SplittableRandom random) throws InterruptedException {
        int device = random.nextInt(DEVICES);
        String fault = FAULTS.get(random.nextInt(FAULTS.size()));
        int millis = 200 + random.nextInt(LONGEST_FAULT_MILLIS - 200);
        int factor = 2 + random.nextInt(20);
        long before = System.nanoTime();
        try {
            server.post("/chaos/devices/" + device + "/" + fault + "?millis=" + millis + "&factor=" + factor);
        } catch (IOException leaving) {
            return;
        }
        events.merge(fault, 1, Integer::sum);
        if (fault.equals("LIE")) {
            lies.add(new long[] {before, System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis)});
        }
    }

    private void reload(ServerProcess server) {
        events.merge("RELOAD", 1, Integer::sum);
        Thread reload = new Thread(() -> {
            try {
                server.post("/chaos/reload/add");
            } catch (IOException leaving) {
                events.merge("RELOAD without an answer", 1, Integer::sum);
            } catch (InterruptedException impossible) {
                Thread.currentThread().interrupt();
            }
        });
        reload.setDaemon(true);
        reload.start();
    }

    /** SIGTERM, and a new process on the same port once the old one has left; beside the load. */
    private void restart(ServerProcess[] current, int port) {
        events.merge("RESTART", 1, Integer::sum);
        ServerProcess leaving = current[0];
        gateOpensNanos = Long.MAX_VALUE;
        gateClosesNanos = System.nanoTime() + PRE_STOP.toNanos() - 20_000_000;
        leaving.terminate();
        Thread thread = new Thread(() -> {
            try {
                int exit = leaving.exitCode(Duration.ofSeconds(60));
                if (exit != 0) {
                    violations.add("the process exited with " + exit);
                }
                current[0] = start(port);
                gateOpensNanos = System.nanoTime();
                gateClosesNanos = Long.MAX_VALUE;
            } catch (Exception failure) {
                violations.add("restarting failed: " + failure);
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    private void poll(ServerProcess[] current) {
        while (!over) {
            try {
                ready = current[0].isReady();
                TimeUnit.MILLISECONDS.sleep(20);
            } catch (InterruptedException ended) {
                return;
            }
        }
    }

    /** Waits until everything is well again, and gives the devices. */
    private static JsonNode settle(ServerProcess server) throws Exception {
        await("every device to be ready", Duration.ofSeconds(30), () -> {
            for (JsonNode device : server.json("/v2/devices").path("devices")) {
                if (!device.path("state").asText().equals("ready")) {
                    return false;
                }
            }
            return true;
        });
        await(
                "nothing to be queued or running",
                Duration.ofSeconds(10),
                () -> server.get("/q/metrics")
                        .body()
                        .lines()
                        .filter(line ->
                                line.startsWith("atelier_queue_depth{") || line.startsWith("atelier_device_inflight{"))
                        .allMatch(line -> line.endsWith(" 0.0")));
        return server.json("/v2/devices");
    }

    /**
     * With enough to do, each device must run again: a permit that was lost would keep its only slot from work. All are
     * well by then; one whose circuit breaker is open still has to find that out, which takes a wave or two.
     */
    private static JsonNode permits(ServerProcess server, LoadClient client) throws Exception {
        for (int device = 0; device < DEVICES; device++) {
            server.post("/chaos/devices/" + device + "/NONE?millis=0&factor=1");
        }
        JsonNode before = server.json("/chaos/executions");
        server.post("/chaos/speed?base=50000&row=0");
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
        JsonNode after = before;
        Set<String> idle;
        do {
            wave(client);
            JsonNode now = server.json("/chaos/executions");
            idle = IntStream.range(0, DEVICES)
                    .mapToObj(device -> "cpu:" + device)
                    .filter(device -> rows(now, device) - rows(before, device) < SOME_ROWS)
                    .collect(Collectors.toSet());
            after = now;
        } while (!idle.isEmpty() && System.nanoTime() < until);
        assertThat(idle).as("devices without work").isEmpty();
        return after;
    }

    private static long rows(JsonNode counts, String device) {
        return counts.path(device).path("rows").asLong();
    }

    private static void wave(LoadClient client) throws InterruptedException {
        int requests = 256;
        Semaphore done = new Semaphore(0);
        for (int i = 0; i < requests; i++) {
            client.send(LoadClient.request(i, 2), new LoadClient.Callback() {
                @Override
                public void answered(int status, long retryAfter, String body) {
                    done.release();
                }

                @Override
                public void refused() {
                    done.release();
                }

                @Override
                public void closed() {
                    done.release();
                }
            });
        }
        assertThat(done.tryAcquire(requests, 30, TimeUnit.SECONDS)).isTrue();
    }

    private void check(LoadClient client, JsonNode executions) {
        assertThat(violations).isEmpty();
        assertThat(client.unsolicited()).as("bytes that nobody asked for").isZero();
        int answered = IntStream.range(0, total).map(answers::get).sum();
        assertThat(answered + refusedConnections.get() + hungUp.get() + closedAfterTheGate.get())
                .isEqualTo(total);
        for (JsonNode device : executions) {
            assertThat(device.path("mostInside").asInt()).isEqualTo(1);
            assertThat(device.path("inside").asInt()).isZero();
        }
        for (long wrong : wrongNanos) {
            assertThat(lies)
                    .as("a wrong answer while no device lied, or long after")
                    .anyMatch(lie -> wrong > lie[0] && wrong < lie[1] + TimeUnit.SECONDS.toNanos(1));
        }
        assertThat(quantile(overruns(false), 0.999)).isLessThan(LATE_MILLIS + SLACK_MILLIS);
    }

    private double[] overruns(boolean inTheCold) {
        return IntStream.range(0, total)
                .filter(i -> answers.get(i) == 1 && cold[i] == inTheCold)
                .mapToDouble(i -> overrunMillis[i])
                .sorted()
                .toArray();
    }

    /** How long after its beginning each lie last did harm. */
    private double[] lieWindows() {
        return lies.stream()
                .mapToDouble(lie -> wrongNanos.stream()
                                .mapToLong(Long::longValue)
                                .filter(wrong -> wrong >= lie[0] && wrong < lie[1] + 200_000_000)
                                .map(wrong -> wrong - lie[0])
                                .max()
                                .orElse(0)
                        / 1e6)
                .sorted()
                .toArray();
    }

    private void report(double seconds, JsonNode devices, JsonNode executions) {
        Map<Integer, Long> byStatus = new TreeMap<>();
        for (int i = 0; i < total; i++) {
            if (answers.get(i) == 1) {
                byStatus.merge(statuses[i], 1L, Long::sum);
            }
        }
        double[] overruns = overruns(false);
        double[] coldOverruns = overruns(true);
        double[] windows = lieWindows();
        System.out.printf(
                Locale.ROOT,
                "ChaosIT: %d requests in %.0f s%n  events %s%n  answers by status %s%n"
                        + "  connections refused %d, clients that hung up %d, closed after the gate %d%n"
                        + "  wrong answers of lying devices %d; from a lie's beginning to its last wrong answer:"
                        + " median %.0f ms, max %.0f ms%n"
                        + "  answered beyond the deadline %d of %d, by more than 50 ms %d; overrun p99 %.1f ms,"
                        + " p99.9 %.1f ms, max %.1f ms%n"
                        + "  in the first %d s after a start: %d of %d, by more than 50 ms %d, max %.1f ms%n"
                        + "  devices %s%n  executions %s%n  violations %s%n",
                total,
                seconds,
                new TreeMap<>(events),
                byStatus,
                refusedConnections.get(),
                hungUp.get(),
                closedAfterTheGate.get(),
                wrongNanos.size(),
                quantile(windows, 0.5),
                quantile(windows, 1),
                Arrays.stream(overruns).filter(late -> late > 0).count(),
                overruns.length,
                Arrays.stream(overruns).filter(late -> late > LATE_MILLIS).count(),
                quantile(overruns, 0.99),
                quantile(overruns, 0.999),
                quantile(overruns, 1),
                COLD.toSeconds(),
                Arrays.stream(coldOverruns).filter(late -> late > 0).count(),
                coldOverruns.length,
                Arrays.stream(coldOverruns).filter(late -> late > LATE_MILLIS).count(),
                quantile(coldOverruns, 1),
                devices.path("devices").findValuesAsText("state"),
                executions,
                violations.stream().limit(10).toList());
    }

    private static double quantile(double[] sorted, double share) {
        return sorted.length == 0 ? 0 : sorted[(int) Math.max(0, Math.ceil(share * sorted.length) - 1)];
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void await(String what, Duration patience, Condition condition) throws Exception {
        long giveUp = System.nanoTime() + patience.toNanos();
        while (!condition.holds()) {
            assertThat(System.nanoTime()).as("waiting for " + what).isLessThan(giveUp);
            TimeUnit.MILLISECONDS.sleep(100);
        }
    }
}
