package io.atelier.app;

import static io.atelier.app.CollectedSpans.number;
import static io.atelier.app.CollectedSpans.text;
import static io.atelier.testing.ServiceClient.ok;
import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.core.DeviceId;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.trace.data.LinkData;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.RestAssured;
import jakarta.inject.Inject;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Spans and exemplars of real HTTP requests, down to an engine under the test's control. */
@QuarkusTest
@TestProfile(TracingComponentTest.Traced.class)
@Timeout(60)
class TracingComponentTest extends OverFakeService {
    private static final DeviceId FIRST = DeviceId.cpu(0);
    private static final DeviceId SECOND = DeviceId.cpu(1);
    private static final String INFER = "/v2/models/fake/infer";
    private static final String ALONE = "/v2/models/alone/infer";
    private static final String SERVER = "POST /v2/models/{model}/infer";
    private static final String ACCEPTED_BY_PROMETHEUS = "application/openmetrics-text;version=1.0.0;q=0.6,"
            + "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    private static final String CALLER = "00f067aa0ba902b7";
    private static final AtomicInteger CALLERS = new AtomicInteger();
    private static final Pattern EXEMPLAR =
            Pattern.compile("(?m)^(atelier_\\w+)_bucket\\{.* # \\{(?=.*span_id=\"(\\w+)\").*trace_id=\"(\\w+)\".*");

    /** Traces nothing of its own accord: what is traced has a caller that asks for it. */
    public static class Traced extends FakeService.Profile {
        @Override
        protected Map<String, String> repository() {
            return Map.of(
                    "alone/1/model.onnx",
                    "",
                    "alone/model.yaml",
                    "batching: {max-batch-size: 1}",
                    "fake/1/model.onnx",
                    "",
                    "two/model.yaml",
                    """
                            ensemble:
                              steps:
                                - {model: fake, inputs: {x: in}, outputs: {y: one}}
                                - {model: fake, inputs: {x: one}, outputs: {y: out}}
                            """);
        }

        @Override
        protected Map<String, String> settings() {
            return Map.of("atelier.tracing.enabled", "true", "atelier.tracing.sample-ratio", "0");
        }

        @Override
        public Set<Class<?>> getEnabledAlternatives() {
            return Set.of(FakeService.class, CollectedSpans.class);
        }
    }

    @Inject
    CollectedSpans spans;

    @AfterEach
    void mend() {
        letGo();
        engine.breakOn(number -> false);
    }

    @Test
    void aRequestIsATreeOfItsStagesBelowItsCaller() {
        String trace = newTrace();

        ok(client.post(INFER, infer(1), "traceparent", sampled(trace)).join());

        SpanData server = spans.await(trace, SERVER);
        assertThat(server.getKind()).isEqualTo(SpanKind.SERVER);
        assertThat(server.getParentSpanId()).isEqualTo(CALLER);
        assertThat(text(server, "http.request.method")).contains("POST");
        assertThat(text(server, "http.route")).contains("/v2/models/{model}/infer");
        assertThat(text(server, "url.path")).contains(INFER);
        assertThat(number(server, "http.response.status_code")).contains(200L);
        assertThat(text(server, "atelier.outcome")).contains("success");
        assertThat(server.getResource().getAttributes().asMap().toString())
                .contains("service.name=atelier", "service.version=");

        List<SpanData> parts = spans.of(trace).stream()
                .filter(span -> !span.getName().equals(SERVER))
                .toList();
        assertThat(parts).extracting(SpanData::getName).containsExactly("decode", "queue", "execute", "encode");
        assertThat(parts).allSatisfy(part -> {
            assertThat(part.getParentSpanId()).isEqualTo(server.getSpanId());
            assertThat(part.getStartEpochNanos()).isBetween(server.getStartEpochNanos(), server.getEndEpochNanos());
            assertThat(part.getEndEpochNanos()).isBetween(part.getStartEpochNanos(), server.getEndEpochNanos());
            assertThat(part.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
        });
        for (int i = 1; i < parts.size(); i++) {
            assertThat(parts.get(i).getStartEpochNanos())
                    .isGreaterThanOrEqualTo(parts.get(i - 1).getEndEpochNanos());
        }
        SpanData queue = parts.get(1);
        assertThat(text(queue, "atelier.model.name")).contains("fake");
        SpanData execute = parts.get(2);
        assertThat(text(execute, "atelier.model.name")).contains("fake");
        assertThat(text(execute, "atelier.model.version")).contains("1");
        assertThat(text(execute, "atelier.device"))
                .hasValueSatisfying(device -> assertThat(device).isIn("cpu:0", "cpu:1"));
        assertThat(text(execute, "atelier.outcome")).contains("success");

        SpanData batch = spans.batchOf(execute);
        assertThat(batch.getTraceId()).isNotEqualTo(trace);
        assertThat(batch.getParentSpanContext().isValid()).isFalse();
        assertThat(text(batch, "atelier.device")).isEqualTo(text(execute, "atelier.device"));
        assertThat(text(batch, "atelier.outcome")).contains("success");
        assertThat(number(batch, "atelier.batch.rows")).contains(1L);
        assertThat(number(batch, "atelier.batch.requests")).contains(1L);
        assertThat(batch.getLinks())
                .extracting(link -> link.getSpanContext().getSpanId())
                .containsExactly(server.getSpanId());
    }

    @Test
    void aBatchHasLinksToItsRequests() throws Exception {
        List<CompletableFuture<HttpResponse<String>>> taken = occupyBothDevices();
        List<String> traces = List.of(newTrace(), newTrace());
        CompletableFuture<HttpResponse<String>> one =
                client.post(INFER, infer(1), "traceparent", sampled(traces.get(0)));
        CompletableFuture<HttpResponse<String>> two =
                client.post(INFER, infer(2), "traceparent", sampled(traces.get(1)));
        service.awaitAsked(2);

        engine.letGo(FIRST);
        ok(one.get(20, TimeUnit.SECONDS));
        ok(two.get(20, TimeUnit.SECONDS));

        SpanData execute = spans.await(traces.get(0), "execute");
        SpanData batch = spans.batchOf(execute);
        assertThat(spans.batchOf(spans.await(traces.get(1), "execute"))).isEqualTo(batch);
        assertThat(number(batch, "atelier.batch.requests")).contains(2L);
        assertThat(number(batch, "atelier.batch.rows")).contains(2L);
        assertThat(text(batch, "atelier.device")).contains("cpu:0");
        assertThat(batch.getLinks())
                .extracting(LinkData::getSpanContext)
                .extracting(SpanContext::getSpanId)
                .containsExactlyInAnyOrder(
                        spans.await(traces.get(0), SERVER).getSpanId(),
                        spans.await(traces.get(1), SERVER).getSpanId());
        letGo();
        for (CompletableFuture<HttpResponse<String>> answer : taken) {
            ok(answer.get(20, TimeUnit.SECONDS));
        }
    }

    @Test
    void aFailureIsSaidByEachSpanThatItEnded() {
        engine.breakOn(number -> number == 13);
        String trace = newTrace();

        assertThat(client.post(INFER, infer(13), "traceparent", sampled(trace))
                        .join()
                        .statusCode())
                .isEqualTo(500);

        SpanData server = spans.await(trace, SERVER);
        SpanData execute = spans.await(trace, "execute");
        assertThat(List.of(server, execute, spans.batchOf(execute))).allSatisfy(span -> {
            assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
            assertThat(text(span, "atelier.outcome")).contains("engine_failure");
            assertThat(text(span, "error.type")).contains("engine_failure");
        });
        assertThat(number(server, "http.response.status_code")).contains(500L);
        assertThat(spans.of(trace))
                .extracting(SpanData::getName)
                .containsOnlyOnce("queue")
                .doesNotContain("encode");
    }

    @Test
    void whatACallerDidWrongIsNoErrorOfTheService() {
        String trace = newTrace();

        assertThat(client.post(INFER, "{", "traceparent", sampled(trace)).join().statusCode())
                .isEqualTo(400);

        SpanData server = spans.await(trace, SERVER);
        assertThat(spans.of(trace))
                .hasSize(2)
                .contains(spans.await(trace, "decode"))
                .allSatisfy(span -> {
                    assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
                    assertThat(text(span, "error.type")).contains("invalid_input");
                });
        assertThat(number(server, "http.response.status_code")).contains(400L);
    }

    @Test
    void whatExpiresInTheQueueHasWaitedAndWasNotExecuted() throws Exception {
        List<CompletableFuture<HttpResponse<String>>> taken = occupyBothDevices();
        String trace = newTrace();

        HttpResponse<String> late = client.post(
                        INFER, infer(1), "traceparent", sampled(trace), "Request-Timeout", "0.5")
                .get(20, TimeUnit.SECONDS);

        assertThat(late.statusCode()).isEqualTo(504);
        SpanData queue = spans.await(trace, "queue");
        assertThat(text(queue, "atelier.outcome")).contains("deadline_exceeded");
        assertThat(queue.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
        assertThat(queue.getEndEpochNanos() - queue.getStartEpochNanos()).isGreaterThan(300_000_000L);
        assertThat(number(spans.await(trace, SERVER), "http.response.status_code"))
                .contains(504L);
        letGo();
        for (CompletableFuture<HttpResponse<String>> answer : taken) {
            ok(answer.get(20, TimeUnit.SECONDS));
        }
        assertThat(spans.of(trace, "execute")).isEmpty();
    }

    @Test
    void whoseCallerIsNotSampledIsNotTraced() throws Exception {
        String unsampled = newTrace();
        String sampled = newTrace();

        ok(client.post(INFER, infer(1), "traceparent", "00-" + unsampled + "-" + CALLER + "-00")
                .join());
        ok(client.post(INFER, infer(1)).join()); // a share of 0 of those without a context
        ok(client.post(INFER, infer(1), "traceparent", sampled(sampled)).join());

        spans.batchOf(spans.await(sampled, "execute"));
        assertThat(spans.of(unsampled)).isEmpty();
        assertThat(spans.all())
                .filteredOn(span -> span.getName().equals(SERVER))
                .allSatisfy(span -> assertThat(span.getParentSpanId()).isEqualTo(CALLER));
    }

    @Test
    void theStateOfTheTraceIsKept() {
        String trace = newTrace();

        ok(client.post(INFER, infer(1), "traceparent", sampled(trace), "tracestate", "vendor=1")
                .join());

        assertThat(spans.await(trace, "execute")
                        .getSpanContext()
                        .getTraceState()
                        .get("vendor"))
                .isEqualTo("1");
    }

    @Test
    void theStepsOfAnEnsembleAreItsCallers() {
        String trace = newTrace();

        ok(client.post("/v2/models/two/infer", infer(1).replace("\"x\"", "\"in\""), "traceparent", sampled(trace))
                .join());

        String server = spans.await(trace, SERVER).getSpanId();
        for (String name : List.of("queue", "execute")) {
            assertThat(spans.of(trace, name)).hasSize(2).allSatisfy(span -> {
                assertThat(span.getParentSpanId()).isEqualTo(server);
                assertThat(text(span, "atelier.model.name")).contains("fake");
            });
        }
    }

    @Test
    void aJobIsExecutedInTheTraceThatItWasSubmittedIn() {
        String trace = newTrace();

        assertThat(client.post(INFER, infer(1), "traceparent", sampled(trace), "Prefer", "respond-async")
                        .join()
                        .statusCode())
                .isEqualTo(202);

        SpanData server = spans.await(trace, SERVER);
        assertThat(number(server, "http.response.status_code")).contains(202L);
        for (String name : List.of("decode", "queue", "execute", "encode")) {
            assertThat(spans.await(trace, name).getParentSpanId()).isEqualTo(server.getSpanId());
        }
    }

    @Test
    void theLinesOfAStreamAreTracedUpToABound() {
        String trace = newTrace();
        String lines =
                IntStream.range(0, 400).mapToObj(TracingComponentTest::infer).collect(Collectors.joining("\n"));

        HttpResponse<String> answer = client.post("/v2/models/fake/map", lines, "traceparent", sampled(trace))
                .join();

        assertThat(answer.body().lines()).hasSize(400);
        SpanData server = spans.await(trace, "POST /v2/models/{model}/map");
        List<SpanData> executions = spans.of(trace, "execute");
        assertThat(executions).hasSizeBetween(100, 399);
        assertThat(executions)
                .allSatisfy(span -> assertThat(span.getParentSpanId()).isEqualTo(server.getSpanId()));
    }

    @Test
    void histogramsNameATraceThatASlowValueIsOf() throws Exception {
        ok(client.post(INFER, infer(1), "traceparent", sampled(newTrace())).join());

        HttpResponse<String> scrape = scrape(ACCEPTED_BY_PROMETHEUS);

        assertThat(scrape.headers().firstValue("Content-Type"))
                .contains("application/openmetrics-text; version=1.0.0; charset=utf-8");

        assertThat(scrape.body().lines().filter(line -> line.contains(" # {")))
                .as("Prometheus takes exemplars nowhere else")
                .allMatch(line -> line.matches("\\w+_(bucket|total)\\{.*"));
        assertThat(scrape.body()).contains("atelier_queue_duration_seconds_count{model=\"fake\"");

        Set<String> histograms = new TreeSet<>();
        Matcher exemplar = EXEMPLAR.matcher(scrape.body());
        while (exemplar.find()) {
            histograms.add(exemplar.group(1));
            assertThat(spans.of(exemplar.group(3)))
                    .as(exemplar.group())
                    .extracting(SpanData::getSpanId)
                    .contains(exemplar.group(2));
        }
        assertThat(histograms)
                .contains(
                        "atelier_request_duration_seconds",
                        "atelier_queue_duration_seconds",
                        "atelier_execution_duration_seconds");
    }

    @Test
    void whoLikesTheOlderFormatGetsIt() throws Exception {
        HttpResponse<String> scrape =
                scrape("text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.5");

        assertThat(scrape.headers().firstValue("Content-Type")).contains("text/plain; version=0.0.4; charset=utf-8");
    }

    private static HttpResponse<String> scrape(String accepted) throws Exception {
        URI metrics = URI.create("http://localhost:" + RestAssured.port + "/q/metrics");
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(metrics).header("Accept", accepted).build(), BodyHandlers.ofString());
    }

    /** Both devices are taken until they are let go. */
    private List<CompletableFuture<HttpResponse<String>>> occupyBothDevices() throws Exception {
        engine.hang(FIRST);
        engine.hang(SECOND);
        List<CompletableFuture<HttpResponse<String>>> taken =
                List.of(client.post(ALONE, infer(5001)), client.post(ALONE, infer(5002)));
        service.awaitAsked(2);
        engine.awaitHanging(FIRST);
        engine.awaitHanging(SECOND);
        return taken;
    }

    private void letGo() {
        engine.letGo(FIRST);
        engine.letGo(SECOND);
    }

    private static String newTrace() {
        return "4bf92f3577b34da6a3ce929d%08x".formatted(CALLERS.incrementAndGet());
    }

    private static String sampled(String trace) {
        return "00-" + trace + "-" + CALLER + "-01";
    }

    private static String infer(float number) {
        return "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1,1],\"data\":[" + number + "]}]}";
    }
}
