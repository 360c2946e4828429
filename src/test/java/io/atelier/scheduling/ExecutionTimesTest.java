package io.atelier.scheduling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.atelier.core.DeviceId;
import org.junit.jupiter.api.Test;

class ExecutionTimesTest {
    private static final DeviceId CPU = DeviceId.cpu(0);

    private final ExecutionTimes times = new ExecutionTimes();

    @Test
    void knowsNothingAtFirst() {
        assertThat(times.expectedNanos(CPU, 8)).isZero();
        assertThat(times.expectedNanos(8)).isZero();
        assertThat(times.fastestNanos()).isZero();
    }

    @Test
    void scalesFromTheNearestSizeItKnows() {
        times.record(CPU, 8, 800);

        assertThat(times.expectedNanos(CPU, 8)).isEqualTo(800);
        assertThat(times.expectedNanos(CPU, 16)).isEqualTo(1600);
        assertThat(times.expectedNanos(CPU, 4)).isEqualTo(400);
    }

    @Test
    void oneHangHardlyMovesTheEstimate() {
        for (int i = 0; i < 50; i++) {
            times.record(CPU, 1, 1_000);
        }
        times.record(CPU, 1, 60_000_000_000L);

        assertThat(times.expectedNanos(CPU, 1)).isLessThanOrEqualTo(1_200);
    }

    @Test
    void aLastingChangeComesThrough() {
        for (int i = 0; i < 50; i++) {
            times.record(CPU, 1, 1_000);
        }
        for (int i = 0; i < 40; i++) {
            times.record(CPU, 1, 10_000);
        }

        assertThat(times.expectedNanos(CPU, 1)).isCloseTo(10_000, within(1_000L));
        assertThat(times.fastestNanos()).isEqualTo(1_000);
    }

    @Test
    void averagesOverDevices() {
        times.record(CPU, 1, 100);
        times.record(DeviceId.cpu(1), 1, 300);

        assertThat(times.expectedNanos(1)).isEqualTo(200);
        assertThat(times.fastestNanos()).isEqualTo(100);
    }

    @Test
    void whatWasForeseenCountsUntilARequestOfItsSizeHasRun() {
        ExecutionTimes known = new ExecutionTimes();
        known.foresee(DeviceId.cpu(0), 1024, 9_000);
        known.foresee(DeviceId.cpu(0), 1024, 5_000);
        known.record(DeviceId.cpu(0), 8, 4_000);

        assertThat(known.expectedNanos(1024)).isEqualTo(5_000);
        assertThat(known.expectedNanos(8)).isEqualTo(4_000);
        assertThat(known.fastestNanos()).isEqualTo(4_000);
        assertThat(known.p99Nanos(DeviceId.cpu(0), 8)).isEqualTo(4_000);
        known.record(DeviceId.cpu(0), 1024, 7_000);
        assertThat(known.expectedNanos(1024)).isEqualTo(7_000);
    }
}
