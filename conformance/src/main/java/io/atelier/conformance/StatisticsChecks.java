package io.atelier.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.List;

/** S: statistics. M: model configuration. */
final class StatisticsChecks {
    static final String NAME = "statistics";

    private static final String CONFIGURATION = "model_configuration";
    private static final Source STATISTICS = Source.extension("statistics", "Statistics Response JSON Object");
    private static final Source CONFIG = Source.extension("model_configuration", "HTTP/REST");
    private static final List<String> DURATIONS =
            List.of("success", "fail", "queue", "compute_input", "compute_infer", "compute_output");

    /** Requests that nobody waits for, and how often their count is looked at. */
    private static final int LEAVE = 20;

    private static final int LOOKS = 50;

    private StatisticsChecks() {}

    static List<Check> checks() {
        Checklist list = new Checklist();
        statistics(list);
        configuration(list);
        return list.checks();
    }

    private static void statistics(Checklist list) {
        list.extension(NAME, "S01", "GET /v2/models/{model}/stats has the model's one version", STATISTICS, server -> {
                    JsonNode stats = stats(server, path(server));
                    PathChecks.expect(
                            "name, version, inference_count, execution_count and last_inference",
                            stats.path("name").asText().equals(server.add())
                                    && stats.path("version").isTextual()
                                    && stats.path("inference_count").isIntegralNumber()
                                    && stats.path("execution_count").isIntegralNumber()
                                    && stats.path("last_inference").isIntegralNumber(),
                            stats);
                })
                .extension(NAME, "S02", "inference_stats has count and ns of each step", STATISTICS, server -> {
                    JsonNode durations = stats(server, path(server)).path("inference_stats");
                    for (String name : DURATIONS) {
                        JsonNode duration = durations.path(name);
                        PathChecks.expect(
                                "count and ns of " + name,
                                duration.path("count").isIntegralNumber()
                                        && duration.path("ns").isIntegralNumber(),
                                durations);
                    }
                })
                .extension(NAME, "S03", "a successful request is counted, and its rows", STATISTICS, server -> {
                    String path = "/v2/models/" + server.identity(Datatype.FP32) + "/stats";
                    JsonNode before = stats(server, path);
                    server.infer(server.identity(Datatype.FP32), Examples.floats());
                    JsonNode after = stats(server, path);
                    expectMore(1, before, after, "/inference_stats/success/count");
                    expectMore(2, before, after, "/inference_count");
                    expectMore(1, before, after, "/execution_count");
                })
                .extension(NAME, "S04", "batch_stats has the sizes that were executed", STATISTICS, server -> {
                    server.infer(server.add(), Examples.add());
                    JsonNode batches = stats(server, path(server)).path("batch_stats");
                    boolean good = false;
                    for (JsonNode batch : batches) {
                        good |= batch.path("batch_size").asInt() == 1
                                && batch.at("/compute_infer/count").asLong() > 0;
                    }
                    PathChecks.expect("a batch_size of 1 with compute_infer", good, batches);
                })
                .extension(NAME, "S05", "GET /v2/models/stats has every model", STATISTICS, server -> {
                    JsonNode all =
                            server.get("/v2/models/stats").expect(200).json().path("model_stats");
                    List<String> names = all.findValuesAsText("name");
                    PathChecks.expect(
                            server.add() + " among the names",
                            names.contains(server.add()) && names.contains(server.identity(Datatype.FP32)),
                            names);
                })
                .extension(
                        NAME,
                        "S06",
                        "GET /v2/models/{model}/versions/{version}/stats has that version",
                        STATISTICS,
                        server -> {
                            JsonNode stats = stats(
                                    server,
                                    "/v2/models/" + server.add() + "/versions/" + server.addVersion() + "/stats");
                            PathChecks.expect(
                                    "version " + server.addVersion(),
                                    stats.path("version").asText().equals(server.addVersion()),
                                    stats);
                        })
                .extension(
                        NAME,
                        "S07",
                        "the statistics of an unknown model are refused with an error",
                        Source.extension("statistics", "Statistics Response JSON Error Object"),
                        server -> server.get(PathChecks.UNKNOWN + "/stats").refused())
                .extension(
                        NAME,
                        "S08",
                        "a request whose client has left is counted once, or not at all",
                        STATISTICS,
                        StatisticsChecks::clientsThatLeave);
    }

    private static void clientsThatLeave(Server server) throws IOException, InterruptedException {
        String model = server.identity(Datatype.FP32);
        String path = "/v2/models/" + model + "/stats";
        byte[] body = Examples.floats().body();
        long before = ended(server, path);
        for (int i = 0; i < LEAVE; i++) {
            try (RawConnection connection = server.connect()) {
                connection
                        .send(TransportChecks.head(
                                Server.inferPath(model), connection, "Content-Length: " + body.length))
                        .send(body);
            }
        }
        server.infer(model, Examples.floats());
        for (int i = 0; i < LOOKS; i++) {
            long grown = ended(server, path) - before;
            PathChecks.expect(
                    "success and fail to grow by 1 to " + (LEAVE + 1), grown >= 1 && grown <= LEAVE + 1, grown);
        }
    }

    private static long ended(Server server, String path) throws IOException, InterruptedException {
        JsonNode durations = stats(server, path).path("inference_stats");
        return durations.at("/success/count").asLong()
                + durations.at("/fail/count").asLong();
    }

    private static void configuration(Checklist list) {
        list.extension(
                        CONFIGURATION,
                        "M01",
                        "GET /v2/models/{model}/config has the model's configuration",
                        CONFIG,
                        server -> {
                            JsonNode config = server.get("/v2/models/" + server.add() + "/config")
                                    .expect(200)
                                    .json();
                            boolean good = config.path("name").asText().equals(server.add())
                                    && config.path("max_batch_size").isIntegralNumber()
                                    && config.path("input").size() == 2
                                    && config.path("output").size() == 2
                                    && config.at("/input/0/data_type").asText().equals("TYPE_INT32");
                            PathChecks.expect(
                                    "name, max_batch_size, two of input and output with TYPE_INT32", good, config);
                        })
                .extension(
                        CONFIGURATION,
                        "M02",
                        "GET /v2/models/{model}/versions/{version}/config has it too",
                        CONFIG,
                        server -> server.get(
                                        "/v2/models/" + server.add() + "/versions/" + server.addVersion() + "/config")
                                .expect(200))
                .extension(
                        CONFIGURATION,
                        "M03",
                        "the configuration of an unknown model is refused with an error",
                        CONFIG,
                        server -> server.get(PathChecks.UNKNOWN + "/config").refused());
    }

    /** How often the add model was executed. */
    static long executions(Server server) throws IOException, InterruptedException {
        return stats(server, path(server)).path("execution_count").asLong();
    }

    private static String path(Server server) {
        return "/v2/models/" + server.add() + "/stats";
    }

    private static JsonNode stats(Server server, String path) throws IOException, InterruptedException {
        JsonNode all = server.get(path).expect(200).json().path("model_stats");
        PathChecks.expect("model_stats with one entry", all.size() == 1, all);
        return all.get(0);
    }

    private static void expectMore(long more, JsonNode before, JsonNode after, String pointer) {
        long grown = after.at(pointer).asLong() - before.at(pointer).asLong();
        PathChecks.expect(pointer + " to grow by " + more, grown == more, grown);
    }
}
