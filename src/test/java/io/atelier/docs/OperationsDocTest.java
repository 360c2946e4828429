package io.atelier.docs;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.core.DeviceId;
import io.atelier.core.DeviceState;
import io.atelier.core.ModelId;
import io.atelier.core.Ticker;
import io.atelier.metrics.GpuMetrics;
import io.atelier.metrics.MetricsListener;
import io.atelier.nvidia.GpuMeasure;
import io.atelier.serving.InferenceService;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.io.IOException;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * {@code docs/operations.md} names every metric of the service, and no other. A row of a table whose first cell is a
 * metric has its labels in the third.
 */
@QuarkusTest
@TestProfile(RealService.class)
class OperationsDocTest {
    private static final Pattern NAME = Pattern.compile("\\b(?:atelier|ft)_\\w+");
    private static final Pattern SAMPLE = Pattern.compile("(?m)^((?:atelier|ft)_\\w+)(\\{[^}]*})? ");
    private static final Pattern LABEL = Pattern.compile("(\\w+)=\"");
    private static final String NO_LABEL = "–";
    private static final String OF_HISTOGRAM = "_(bucket|count|sum|max)$";

    @Inject
    InferenceService service;

    @Inject
    MeterRegistry registry;

    @Test
    void thePageNamesEveryMetricWithItsLabelsAndNoOther() throws IOException {
        RealService.awaitReady(service);
        given().body("{\"model\":\"minilm\",\"input\":\"a text\"}")
                .post("/v1/embeddings")
                .then()
                .statusCode(200);
        MetricsListener metrics = new MetricsListener(registry, Ticker.system());
        metrics.onDeviceState(DeviceId.gpu(7), DeviceState.QUARANTINED, "test"); // exported from the first time on
        metrics.onSharingStopped(new ModelId("minilm", "1"), "test"); // likewise
        GpuMetrics gpus = new GpuMetrics(registry); // where there is a GPU
        for (GpuMeasure measure : GpuMeasure.values()) {
            gpus.show(DeviceId.gpu(7), measure, () -> OptionalDouble.of(1));
        }
        gpus.countXid(DeviceId.gpu(7), 79);

        Map<String, Set<String>> exported = new TreeMap<>();
        Matcher sample =
                SAMPLE.matcher(given().get("/q/metrics").then().extract().asString());
        while (sample.find()) {
            Set<String> labels =
                    exported.computeIfAbsent(sample.group(1).replaceAll(OF_HISTOGRAM, ""), name -> new TreeSet<>());
            Matcher label = LABEL.matcher(String.valueOf(sample.group(2)));
            while (label.find()) {
                if (!label.group(1).equals("le")) {
                    labels.add(label.group(1));
                }
            }
        }
        assertThat(exported).containsKeys("atelier_requests_total", "ft_invocations_total");

        String page = Page.read("docs/operations.md");
        Set<String> named = new TreeSet<>();
        Matcher name = NAME.matcher(page);
        while (name.find()) {
            named.add(name.group().replaceAll(OF_HISTOGRAM, ""));
        }
        assertThat(named).isEqualTo(exported.keySet());

        Map<String, Set<String>> listed = new TreeMap<>();
        Page.rows(page).stream()
                .filter(row -> NAME.matcher(row.get(0).replace("`", "")).matches())
                .forEach(row -> listed.put(
                        row.get(0).replace("`", ""),
                        Stream.of(row.get(2).replace("`", "").split(", ", -1))
                                .filter(label -> !label.equals(NO_LABEL))
                                .collect(Collectors.toCollection(TreeSet::new))));
        assertThat(listed).isEqualTo(exported);
    }
}
