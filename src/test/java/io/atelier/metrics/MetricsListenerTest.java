package io.atelier.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.core.DeviceId;
import io.atelier.core.ModelId;
import io.atelier.core.Ticker;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class MetricsListenerTest {
    @Test
    void aModelThatWasReloadedShowsItsNewQueue() {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        MetricsListener metrics = new MetricsListener(registry, Ticker.system());
        ModelId model = new ModelId("m", "1");

        metrics.showQueue(model, () -> 0, () -> 0);
        metrics.showQueue(model, () -> 7, () -> 2_000_000_000L);

        assertThat(registry.get("atelier.queue.depth").gauges())
                .singleElement()
                .satisfies(gauge -> assertThat(gauge.value()).isEqualTo(7));
        assertThat(registry.get("atelier.queue.predicted.wait").gauge().value()).isEqualTo(2);
    }

    @Test
    void readinessIsAskedAtEachScrape() {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        AtomicBoolean ready = new AtomicBoolean();
        new MetricsListener(registry, Ticker.system()).showReadiness(ready::get);

        assertThat(registry.get("atelier.ready").gauge().value()).isZero();
        ready.set(true);
        assertThat(registry.get("atelier.ready").gauge().value()).isOne();
    }

    @Test
    void aDeviceShowsItsSlotsBeforeItHasRunAnything() {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        new MetricsListener(registry, Ticker.system()).showDevice(DeviceId.gpu(1), 2);

        assertThat(registry.get("atelier.device.slots")
                        .tag("device", "gpu:1")
                        .gauge()
                        .value())
                .isEqualTo(2);
    }
}
