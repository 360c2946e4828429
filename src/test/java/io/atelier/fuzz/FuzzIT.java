package io.atelier.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.testing.PackagedService;
import io.atelier.testing.ProcessMemory;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * The packaged service under requests that are nearly right: 20,000 in every build, a million with {@code -Pfuzz}.
 * {@code -Dfuzz.seed} chooses others, {@code -Dfuzz.first} where to begin.
 */
class FuzzIT {
    private static final long SEED = Long.getLong("fuzz.seed", 1);
    private static final long FIRST = Long.getLong("fuzz.first", 0);
    private static final long REQUESTS = Long.getLong("fuzz.requests", 20_000);
    private static final int SHOWN = 20;

    /** What the heap may hold more after the second half of the requests than after the first. */
    private static final double HEAP_GROWTH_MIB = 8;

    /** The same for all of the process; a JVM's heap is touched before the start. */
    private static final double RESIDENT_GROWTH_MIB = 64;

    private static final int HEAP_MIB = 256;

    @Test
    void everyRequestIsAnsweredOrRefusedAndMemoryStaysFlat() throws Exception {
        boolean isNative = PackagedService.isNative();
        List<String> options = new ArrayList<>(List.of("-Xms" + HEAP_MIB + "m", "-Xmx" + HEAP_MIB + "m"));
        if (!isNative) {
            options.add("-XX:+AlwaysPreTouch");
        }
        Path models = ValidRequests.writeModels(Path.of("target", "fuzz", "models"));
        try (PackagedService service = PackagedService.start(
                options,
                "atelier.devices=cpu*2",
                "atelier.model-repository=" + models,
                "atelier.jobs.result-life=1s")) {
            Fuzzer fuzzer = new Fuzzer(URI.create("http://localhost:" + service.awaitLoaded()), SEED);
            long began = System.nanoTime();
            long half = Math.max(1, REQUESTS / 2);

            fuzzer.send(FIRST, half);
            ProcessMemory first = memory(service.pid(), isNative);
            fuzzer.send(FIRST + half, REQUESTS - half);
            ProcessMemory second = memory(service.pid(), isNative);

            System.out.printf(
                    "seed %d: %d requests in %d s; statuses %s; after each half: %s, %s%n",
                    SEED,
                    REQUESTS,
                    Duration.ofNanos(System.nanoTime() - began).toSeconds(),
                    fuzzer.statuses(),
                    first,
                    second);
            List<String> failures = new ArrayList<>();
            for (FuzzFailure failure : oneOfEach(fuzzer.failures())) {
                failures.add(failure.keptIn(Path.of("target", "fuzz")));
            }
            assertThat(failures).as("%d failures", fuzzer.failures().size()).isEmpty();
            assertThat(second.heapMib()).isLessThan(first.heapMib() + HEAP_GROWTH_MIB);
            assertThat(second.residentMib())
                    .isLessThan(first.residentMib() + RESIDENT_GROWTH_MIB + (isNative ? HEAP_MIB : 0));
            if (REQUESTS >= 1000) {
                assertThat(fuzzer.count(200)).as("some are still right").isGreaterThan(REQUESTS / 20);
                assertThat(fuzzer.count(400)).as("most are not").isGreaterThan(REQUESTS / 4);
                assertThat(fuzzer.count(202)).as("some are jobs").isGreaterThan(REQUESTS / 400);
            }
        }
    }

    private static ProcessMemory memory(long pid, boolean isNative) throws IOException, InterruptedException {
        return isNative ? ProcessMemory.ofNative(pid) : ProcessMemory.of(pid);
    }

    /** One failure of each kind, numbers left out. */
    private static List<FuzzFailure> oneOfEach(List<FuzzFailure> failures) {
        Map<String, FuzzFailure> kinds = new LinkedHashMap<>();
        failures.forEach(failure -> kinds.putIfAbsent(failure.complaint().replaceAll("\\d{2,}|'[^']*'", "…"), failure));
        return kinds.values().stream().limit(SHOWN).toList();
    }
}
