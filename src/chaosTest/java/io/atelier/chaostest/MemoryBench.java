package io.atelier.chaostest;

import io.atelier.testing.OnnxModelWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whether the service grows under load: a million requests to the ordinary jar and a tiny ONNX model that adds one,
 * through DJL and ONNX Runtime, and the resident size of the process after every tenth of them.
 *
 * <p>The heap is fixed and touched before the start, so the resident size changes with what lies outside of it alone:
 * native memory, buffers, threads, code. The heap's use is read after a full collection.
 */
public final class MemoryBench {
    private static final int AT_ONCE = 64;
    private static final Pattern RESIDENT = Pattern.compile("VmRSS:\\s+(\\d+) kB");
    private static final Pattern USED = Pattern.compile("(?:garbage-first heap|Heap).*?used (\\d+)K", Pattern.DOTALL);

    private MemoryBench() {}

    public static void main(String[] args) throws Exception {
        Map<String, String> options = new HashMap<>();
        for (int i = 0; i + 1 < args.length; i += 2) {
            options.put(args[i], args[i + 1]);
        }
        int total = Integer.parseInt(options.getOrDefault("--requests", "1000000"));
        Path jar = Path.of(options.getOrDefault("--jar", "target/quarkus-app/quarkus-run.jar"));
        Path work = Files.createTempDirectory("memory");
        Path version = Files.createDirectories(work.resolve("models/add/1"));
        Files.write(
                version.resolve("model.onnx"),
                new OnnxModelWriter()
                        .input("x", "FLOAT", "batch", "length")
                        .floats("one", List.of(1), 1)
                        .node("Add", List.of("x", "one"), List.of("y"))
                        .output("y", "FLOAT", "batch", "length")
                        .toBytes());
        int port = ServerProcess.freePort();
        try (ServerProcess server = ServerProcess.start(
                        jar,
                        port,
                        List.of(
                                "-Xms512m",
                                "-Xmx512m",
                                "-XX:+AlwaysPreTouch",
                                "-Datelier.devices=cpu*2",
                                "-Datelier.model-repository=" + work.resolve("models")),
                        work.resolve("server.log"));
                LoadClient client = new LoadClient(port);
                PrintWriter csv = new PrintWriter(
                        Files.newBufferedWriter(Path.of(options.getOrDefault("--csv", "target/memory.csv"))))) {
            csv.println("requests,seconds,resident_mib,heap_mib_after_gc,not_answered_rightly");
            row(csv, server, 0, 0, 0);
            AtomicInteger wrong = new AtomicInteger();
            long began = System.nanoTime();
            for (int part = 1; part <= 10; part++) {
                load(client, total / 10, wrong);
                row(csv, server, part * (total / 10), (System.nanoTime() - began) / 1e9, wrong.get());
            }
        }
    }

    private static void row(PrintWriter csv, ServerProcess server, int requests, double seconds, int wrong)
            throws IOException, InterruptedException {
        double heap = heapMib(server.pid());
        Matcher resident = RESIDENT.matcher(Files.readString(Path.of("/proc/" + server.pid() + "/status")));
        String line = String.format(
                Locale.ROOT,
                "%d,%.0f,%.1f,%.1f,%d",
                requests,
                seconds,
                resident.find() ? Long.parseLong(resident.group(1)) / 1024.0 : Double.NaN,
                heap,
                wrong);
        csv.println(line);
        csv.flush();
        System.out.println(line);
    }

    private static void load(LoadClient client, int requests, AtomicInteger wrong) throws InterruptedException {
        Semaphore free = new Semaphore(AT_ONCE);
        for (int i = 0; i < requests; i++) {
            free.acquire();
            double expected = i + 1;
            client.send(LoadClient.request(i, 30), new LoadClient.Callback() {
                @Override
                public void answered(int status, long retryAfter, String body) {
                    if (status != 200 || LoadClient.number(body) != expected) {
                        wrong.incrementAndGet();
                    }
                    free.release();
                }

                @Override
                public void refused() {
                    wrong.incrementAndGet();
                    free.release();
                }

                @Override
                public void closed() {
                    wrong.incrementAndGet();
                    free.release();
                }
            });
        }
        free.acquire(AT_ONCE);
    }

    /** The heap in use after a full collection. */
    private static double heapMib(long pid) throws IOException, InterruptedException {
        jcmd(pid, "GC.run");
        Matcher used = USED.matcher(jcmd(pid, "GC.heap_info"));
        return used.find() ? Long.parseLong(used.group(1)) / 1024.0 : Double.NaN;
    }

    private static String jcmd(long pid, String command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(), Long.toString(pid), command)
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return output;
    }
}
