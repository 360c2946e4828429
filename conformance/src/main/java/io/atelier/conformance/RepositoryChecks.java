package io.atelier.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.List;
import java.util.stream.StreamSupport;

/** R: the model repository. */
final class RepositoryChecks {
    private static final String NAME = "model_repository";
    private static final Source INDEX = Source.extension("model_repository", "Index");
    private static final Source LOAD = Source.extension("model_repository", "Load");
    private static final Source UNLOAD = Source.extension("model_repository", "Unload");

    private RepositoryChecks() {}

    static List<Check> checks() {
        return new Checklist()
                .extension(
                        NAME, "R01", "POST /v2/repository/index lists the models and their states", INDEX, server -> {
                            JsonNode index = index(server, "");
                            PathChecks.expect(server.add() + " READY", isReady(index, server.add()), index);
                        })
                .extension(NAME, "R02", "the index may be asked with a JSON object", INDEX, server -> {
                    JsonNode index = index(server, "{}");
                    PathChecks.expect(server.add() + " READY", isReady(index, server.add()), index);
                })
                .extension(NAME, "R03", "ready: true lists the ready ones alone", INDEX, server -> {
                    JsonNode index = index(server, "{\"ready\": true}");
                    PathChecks.expect(server.add() + " READY", isReady(index, server.add()), index);
                    for (JsonNode entry : index) {
                        PathChecks.expect(
                                "no state but READY",
                                entry.path("state").asText().equals("READY"),
                                entry);
                    }
                })
                .extension(
                        NAME,
                        "R04",
                        "an index request that is not JSON is refused",
                        INDEX,
                        server -> server.postJson("/v2/repository/index", "{\"ready\":".getBytes(UTF_8))
                                .refused())
                .extension(NAME, "R05", "a model that does not exist fails to load", LOAD, server -> {
                    allowed(server);
                    Answer answer = server.postJson("/v2/repository/models/no_such_model/load", new byte[0]);
                    answer.refused();
                })
                .extension(
                        NAME,
                        "R06",
                        "its error has the words 'failed to load'",
                        Source.example("simple_http_model_control.py"),
                        server -> {
                            allowed(server);
                            Answer answer = server.postJson("/v2/repository/models/no_such_model/load", new byte[0]);
                            PathChecks.expect(
                                    "an error with 'failed to load'",
                                    answer.error().contains("failed to load"),
                                    answer);
                        })
                .extension(NAME, "R07", "a loaded model may be loaded again", LOAD, server -> {
                    allowed(server);
                    control(server, "load");
                    server.get("/v2/models/" + model(server) + "/ready").expect(200);
                })
                .extension(
                        NAME, "R08", "an unloaded model is gone, and comes back when it is loaded", UNLOAD, server -> {
                            allowed(server);
                            control(server, "unload");
                            Answer gone = server.get("/v2/models/" + model(server) + "/ready");
                            Answer refused = server.post(model(server), Examples.floats());
                            control(server, "load");
                            PathChecks.expect("an unloaded model that is not ready", gone.status() != 200, gone);
                            PathChecks.expect("no inference with it", refused.status() >= 400, refused);
                            server.infer(model(server), Examples.floats())
                                    .expect(Examples.OUTPUT, Datatype.FP32, Datatype.FP32.sample());
                        })
                .checks();
    }

    private static void allowed(Server server) {
        if (!server.options().control()) {
            throw new NotApplicable("it changes what is loaded: allow it with --control");
        }
    }

    private static String model(Server server) throws IOException, InterruptedException {
        return server.identity(Datatype.FP32);
    }

    private static void control(Server server, String verb) throws IOException, InterruptedException {
        server.postJson("/v2/repository/models/" + model(server) + "/" + verb, "{}".getBytes(UTF_8))
                .expect(200);
    }

    private static JsonNode index(Server server, String body) throws IOException, InterruptedException {
        return server.postJson("/v2/repository/index", body.getBytes(UTF_8))
                .expect(200)
                .json();
    }

    private static boolean isReady(JsonNode index, String model) {
        return StreamSupport.stream(index.spliterator(), false)
                .anyMatch(entry -> entry.path("name").asText().equals(model)
                        && entry.path("state").asText().equals("READY"));
    }
}
