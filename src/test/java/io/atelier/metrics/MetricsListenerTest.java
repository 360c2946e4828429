package io.atelier.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.core.ModelId;
import io.atelier.core.Ticker;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
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
}
