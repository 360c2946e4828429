package io.atelier.app;

import static io.atelier.testing.ServiceClient.floats;
import static io.atelier.testing.ServiceClient.ok;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.atelier.core.DeviceId;
import io.atelier.testing.EnsembleModels;
import io.atelier.testing.FakeEngine;
import io.atelier.testing.StartUp;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.RestAssured;
import jakarta.inject.Inject;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@link EnsembleScenarios} down to an engine under the test's control: two devices of one permit each. */
@QuarkusTest
@TestProfile(EnsembleComponentTest.FakeDevices.class)
@Timeout(60)
class EnsembleComponentTest extends EnsembleScenarios {
    private static final DeviceId FIRST = DeviceId.cpu(0);
    private static final DeviceId SECOND = DeviceId.cpu(1);

    /** Every model of its engine adds one. */
    public static class FakeDevices extends FakeService.Profile {
        @Override
        protected Map<String, String> repository() {
            Map<String, String> files = new HashMap<>(EnsembleModels.FILES);
            for (String model : EnsembleModels.PLAIN) {
                files.put(model + "/1/model.onnx", "");
            }
            return files;
        }

        @Override
        protected Map<String, String> settings() {
            return Map.of("atelier.model-control", "explicit");
        }
    }

    @Inject
    StartUp startUp;

    @Inject
    FakeEngine engine;

    @Inject
    FakeService service;

    @BeforeEach
    @Override
    void awaitTheModels() throws InterruptedException {
        startUp.await();
        super.awaitTheModels();
        service.forget();
    }

    @AfterEach
    void letGo() {
        engine.letGo(FIRST);
        engine.letGo(SECOND);
    }

    @Test
    void everyStepRunsOnADevice() {
        ok(client.post(THREE + "/infer", infer("in", 100)).join());

        assertThat(engine.executed()).contains(100f, 101f, 102f);
    }

    @Test
    void stepsRunSideBySideOnWhicheverDeviceIsFree() throws Exception {
        engine.hang(FIRST);
        engine.hang(SECOND);

        CompletableFuture<HttpResponse<String>> answer = client.post("/v2/models/fork/infer", infer("in", 300));

        engine.awaitHanging(FIRST);
        engine.awaitHanging(SECOND);
        letGo();
        JsonNode outputs = ok(answer.get(20, TimeUnit.SECONDS)).get("outputs");
        assertThat(outputs.get(0).get("name").asText()).isEqualTo("l");
        assertThat(floats(outputs.get(0).get("data"))).containsExactly(301);
        assertThat(outputs.get(1).get("name").asText()).isEqualTo("r");
    }

    @Test
    void oneDeadlineIsThatOfAllSteps() throws Exception {
        engine.hang(FIRST);
        engine.hang(SECOND);

        HttpResponse<String> late = client.post(THREE + "/infer", infer("in", 400), "Request-Timeout", "0.1")
                .get(20, TimeUnit.SECONDS);

        assertThat(late.statusCode()).isEqualTo(504);
        letGo();
        ok(client.post(THREE + "/infer", infer("in", 410)).get(20, TimeUnit.SECONDS));
        assertThat(engine.executed()).contains(400f, 412f).doesNotContain(401f);
    }

    @Test
    void whoHangsUpIsNotServedFurther() throws Exception {
        engine.hang(FIRST);
        engine.hang(SECOND);
        String body = infer("in", 500);
        CompletableFuture<?> asked;
        try (Socket socket = new Socket("localhost", RestAssured.port)) {
            socket.getOutputStream()
                    .write(("POST " + THREE + "/infer HTTP/1.1\r\nHost: a\r\nContent-Length: " + body.length()
                                    + "\r\n\r\n" + body)
                            .getBytes(UTF_8));
            asked = service.nextAsked();
        }
        assertThatThrownBy(() -> asked.get(20, TimeUnit.SECONDS)).isInstanceOf(Exception.class);
        letGo();

        ok(client.post(THREE + "/infer", infer("in", 510)).get(20, TimeUnit.SECONDS));
        assertThat(engine.executed()).contains(512f).doesNotContain(501f);
        assertThat(client.get("/q/metrics").join().body())
                .contains("atelier_requests_total{model=\"three\",outcome=\"cancelled\",version=\"1\"} 1.0");
    }
}
