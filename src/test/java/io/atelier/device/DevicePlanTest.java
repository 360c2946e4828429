package io.atelier.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.core.DeviceId;
import org.junit.jupiter.api.Test;

class DevicePlanTest {
    @Test
    void autoTakesEveryGpuElseTheCpu() {
        assertThat(DevicePlan.of("auto", () -> 2)).containsExactly(DeviceId.gpu(0), DeviceId.gpu(1));
        assertThat(DevicePlan.of("auto", () -> 0)).containsExactly(DeviceId.cpu(0));
    }

    @Test
    void namedDevicesStandInTheirOrder() {
        assertThat(DevicePlan.of("gpu:1, cpu*2,gpu:0", () -> 2))
                .containsExactly(DeviceId.gpu(1), DeviceId.cpu(0), DeviceId.cpu(1), DeviceId.gpu(0));
        assertThat(DevicePlan.of("gpu", () -> 2)).containsExactly(DeviceId.gpu(0), DeviceId.gpu(1));
    }

    @Test
    void aGpuThatIsNotThereIsRefused() {
        assertThatThrownBy(() -> DevicePlan.of("gpu:0", () -> 0))
                .hasMessage("atelier.devices: gpu:0 cannot be used; the engine sees no GPU");
        assertThatThrownBy(() -> DevicePlan.of("gpu:2", () -> 2))
                .hasMessage("atelier.devices: gpu:2 cannot be used; the engine sees gpu:0 to gpu:1");
        assertThatThrownBy(() -> DevicePlan.of("gpu", () -> 0))
                .hasMessage("atelier.devices: 'gpu' means no device; the engine sees no GPU");
    }

    @Test
    void nobodyAsksForGpusWhereTheCpuIsMeant() {
        assertThat(DevicePlan.of("cpu", () -> {
                    throw new AssertionError("asked");
                }))
                .containsExactly(DeviceId.cpu(0));
    }
}
