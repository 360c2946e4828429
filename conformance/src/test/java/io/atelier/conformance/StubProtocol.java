package io.atelier.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The stub's paths, models and refusals. Thread-safe: one request at a time. */
final class StubProtocol {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final Pattern MODEL =
            Pattern.compile("/v2/models/([^/]+)(?:/versions/([^/]+))?(?:/(ready|infer|stats|config))?");
    private static final Pattern CONTROL = Pattern.compile("/v2/repository/models/([^/]+)/(load|unload)");

    /** Takes its time; see {@link StubServer}. */
    static final String SLOW = "slow";

    private final Map<String, StubModel> models = new TreeMap<>();
    private final @Nullable Fault fault;
    private final Set<String> extensions;

    StubProtocol(@Nullable Fault fault, Set<String> extensions) {
        this.fault = fault;
        this.extensions = extensions;
        for (Datatype type : Datatype.values()) {
            StubModel identity = StubModel.identity(type);
            models.put(identity.name, identity);
        }
        for (String name : List.of("add", SLOW)) {
            models.put(name, StubModel.add(name));
        }
    }

    synchronized StubAnswer answer(StubRequest request, byte[] body) {
        try {
            if (fault == Fault.QUERY_REFUSED && request.hasQuery()) {
                throw new StubRefusal(400, "what is this query?");
            }
            return route(request, body);
        } catch (StubRefusal refusal) {
            return error(refusal.status(), refusal.detail());
        } catch (Failure malformed) {
            return error(400, "malformed: " + malformed.getMessage());
        }
    }

    /** A client has left behind this request. */
    synchronized void left(StubRequest request) {
        Matcher path = MODEL.matcher(request.path());
        StubModel model = path.matches() ? models.get(path.group(1)) : null;
        if (model != null && "infer".equals(path.group(3))) {
            model.failures++;
        }
    }

    StubAnswer error(int status, String detail) {
        StubAnswer answer = StubAnswer.json(status, JSON.objectNode().put("error", detail));
        return fault == Fault.ERROR_AS_HTML
                ? new StubAnswer(status, Map.of("Content-Type", "text/html"), answer.body())
                : answer;
    }

    private StubAnswer route(StubRequest request, byte[] body) {
        String path = request.path();
        switch (path) {
            case "/v2", "/v2/" -> {
                return get(request, server());
            }
            case "/v2/health/live" -> {
                return get(
                        request,
                        fault == Fault.NO_BODY_OF_LIVE
                                ? JSON.objectNode()
                                : JSON.objectNode().put("live", true));
            }
            case "/v2/health/ready" -> {
                return get(request, JSON.objectNode().put("ready", true));
            }
            case "/v2/models/stats" -> {
                return get(request, statistics(models.values()));
            }
            case "/v2/repository/index" -> {
                return index(request, body);
            }
            default -> {
                // has names in it
            }
        }
        Matcher control = CONTROL.matcher(path);
        if (control.matches()) {
            return control(request, control.group(1), control.group(2));
        }
        Matcher model = MODEL.matcher(path);
        if (model.matches()) {
            return model(request, body, model);
        }
        throw new StubRefusal(404, "nothing is served here");
    }

    private StubAnswer get(StubRequest request, JsonNode body) {
        expectVerb(request, "GET");
        return StubAnswer.json(200, body);
    }

    private void expectVerb(StubRequest request, String verb) {
        if (!request.method().equals(verb)) {
            throw new StubRefusal(fault == Fault.WRONG_VERB_IS_404 ? 404 : 405, "wrong verb");
        }
    }

    private ObjectNode server() {
        ObjectNode server = JSON.objectNode().put("name", "stub").put("version", "1");
        ArrayNode claimed = server.putArray("extensions");
        extensions.stream().sorted().forEach(claimed::add);
        return server;
    }

    private static ObjectNode statistics(Iterable<StubModel> models) {
        ObjectNode statistics = JSON.objectNode();
        ArrayNode list = statistics.putArray("model_stats");
        models.forEach(model -> list.add(model.statistics()));
        return statistics;
    }

    private StubAnswer model(StubRequest request, byte[] body, Matcher path) {
        String question = path.group(3) == null ? "metadata" : path.group(3);
        if (fault == Fault.UNKNOWN_MODEL_HAS_METADATA
                && question.equals("metadata")
                && !models.containsKey(path.group(1))) {
            return StubAnswer.json(200, JSON.objectNode());
        }
        expectVerb(request, question.equals("infer") ? "POST" : "GET");
        StubModel model = models.get(path.group(1));
        String version = path.group(2);
        if (model == null || (version != null && !version.equals("1") && fault != Fault.ANY_VERSION)) {
            throw new StubRefusal(
                    fault == Fault.UNKNOWN_IS_400 ? 400 : 404,
                    (fault == Fault.ERROR_IN_OTHER_WORDS ? "no such model: " : "Request for unknown model: ")
                            + path.group(1));
        }
        return switch (question) {
            case "ready" ->
                StubAnswer.json(
                        model.ready ? 200 : 503,
                        JSON.objectNode().put("name", model.name).put("ready", model.ready));
            case "stats" -> StubAnswer.json(200, statistics(List.of(model)));
            case "config" -> StubAnswer.json(200, model.config());
            case "infer" -> new StubInference(model, fault).answer(request, body);
            default -> metadata(model);
        };
    }

    private StubAnswer metadata(StubModel model) {
        ObjectNode metadata = model.metadata();
        if (fault == Fault.NO_PLATFORM) {
            metadata.remove("platform");
        }
        return StubAnswer.json(200, metadata);
    }

    private StubAnswer index(StubRequest request, byte[] body) {
        expectVerb(request, "POST");
        boolean readyOnly = body.length > 0
                && StubInference.parsed(body, fault).path("ready").asBoolean()
                && fault != Fault.INDEX_OF_EVERYTHING;
        ArrayNode index = JSON.arrayNode();
        models.values()
                .forEach(model -> index.addObject()
                        .put("name", model.name)
                        .put("version", "1")
                        .put("state", model.ready ? "READY" : "UNAVAILABLE")
                        .put("reason", ""));
        if (!readyOnly) {
            index.addObject().put("name", "broken").put("state", "UNAVAILABLE").put("reason", "it is");
        }
        return StubAnswer.json(200, index);
    }

    private StubAnswer control(StubRequest request, String name, String verb) {
        expectVerb(request, "POST");
        StubModel model = models.get(name);
        if (model == null) {
            throw new StubRefusal(400, "failed to load '" + name + "': no such model");
        }
        model.ready = verb.equals("load") || fault == Fault.UNLOAD_DOES_NOTHING;
        return new StubAnswer(200, Map.of(), "".getBytes(UTF_8));
    }
}
