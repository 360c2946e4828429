package io.atelier.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.core.DeviceId;
import io.atelier.core.DeviceState;
import io.atelier.core.ServingListener;
import io.atelier.device.DeviceExecutor;
import io.atelier.device.WatchPolicy;
import io.atelier.metrics.GpuMetrics;
import io.atelier.testing.ManualTime;
import io.atelier.testing.OpenGuard;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class GpuFaultsTest {
    private static final int OFF_THE_BUS = 79;
    private static final int PAGE_FAULT_OF_A_PROGRAM = 31;

    private final ManualTime time = new ManualTime();
    private final ExecutorService executor = Executors.newSingleThreadExecutor();
    private final DeviceExecutor first = device(0);
    private final DeviceExecutor second = device(1);
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final GpuFaults faults = new GpuFaults(List.of(first, second), new GpuMetrics(registry));

    @AfterEach
    void endThreads() {
        executor.shutdownNow();
    }

    @Test
    void aFaultOfTheGpuItselfTakesItOutOfService() {
        faults.accept(DeviceId.gpu(1), OFF_THE_BUS);

        assertThat(second.state()).isEqualTo(DeviceState.QUARANTINED);
        assertThat(second.reason()).isEqualTo("xid");
        assertThat(first.state()).isEqualTo(DeviceState.READY);
        assertThat(counted("gpu:1", "79")).isEqualTo(1);
    }

    @Test
    void aFaultOfOneProgramIsCounted() {
        faults.accept(DeviceId.gpu(0), PAGE_FAULT_OF_A_PROGRAM);
        faults.accept(DeviceId.gpu(0), PAGE_FAULT_OF_A_PROGRAM);

        assertThat(first.state()).isEqualTo(DeviceState.READY);
        assertThat(counted("gpu:0", "31")).isEqualTo(2);
    }

    private double counted(String device, String xid) {
        return registry.get("atelier.gpu.xid.events")
                .tag("device", device)
                .tag("xid", xid)
                .counter()
                .count();
    }

    private DeviceExecutor device(int index) {
        DeviceId id = DeviceId.gpu(index);
        Duration second = Duration.ofSeconds(1);
        DeviceExecutor device = new DeviceExecutor(
                id,
                1,
                executor,
                executor,
                new OpenGuard(),
                new WatchPolicy(10, second, second, Duration.ZERO, second),
                executor,
                time,
                time,
                ServingListener.NONE);
        device.open();
        return device;
    }
}
