package io.atelier.chaostest;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Open-loop load on the packaged chaos service: Poisson arrivals at multiples of the measured capacity, against
 * Atelier's core and against a plain FIFO, by turns. Writes one CSV row for each run; {@code scripts/overload.py} starts
 * it and renders the rows.
 *
 * <p>Each run has a server of its own, warmed up without service times at the full speed of the machine, then at 0.8
 * times the capacity, then at the load that is measured: a JVM that refuses for the first time compiles that path, and
 * takes up to 0.4 s for it on two busy cores. Latencies count from the scheduled arrival, so a late client makes them worse, not better.
 */
public final class OverloadBench {
    private static final Pattern ABOUT = Pattern.compile("about (\\d+) ms");
    private static final int BASE_MICROS = 60_000;
    private static final int ROW_MICROS = 4_000;
    private static final int SLOTS = 2;
    private static final double WARM_UP_SECONDS = 5;

    /** Below this a wait says nothing about a prediction. */
    private static final long SMALLEST_WAIT_MICROS = 20_000;

    private final Path jar;
    private final Path work;
    private final Map<String, String> options;
    private final int port;

    private OverloadBench(Map<String, String> options) throws IOException {
        this.options = options;
        this.jar = Path.of(options.getOrDefault("--jar", ""));
        this.work = Files.createTempDirectory("overload");
        this.port = ServerProcess.freePort();
        ServerProcess.repository(work.resolve("models"));
    }

    public static void main(String[] args) throws Exception {
        Map<String, String> options = new HashMap<>(Map.of(
                "--jar", "target/chaos/quarkus-app/quarkus-run.jar",
                "--csv", "target/overload.csv",
                "--repetitions", "3",
                "--seconds", "10",
                "--multiples", "0.5,1,2,3,10",
                "--cores", "atelier,fifo",
                "--deadline-millis", "500",
                "--capacity", "0",
                "--max-queue-size", "2048",
                "--seed", "42"));
        for (int i = 0; i + 1 < args.length; i += 2) {
            if (options.put(args[i], args[i + 1]) == null) {
                throw new IllegalArgumentException("unknown option " + args[i]);
            }
        }
        new OverloadBench(options).run();
    }

    private String option(String name) {
        return options.getOrDefault(name, "");
    }

    private void run() throws Exception {
        double capacity = Double.parseDouble(option("--capacity"));
        if (capacity == 0) {
            capacity = measureCapacity();
        }
        List<String> cores = List.of(option("--cores").split(",", -1));
        double[] multiples = Stream.of(option("--multiples").split(",", -1))
                .mapToDouble(Double::parseDouble)
                .toArray();
        boolean headed = false;
        try (PrintWriter csv = new PrintWriter(Files.newBufferedWriter(Path.of(option("--csv"))))) {
            for (int repetition = 1; repetition <= Integer.parseInt(option("--repetitions")); repetition++) {
                for (double multiple : multiples) {
                    for (int i = 0; i < cores.size(); i++) {
                        String core = cores.get((i + repetition) % cores.size());
                        Map<String, Object> row = measure(core, repetition, multiple, capacity);
                        if (!headed) {
                            csv.println(String.join(",", row.keySet()));
                            headed = true;
                        }
                        csv.println(String.join(
                                ",", row.values().stream().map(String::valueOf).toList()));
                        csv.flush();
                        System.out.println(row);
                    }
                }
            }
        }
    }

    private ServerProcess server(String core) throws IOException, InterruptedException {
        return ServerProcess.start(
                jar,
                port,
                List.of(
                        "-Xms1g",
                        "-Xmx1g",
                        "-Dchaos.core=" + core,
                        "-Dchaos.base=0MS",
                        "-Dchaos.per-row=0MS",
                        "-Datelier.devices=cpu*" + SLOTS,
                        "-Datelier.slots=1",
                        "-Datelier.batching.max-queue-size=" + option("--max-queue-size"),
                        "-Datelier.watch.golden-interval=0S",
                        "-Datelier.model-repository=" + work.resolve("models")),
                work.resolve("server.log"));
    }

    /** Answers per second while there is always enough to do and no deadline near. */
    private double measureCapacity() throws Exception {
        try (ServerProcess server = server("atelier");
                LoadClient client = new LoadClient(port)) {
            closedLoop(client, 20_000, 64);
            slow(server);
            closedLoop(client, 1_000, 128);
            double capacity = closedLoop(client, 5_000, 128);
            System.out.printf(Locale.ROOT, "capacity %.1f/s%n", capacity);
            return capacity;
        }
    }

    private static void slow(ServerProcess server) throws IOException, InterruptedException {
        server.post("/chaos/speed?base=" + BASE_MICROS + "&row=" + ROW_MICROS);
    }

    /** Keeps so many requests on their way; gives answers per second. */
    private static double closedLoop(LoadClient client, int requests, int atOnce) throws InterruptedException {
        Semaphore free = new Semaphore(atOnce);
        long began = System.nanoTime();
        byte[] request = LoadClient.request(1, 30);
        for (int i = 0; i < requests; i++) {
            free.acquire();
            client.send(request, new LoadClient.Callback() {
                @Override
                public void answered(int status, long retryAfter, String body) {
                    free.release();
                }

                @Override
                public void refused() {
                    free.release();
                }

                @Override
                public void closed() {
                    free.release();
                }
            });
        }
        free.acquire(atOnce);
        return requests * 1e9 / (System.nanoTime() - began);
    }

    private Map<String, Object> measure(String core, int repetition, double multiple, double capacity)
            throws Exception {
        double deadline = Integer.parseInt(option("--deadline-millis")) / 1000.0;
        long seed = Long.parseLong(option("--seed")) + repetition;
        double seconds = Double.parseDouble(option("--seconds"));
        try (ServerProcess server = server(core);
                LoadClient client = new LoadClient(port)) {
            closedLoop(client, 20_000, 64);
            slow(server);
            new Stretch(client, capacity * 0.8, 3, 0.5, seed, 1).run(0);
            new Stretch(client, capacity * multiple, WARM_UP_SECONDS, deadline, seed, 1).run(0);
            server.delete("/chaos/latencies");
            double serverCpu = server.cpuSeconds();
            long clientCpu = ProcessHandle.current()
                    .info()
                    .totalCpuDuration()
                    .orElseThrow()
                    .toNanos();
            Stretch stretch = new Stretch(client, capacity * multiple, seconds, deadline, seed, 100_000);
            stretch.run(Math.min(2, seconds / 5));
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("core", core);
            row.put("multiple", multiple);
            row.put("repetition", repetition);
            row.put("capacity", round(capacity));
            stretch.report(row);
            row.put("server_cpu_seconds", round(server.cpuSeconds() - serverCpu));
            row.put(
                    "client_cpu_seconds",
                    round((ProcessHandle.current()
                                            .info()
                                            .totalCpuDuration()
                                            .orElseThrow()
                                            .toNanos()
                                    - clientCpu)
                            / 1e9));
            JsonNode latencies = server.json("/chaos/latencies");
            row.put(
                    "refused_server_p50_ms",
                    round(latencies.path("429").path("p50").asDouble()));
            row.put(
                    "refused_server_p99_ms",
                    round(latencies.path("429").path("p99").asDouble()));
            row.put(
                    "refused_server_p999_ms",
                    round(latencies.path("429").path("p999").asDouble()));
            stretch.honesty(server, row);
            row.put("load_average", Files.readString(Path.of("/proc/loadavg")).split(" ", -1)[0]);
            return row;
        }
    }

    /** One stretch of open-loop load. */
    private static final class Stretch {
        private final LoadClient client;
        private final double timeout;
        private final int first;
        private final long[] scheduled;
        private final long[] done;
        private final int[] statuses;
        private final long[] retryAfterMicros;
        private final long[] aboutMicros;
        private final double seconds;
        private final AtomicInteger wrong = new AtomicInteger();
        private long beganNanos;
        private long beganMicros;
        private long skipNanos;
        private final long[] lags;

        Stretch(LoadClient client, double rate, double seconds, double timeout, long seed, int first) {
            this.client = client;
            this.timeout = timeout;
            this.first = first;
            this.seconds = seconds;
            SplittableRandom random = new SplittableRandom(seed);
            long[] arrivals = new long[(int) (rate * seconds * 1.2) + 1000];
            int count = 0;
            double at = 0;
            while (true) {
                at -= Math.log(1 - random.nextDouble()) / rate;
                if (at > seconds) {
                    break;
                }
                arrivals[count++] = (long) (at * 1e9);
            }
            scheduled = Arrays.copyOf(arrivals, count);
            done = new long[count];
            statuses = new int[count];
            retryAfterMicros = new long[count];
            aboutMicros = new long[count];
            lags = new long[count];
        }

        /** Sends everything at its time and waits for every answer. What comes in the first seconds is not counted. */
        void run(double skipSeconds) throws InterruptedException {
            skipNanos = (long) (skipSeconds * 1e9);
            CountDownLatch answered = new CountDownLatch(scheduled.length);
            byte[][] requests = new byte[scheduled.length][];
            for (int i = 0; i < requests.length; i++) {
                requests[i] = LoadClient.request(first + i, timeout);
            }
            Instant now = Instant.now();
            beganNanos = System.nanoTime();
            beganMicros = now.getEpochSecond() * 1_000_000 + now.getNano() / 1000;
            for (int i = 0; i < scheduled.length; i++) {
                long due = beganNanos + scheduled[i];
                for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
                    LockSupport.parkNanos(left);
                }
                lags[i] = System.nanoTime() - due;
                client.send(requests[i], new Slot(i, answered));
            }
            if (!answered.await((long) timeout + 60, TimeUnit.SECONDS)) {
                throw new IllegalStateException(answered.getCount() + " requests have no answer");
            }
        }

        private final class Slot implements LoadClient.Callback {
            private final int index;
            private final CountDownLatch answered;

            Slot(int index, CountDownLatch answered) {
                this.index = index;
                this.answered = answered;
            }

            @Override
            public void answered(int status, long retryAfter, String body) {
                statuses[index] = status;
                retryAfterMicros[index] = retryAfter * 1_000_000;
                if (status == 200 && LoadClient.number(body) != first + index + 1) {
                    wrong.incrementAndGet();
                }
                if (status == 429) {
                    Matcher about = ABOUT.matcher(body);
                    aboutMicros[index] = about.find() ? Long.parseLong(about.group(1)) * 1000 : -1;
                }
                end();
            }

            @Override
            public void refused() {
                end();
            }

            @Override
            public void closed() {
                end();
            }

            private void end() {
                done[index] = System.nanoTime() - beganNanos;
                answered.countDown();
            }
        }

        private double[] latencies(int status) {
            return IntStream.range(0, scheduled.length)
                    .filter(i -> scheduled[i] >= skipNanos && statuses[i] == status)
                    .mapToDouble(i -> (done[i] - scheduled[i]) / 1e6)
                    .sorted()
                    .toArray();
        }

        void report(Map<String, Object> row) {
            double window = seconds - skipNanos / 1e9;
            double[] ok = latencies(200);
            double[] refused = latencies(429);
            double[] late = latencies(504);
            long inTime =
                    Arrays.stream(ok).filter(millis -> millis <= timeout * 1000).count();
            long counted =
                    Arrays.stream(scheduled).filter(at -> at >= skipNanos).count();
            row.put("offered_per_second", round(counted / window));
            row.put("goodput_per_second", round(inTime / window));
            row.put("answered_late", ok.length - inTime);
            row.put("refused_429", refused.length);
            row.put("late_504", late.length);
            row.put("other", counted - ok.length - refused.length - late.length);
            row.put("wrong", wrong.get());
            row.put("accepted_p50_ms", round(quantile(ok, 0.5)));
            row.put("accepted_p99_ms", round(quantile(ok, 0.99)));
            row.put("accepted_max_ms", round(quantile(ok, 1)));
            row.put("refused_p50_ms", round(quantile(refused, 0.5)));
            row.put("refused_p99_ms", round(quantile(refused, 0.99)));
            row.put("late_p99_ms", round(quantile(late, 0.99)));
            double[] sorted =
                    Arrays.stream(lags).mapToDouble(lag -> lag / 1e6).sorted().toArray();
            row.put("client_lag_p99_ms", round(quantile(sorted, 0.99)));
        }

        /** What was predicted, beside what accepted requests of that moment really waited. */
        void honesty(ServerProcess server, Map<String, Object> row) throws IOException, InterruptedException {
            LongBuffer starts = server.longs("/chaos/started?from=" + first + "&count=" + scheduled.length);
            LongBuffer series = server.longs("/chaos/predicted");
            TreeMap<Long, Long> predicted = new TreeMap<>();
            while (series.remaining() > 1) {
                predicted.put(series.get(), series.get());
            }
            TreeMap<Long, Long> waits = new TreeMap<>();
            List<Double> gauge = new ArrayList<>();
            List<Double> real = new ArrayList<>();
            for (int i = 0; i < scheduled.length; i++) {
                long arrived = beganMicros + scheduled[i] / 1000;
                long wait = starts.get(i) - arrived;
                if (scheduled[i] < skipNanos || statuses[i] != 200 || starts.get(i) == 0) {
                    continue;
                }
                waits.put(arrived, wait);
                real.add(wait / 1000.0);
                Map.Entry<Long, Long> sample = predicted.floorEntry(arrived);
                if (sample != null && wait >= SMALLEST_WAIT_MICROS) {
                    gauge.add(error(sample.getValue(), wait));
                }
            }
            row.put("wait_p50_ms", round(quantile(sorted(real), 0.5)));
            judge(row, "gauge", gauge);
            judge(row, "refusal_text", compare(waits, aboutMicros, SMALLEST_WAIT_MICROS));
            judge(row, "retry_after", compare(waits, retryAfterMicros, 1_000_000));
        }

        private List<Double> compare(NavigableMap<Long, Long> waits, long[] told, long smallest) {
            List<Double> errors = new ArrayList<>();
            for (int i = 0; i < scheduled.length; i++) {
                long at = beganMicros + scheduled[i] / 1000;
                Map.Entry<Long, Long> accepted = waits.floorEntry(at);
                if (scheduled[i] >= skipNanos
                        && statuses[i] == 429
                        && told[i] > 0
                        && accepted != null
                        && at - accepted.getKey() < 100_000
                        && accepted.getValue() >= smallest) {
                    errors.add(error(told[i], accepted.getValue()));
                }
            }
            return errors;
        }

        private static double error(long told, long met) {
            return (told - met) / (double) met;
        }

        private static void judge(Map<String, Object> row, String name, List<Double> errors) {
            double[] signed = sorted(errors);
            double[] absolute = Arrays.stream(signed).map(Math::abs).sorted().toArray();
            row.put(name + "_pairs", errors.size());
            row.put(name + "_bias", round(quantile(signed, 0.5)));
            row.put(name + "_error", round(quantile(absolute, 0.5)));
            row.put(
                    name + "_within_30",
                    round(
                            errors.isEmpty()
                                    ? 0
                                    : Arrays.stream(absolute)
                                                    .filter(error -> error <= 0.3)
                                                    .count()
                                            / (double) errors.size()));
        }
    }

    private static double[] sorted(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    }

    private static double quantile(double[] sorted, double share) {
        return sorted.length == 0 ? 0 : sorted[(int) Math.max(0, Math.ceil(share * sorted.length) - 1)];
    }

    private static double round(double value) {
        return Math.round(value * 1000) / 1000.0;
    }
}
