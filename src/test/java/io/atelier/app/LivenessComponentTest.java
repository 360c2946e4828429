package io.atelier.app;

import static io.atelier.testing.ServiceClient.json;
import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.app.FakeService.SkippingTicker;
import io.atelier.core.DeviceId;
import io.atelier.testing.FakeEngine;
import io.atelier.testing.ServiceClient;
import io.atelier.testing.StartUp;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.RestAssured;
import jakarta.inject.Inject;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A pod whose devices have all failed: not ready at once, not live after the grace period, well when one is back. */
@QuarkusTest
@TestProfile(LivenessComponentTest.QuickWatch.class)
@Timeout(60)
class LivenessComponentTest {
    private static final List<DeviceId> DEVICES = List.of(DeviceId.cpu(0), DeviceId.cpu(1));
    private static final Duration GRACE = Duration.ofSeconds(60);
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final String BODY =
            "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1,1],\"data\":[1]}]}";

    /** Executions hang after a fifth of a second, and a device that is out is tried every 20 ms. */
    public static class QuickWatch extends FakeService.Profile {
        @Override
        protected Map<String, String> repository() {
            return Map.of("fake/1/model.onnx", "");
        }

        @Override
        protected Map<String, String> settings() {
            return Map.of(
                    "atelier.model-control", "explicit",
                    "atelier.watch.hang-multiple", "1",
                    "atelier.watch.hang-floor", "200MS",
                    "atelier.watch.hang-ceiling", "200MS",
                    "atelier.watch.probe-interval", "20MS",
                    "atelier.watch.liveness-grace", GRACE.toString());
        }
    }

    @Inject
    StartUp startUp;

    @Inject
    FakeEngine engine;

    @Inject
    SkippingTicker ticker;

    @Test
    void tellsTheTruthAboutDevicesThatHaveAllFailed() throws Exception {
        startUp.await();
        ServiceClient client = new ServiceClient(RestAssured.port);
        assertThat(status(client, "/q/health/ready")).isEqualTo(200);
        DEVICES.forEach(engine::hang);
        List<CompletableFuture<Void>> hanging =
                DEVICES.stream().map(engine::hanging).toList();
        CompletableFuture<HttpResponse<String>> first = client.post("/v2/models/fake/infer", BODY);
        CompletableFuture.anyOf(hanging.get(0), hanging.get(1)).get(20, TimeUnit.SECONDS);
        CompletableFuture<HttpResponse<String>> second = client.post("/v2/models/fake/infer", BODY);
        CompletableFuture.allOf(hanging.get(0), hanging.get(1)).get(20, TimeUnit.SECONDS);

        client.awaitStatus("/v2/health/ready", 503, SOON);
        assertThat(status(client, "/q/health/ready")).isEqualTo(503);
        assertThat(status(client, "/v2/health/live")).isEqualTo(200);
        assertThat(status(client, "/q/health/live")).isEqualTo(200);
        HttpResponse<String> refused =
                client.post("/v2/repository/models/fake/load", "").join();
        assertThat(refused.statusCode()).isEqualTo(503);
        assertThat(json(refused).get("error").asText()).isEqualTo("the device cpu:0 is out of service");

        ticker.skip(GRACE);
        assertThat(status(client, "/v2/health/live")).isEqualTo(503);
        assertThat(status(client, "/q/health/live")).isEqualTo(503);

        DEVICES.forEach(engine::letGo);
        client.awaitStatus("/v2/health/ready", 200, SOON);
        assertThat(status(client, "/v2/health/live")).isEqualTo(200);
        assertThat(status(client, "/q/health/live")).isEqualTo(200);
        assertThat(status(client, "/q/health/ready")).isEqualTo(200);
        for (CompletableFuture<HttpResponse<String>> victim : List.of(first, second)) {
            assertThat(victim.get(20, TimeUnit.SECONDS).statusCode()).isIn(200, 500, 503, 504);
        }
    }

    private static int status(ServiceClient client, String path) {
        return client.get(path).join().statusCode();
    }
}
