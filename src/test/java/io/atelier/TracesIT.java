package io.atelier;

import static io.atelier.testing.ServiceClient.embeddings;
import static io.atelier.testing.ServiceClient.ok;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.atelier.testing.PackagedService;
import io.atelier.testing.ServiceClient;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import io.opentelemetry.proto.trace.v1.Span;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Collectors;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The packaged service sends its spans to a collector, by OTLP over HTTP. */
@Timeout(180)
class TracesIT {
    private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
    private static final String CALLER = "00f067aa0ba902b7";
    private static final String SERVER = "POST /v1/embeddings";

    /** What the collector got: its way, its headers, and the spans. */
    private record Export(String path, Map<String, List<String>> headers, ExportTraceServiceRequest request) {}

    private final Queue<Export> exports = new ConcurrentLinkedQueue<>();
    private HttpServer collector;

    @BeforeEach
    void listen() throws IOException {
        collector = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        collector.createContext("/", this::take);
        collector.start();
    }

    @AfterEach
    void close() {
        collector.stop(0);
    }

    private void take(HttpExchange exchange) throws IOException {
        try (exchange) {
            exports.add(new Export(
                    exchange.getRequestURI().getPath(),
                    exchange.getRequestHeaders(),
                    ExportTraceServiceRequest.parseFrom(new GZIPInputStream(exchange.getRequestBody()))));
            exchange.sendResponseHeaders(200, -1);
        }
    }

    @Test
    void aRequestArrivesAtTheCollectorAtTheLatestWhenTheServiceEnds() throws Exception {
        try (PackagedService service = PackagedService.start(
                "atelier.devices=cpu",
                "atelier.tracing.enabled=true",
                "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:"
                        + collector.getAddress().getPort() + "/otlp/",
                "OTEL_SERVICE_NAME=search",
                "atelier.tracing.headers=x-token=secret",
                "OTEL_RESOURCE_ATTRIBUTES=k8s.pod.name=pod-7")) {
            ServiceClient client = new ServiceClient(service.awaitLoaded());
            ok(client.post(
                            "/v1/embeddings",
                            embeddings("hello world"),
                            "traceparent",
                            "00-" + TRACE + "-" + CALLER + "-01")
                    .join());
            service.terminate();
            assertThat(service.awaitExit()).as(service.output()).isZero();
        }

        assertThat(exports).allSatisfy(export -> {
            assertThat(export.path()).isEqualTo("/otlp/v1/traces");
            assertThat(export.headers().get("Content-type")).containsExactly("application/x-protobuf");
            assertThat(export.headers().get("X-token")).containsExactly("secret");
        });
        List<ResourceSpans> sent = exports.stream()
                .flatMap(export -> export.request().getResourceSpansList().stream())
                .toList();
        assertThat(sent)
                .allSatisfy(spans -> assertThat(texts(spans.getResource().getAttributesList()))
                        .containsEntry("service.name", "search")
                        .containsEntry("k8s.pod.name", "pod-7"));
        Map<String, Span> spans = sent.stream()
                .flatMap(resource -> resource.getScopeSpansList().stream())
                .flatMap(scope -> scope.getSpansList().stream())
                .collect(Collectors.toMap(Span::getName, span -> span));
        assertThat(spans).containsOnlyKeys(SERVER, "decode", "prepare", "queue", "execute", "encode", "batch");
        Span server = spans.get(SERVER);
        assertThat(hex(server.getTraceId().toByteArray())).isEqualTo(TRACE);
        assertThat(hex(server.getParentSpanId().toByteArray())).isEqualTo(CALLER);
        for (String part : List.of("decode", "prepare", "queue", "execute", "encode")) {
            assertThat(spans.get(part).getParentSpanId()).as(part).isEqualTo(server.getSpanId());
        }
        Span batch = spans.get("batch");
        assertThat(texts(batch.getAttributesList()))
                .containsEntry("atelier.model.name", "minilm")
                .containsEntry("atelier.device", "cpu:0");
        assertThat(batch.getLinksList())
                .singleElement()
                .satisfies(link -> assertThat(link.getSpanId()).isEqualTo(server.getSpanId()));
    }

    private static Map<String, String> texts(List<KeyValue> attributes) {
        return attributes.stream()
                .collect(Collectors.toMap(
                        KeyValue::getKey, attribute -> attribute.getValue().getStringValue()));
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }
}
