package io.atelier.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * A hundred thousand schedules of the whole core, each with its own load, faults and interleaving. A failure names its
 * seed; {@code -Dsimulation.seed=N -Dsimulation.schedules=1} runs it again and tells its story.
 */
class SimulationTest {
    private static final long FIRST_SEED = Long.getLong("simulation.seed", 1);
    private static final long SCHEDULES = Long.getLong("simulation.schedules", 100_000);
    private static final int THREADS = 2;

    /** A schedule that broke a promise. */
    private record Failure(long seed, Invariants.Broken broken) {}

    @Test
    void everyScheduleKeepsEveryPromise() throws InterruptedException {
        AtomicLong next = new AtomicLong(FIRST_SEED);
        ConcurrentLinkedQueue<Failure> failures = new ConcurrentLinkedQueue<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            threads.add(new Thread(() -> {
                for (long seed = next.getAndIncrement();
                        seed < FIRST_SEED + SCHEDULES && failures.size() < 20;
                        seed = next.getAndIncrement()) {
                    try {
                        Simulation.run(seed, Simulation.Sabotage.NONE);
                    } catch (Invariants.Broken broken) {
                        failures.add(new Failure(seed, broken));
                    }
                }
            }));
        }
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(failures).as(() -> report(failures)).isEmpty();
        assertThat(next.get()).isGreaterThanOrEqualTo(FIRST_SEED + SCHEDULES);
    }

    private static String report(Iterable<Failure> failures) {
        List<String> lines = new ArrayList<>();
        failures.forEach(failure ->
                lines.add("seed " + failure.seed() + " " + failure.broken().getMessage()));
        Failure first = failures.iterator().next();
        lines.add("the story of seed " + first.seed() + " (-Dsimulation.seed=" + first.seed()
                + " -Dsimulation.schedules=1):");
        lines.add(Simulation.tell(first.seed(), Simulation.Sabotage.NONE));
        return lines.stream().collect(Collectors.joining("\n"));
    }
}
