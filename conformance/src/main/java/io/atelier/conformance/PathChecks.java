package io.atelier.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.ArrayList;
import java.util.List;

/** A: paths, verbs, health and metadata. */
final class PathChecks {
    static final String UNKNOWN = "/v2/models/no_such_model";

    private PathChecks() {}

    static List<Check> checks() {
        Checklist list = new Checklist();
        health(list);
        metadata(list);
        unknown(list);
        http(list);
        return list.checks();
    }

    private static void health(Checklist list) {
        list.specification(
                        "A01",
                        "GET /v2/health/live answers 200",
                        Source.rest("Server Live"),
                        server -> server.get("/v2/health/live").expect(200))
                .specification(
                        "A02", "its body says live: true", Source.rest("Server Live Response JSON Object"), server -> {
                            JsonNode body = server.get("/v2/health/live").json();
                            expect("{\"live\":true}", body.path("live").asBoolean(), body);
                        })
                .specification(
                        "A03",
                        "GET /v2/health/ready answers 200",
                        Source.rest("Server Ready"),
                        server -> server.get("/v2/health/ready").expect(200))
                .specification(
                        "A04",
                        "its body says ready: true, or live: true as the specification has it",
                        Source.rest("Server Ready Response JSON Object"),
                        server -> {
                            JsonNode body = server.get("/v2/health/ready").json();
                            boolean said = body.path("ready").asBoolean()
                                    || body.path("live").asBoolean();
                            expect("{\"ready\":true}", said, body);
                        })
                .specification(
                        "A05",
                        "GET /v2/models/{model}/ready answers 200",
                        Source.rest("Model Ready"),
                        server -> server.get("/v2/models/" + server.add() + "/ready")
                                .expect(200))
                .specification(
                        "A06",
                        "its body names the model and says ready: true",
                        Source.rest("Model Ready Response JSON Object"),
                        server -> {
                            JsonNode body = server.get("/v2/models/" + server.add() + "/ready")
                                    .json();
                            boolean said = body.path("ready").asBoolean()
                                    && body.path("name").asText().equals(server.add());
                            expect("{\"name\":\"" + server.add() + "\",\"ready\":true}", said, body);
                        })
                .specification(
                        "A07",
                        "GET /v2/models/{model}/versions/{version}/ready answers 200",
                        Source.rest("HTTP/REST"),
                        server -> server.get(addVersion(server) + "/ready").expect(200));
    }

    private static void metadata(Checklist list) {
        list.specification(
                        "A08",
                        "GET /v2 has the texts name and version, and a list of extensions",
                        Source.rest("Server Metadata Response JSON Object"),
                        server -> {
                            JsonNode body = server.get("/v2").expect(200).json();
                            boolean good = body.path("name").isTextual()
                                    && body.path("version").isTextual()
                                    && isTexts(body.path("extensions"));
                            expect("name, version and extensions", good, body);
                        })
                .robustness("A09", "GET /v2/ answers as GET /v2 does", Source.rfc(9110, "4.2.3"), server -> {
                    String plain = server.get("/v2").json().toString();
                    String slash = server.get("/v2/").expect(200).json().toString();
                    if (!slash.equals(plain)) {
                        throw new Failure(plain, slash);
                    }
                })
                .specification(
                        "A10",
                        "GET /v2/models/{model} has name, platform, inputs and outputs",
                        Source.rest("Model Metadata Response JSON Object"),
                        server -> expectAdd(
                                server.get("/v2/models/" + server.add())
                                        .expect(200)
                                        .json(),
                                server.add()))
                .specification(
                        "A11",
                        "GET /v2/models/{model}/versions/{version} has them too",
                        Source.rest("Model Metadata"),
                        server -> expectAdd(
                                server.get(addVersion(server)).expect(200).json(), server.add()))
                .specification(
                        "A12",
                        "metadata name each datatype, and -1 for a variable dimension",
                        Source.rest("Model Metadata Response JSON Object"),
                        server -> {
                            for (Datatype type : served(server)) {
                                JsonNode body = server.get("/v2/models/" + server.identity(type))
                                        .expect(200)
                                        .json();
                                for (String side : List.of("inputs", "outputs")) {
                                    JsonNode tensor = body.path(side).path(0);
                                    boolean good = tensor.path("datatype")
                                                    .asText()
                                                    .equals(type.name())
                                            && tensor.path("shape").toString().equals("[-1,-1]");
                                    expect(type + " of shape [-1,-1] in " + side, good, tensor);
                                }
                            }
                        })
                .specification(
                        "A13",
                        "POST /v2/models/{model}/versions/{version}/infer answers",
                        Source.rest("Inference"),
                        server -> {
                            Answer answer = server.postJson(
                                    addVersion(server) + "/infer",
                                    Examples.add().body());
                            Examples.expectSums(InferAnswer.of(answer));
                        });
    }

    private static void unknown(Checklist list) {
        list.specification(
                        "A14",
                        "an unknown model's metadata are refused with an error",
                        Source.rest("Model Metadata Response JSON Error Object"),
                        server -> server.get(UNKNOWN).refused())
                .specification(
                        "A15",
                        "inference with an unknown model is refused with an error",
                        Source.rest("Inference Response JSON Error Object"),
                        server -> server.postJson(
                                        UNKNOWN + "/infer", Examples.add().body())
                                .refused())
                .specification("A16", "an unknown model is not ready", Source.rest("Model Ready"), server -> {
                    Answer answer = server.get(UNKNOWN + "/ready");
                    if (answer.status() == 200) {
                        throw new Failure("another status than 200", answer.toString());
                    }
                })
                .specification(
                        "A17",
                        "an unknown version's metadata are refused with an error",
                        Source.rest("Model Metadata Response JSON Error Object"),
                        server -> server.get("/v2/models/" + server.add() + "/versions/987654321")
                                .refused())
                .specification(
                        "A18",
                        "inference with an unknown version is refused with an error",
                        Source.rest("Inference Response JSON Error Object"),
                        server -> server.postJson(
                                        "/v2/models/" + server.add() + "/versions/987654321/infer",
                                        Examples.add().body())
                                .refused())
                .robustness("A19", "what is unknown is 404", Source.rfc(9110, "15.5.5"), server -> {
                    server.get(UNKNOWN).expect(404);
                    server.get("/v2/models/" + server.add() + "/versions/987654321")
                            .expect(404);
                    server.postJson(UNKNOWN + "/infer", Examples.add().body()).expect(404);
                })
                .robustness(
                        "A20",
                        "the error of an unknown model begins with 'Request for unknown model'",
                        Source.example("simple_http_infer_client.py"),
                        server -> {
                            Answer answer = server.postJson(
                                    UNKNOWN + "/infer", Examples.add().body());
                            boolean good = answer.error().startsWith("Request for unknown model");
                            expect("an error that begins with 'Request for unknown model'", good, answer);
                        });
    }

    private static void http(Checklist list) {
        list.robustness("A21", "a wrong verb is 405", Source.rfc(9110, "15.5.6"), server -> {
                    server.send("DELETE", Server.inferPath(server.add()), BodyPublishers.noBody())
                            .expect(405);
                    server.get(Server.inferPath(server.add())).expect(405);
                    server.post("/v2/health/live", new byte[0]).expect(405);
                })
                .robustness("A22", "a path that is not the protocol's is 404", Source.rfc(9110, "15.5.5"), server -> {
                    server.get("/v2/no/such/path").expect(404);
                })
                .robustness(
                        "A23",
                        "unknown query parameters are ignored",
                        Source.example("simple_http_infer_client.py"),
                        server -> {
                            String query = "?test_1=1&test_2=2";
                            server.get("/v2/health/live" + query).expect(200);
                            server.get("/v2/models/" + server.add() + query).expect(200);
                            Answer answer = server.postJson(
                                    Server.inferPath(server.add()) + query,
                                    Examples.add().body());
                            Examples.expectSums(InferAnswer.of(answer));
                        })
                .robustness("A24", "a model's name may be percent-encoded", Source.rfc(3986, "6.2.2.2"), server -> {
                    String name = server.add();
                    String encoded = "%" + Integer.toHexString(name.charAt(0)) + name.substring(1);
                    server.get("/v2/models/" + encoded).expect(200);
                });
    }

    private static String addVersion(Server server) throws IOException, InterruptedException {
        return "/v2/models/" + server.add() + "/versions/" + server.addVersion();
    }

    private static List<Datatype> served(Server server) throws IOException, InterruptedException {
        List<Datatype> served = new ArrayList<>();
        for (Datatype type : Datatype.values()) {
            try {
                String unused = server.identity(type);
                served.add(type);
            } catch (NotApplicable notServed) {
                // has no metadata either
            }
        }
        return served;
    }

    private static void expectAdd(JsonNode body, String name) {
        boolean good = body.path("name").asText().equals(name)
                && body.path("platform").isTextual()
                && (body.path("versions").isMissingNode() || isTexts(body.path("versions")))
                && names(body.path("inputs")).equals(List.of("INPUT0", "INPUT1"))
                && names(body.path("outputs")).equals(List.of("OUTPUT0", "OUTPUT1"));
        expect("name, platform, and inputs and outputs each with name, datatype and shape", good, body);
    }

    /** The names in order of the alphabet, as far as the tensors are whole. */
    private static List<String> names(JsonNode tensors) {
        List<String> names = new ArrayList<>();
        for (JsonNode tensor : tensors) {
            if (tensor.path("datatype").isTextual() && tensor.path("shape").isArray()) {
                names.add(tensor.path("name").asText());
            }
        }
        names.sort(null);
        return names;
    }

    private static boolean isTexts(JsonNode list) {
        if (!list.isArray()) {
            return false;
        }
        for (JsonNode each : list) {
            if (!each.isTextual()) {
                return false;
            }
        }
        return true;
    }

    static void expect(String expected, boolean good, Object seen) {
        if (!good) {
            throw new Failure(expected, seen.toString());
        }
    }
}
