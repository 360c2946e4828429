package io.atelier.chaostest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.atelier.testing.OnnxModelWriter;
import io.atelier.testing.ProcessMemory;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whether the service grows under load: a million requests to the ordinary jar and a tiny ONNX model that adds one,
 * through DJL and ONNX Runtime, and the resident size of the process after every tenth of them.
 *
 * <p>The heap is fixed and touched before the start, so the resident size changes with what lies outside of it alone:
 * native memory, buffers, threads, code. The heap's use is read after a full collection.
 *
 * <p>{@code -Dmemory.requests=N}; the rows are written to {@code memory.csv} in the build directory.
 */
class MemoryIT {
    private static final int AT_ONCE = 64;
    private static final int PARTS = 10;
    private static final double GROWTH = 0.02;

    private final int total = Integer.getInteger("memory.requests", 1_000_000);
    private final AtomicInteger wrong = new AtomicInteger();

    @TempDir
    Path work;

    @Test
    void residentSizeStaysWithinTwoPerCentAfterTheFirstTenth() throws Exception {
        Path version = Files.createDirectories(work.resolve("models/add/1"));
        Files.write(
                version.resolve("model.onnx"),
                new OnnxModelWriter()
                        .input("x", "FLOAT", "batch", "length")
                        .floats("one", List.of(1), 1)
                        .node("Add", List.of("x", "one"), List.of("y"))
                        .output("y", "FLOAT", "batch", "length")
                        .toBytes());
        List<Double> resident = new ArrayList<>();
        int port = ServerProcess.freePort();
        try (ServerProcess server = ServerProcess.start(
                        Path.of(System.getProperty("memory.jar")),
                        port,
                        List.of(
                                "-Xms512m",
                                "-Xmx512m",
                                "-XX:+AlwaysPreTouch",
                                "-Datelier.devices=cpu*2",
                                "-Datelier.model-repository=" + work.resolve("models")),
                        work.resolve("server.log"));
                LoadClient client = new LoadClient(port);
                PrintWriter csv =
                        new PrintWriter(Files.newBufferedWriter(Path.of(System.getProperty("memory.csv"))), true)) {
            csv.println("requests,seconds,resident_mib,heap_mib_after_gc,not_answered_rightly");
            long began = System.nanoTime();
            for (int part = 0; part <= PARTS; part++) {
                if (part > 0) {
                    load(client, total / PARTS);
                }
                ProcessMemory memory = ProcessMemory.of(server.pid());
                resident.add(memory.residentMib());
                csv.printf(
                        Locale.ROOT,
                        "%d,%.0f,%.1f,%.1f,%d%n",
                        part * (total / PARTS),
                        (System.nanoTime() - began) / 1e9,
                        memory.residentMib(),
                        memory.heapMib(),
                        wrong.get());
            }
        }
        assertThat(wrong).hasValue(0);
        assertThat(resident.subList(2, resident.size()))
                .as("resident MiB, %s", resident)
                .allSatisfy(mib -> assertThat(mib).isCloseTo(resident.get(1), withinPercentage(100 * GROWTH)));
    }

    private void load(LoadClient client, int requests) throws InterruptedException {
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
}
