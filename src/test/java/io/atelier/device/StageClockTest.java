package io.atelier.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.core.DeviceId;
import io.atelier.core.ServingListener;
import io.atelier.core.ServingListener.Stages;
import io.atelier.core.Ticket;
import io.atelier.metrics.MetricsListener;
import io.atelier.serving.ModelCounts;
import io.atelier.serving.ModelCounts.Compute;
import io.atelier.serving.ModelCounts.Sum;
import io.atelier.serving.ModelStatistics;
import io.atelier.testing.ManualTime;
import io.atelier.testing.OpenGuard;
import io.atelier.testing.Tickets;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class StageClockTest {
    private static final DeviceId DEVICE = DeviceId.cpu(0);

    private final ManualTime time = new ManualTime();

    @Test
    void everyMomentBelongsToOneStage() {
        StageClock clock = new StageClock(time);
        long started = time.nanoTime();

        advance(3);
        clock.inputsReady();
        advance(40);
        clock.executed();
        advance(500);

        assertThat(clock.since(started)).isEqualTo(new Stages(3, 40, 500));
    }

    @Test
    void anEngineThatTellsNothingHasRunAllTheTime() {
        StageClock silent = new StageClock(time);
        StageClock halfSilent = new StageClock(time);
        long started = time.nanoTime();

        advance(3);
        halfSilent.inputsReady();
        advance(40);

        assertThat(silent.since(started)).isEqualTo(new Stages(0, 43, 0));
        assertThat(halfSilent.since(started)).isEqualTo(new Stages(3, 40, 0));
    }

    /** One request alone, then three together: each of the three is charged the whole of their execution. */
    @Test
    void statisticsAndMetricsHaveTheStagesOfEachExecutionExactly() throws Exception {
        ModelStatistics statistics = new ModelStatistics(time, InstantSource.system());
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        try (Rig rig = new Rig(Rig.batches(8), time, time)) {
            rig.listener = ServingListener.all(statistics, new MetricsListener(registry, time));
            rig.engine.takes(time::advance, Duration.ofNanos(2), Duration.ofNanos(30), Duration.ofNanos(5));
            rig.device(DEVICE, 1, new OpenGuard());
            rig.engine.hang(DEVICE);
            Ticket alone = rig.hangOne(DEVICE);
            List<Ticket> together = rig.offerMany(10, 3);
            rig.engine.letGo(DEVICE);
            Rig.answer(alone);
            for (Ticket ticket : together) {
                Rig.answer(ticket);
            }
        }

        ModelCounts counts = statistics.of(Tickets.MODEL);
        assertThat(counts.executions()).isEqualTo(2);
        assertThat(counts.compute()).isEqualTo(new Compute(new Sum(4, 8), new Sum(4, 120), new Sum(4, 20)));
        assertThat(counts.batches())
                .containsOnlyKeys(1, 3)
                .containsEntry(1, new Compute(new Sum(1, 2), new Sum(1, 30), new Sum(1, 5)))
                .containsEntry(3, new Compute(new Sum(1, 2), new Sum(1, 30), new Sum(1, 5)));
        assertThat(seconds(registry, "input")).isEqualTo(4e-9);
        assertThat(seconds(registry, "infer")).isEqualTo(60e-9);
        assertThat(seconds(registry, "output")).isEqualTo(10e-9);
    }

    private void advance(long nanos) {
        time.advance(Duration.ofNanos(nanos));
    }

    private static double seconds(SimpleMeterRegistry registry, String stage) {
        return registry.get("atelier.execution.stage.seconds")
                .tag("model", Tickets.MODEL.name())
                .tag("version", Tickets.MODEL.version())
                .tag("stage", stage)
                .functionCounter()
                .count();
    }
}
