package io.atelier.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;

/** H: the schedule policy. I: ids, outputs and what else a request may say. */
final class RequestChecks {
    private static final String POLICY = "schedule_policy";
    private static final Source SCHEDULE = Source.extension("schedule_policy", "Schedule Policy Extension");
    private static final Source REQUEST = Source.rest("Inference Request JSON Object");
    /** Too late, as Triton says it, as HTTP says it; or the server knows that it would be, and says when to come back. */
    private static final Set<Integer> TOO_LATE = Set.of(503, 504, 429);

    private RequestChecks() {}

    static List<Check> checks() {
        Checklist list = new Checklist();
        schedule(list);
        ids(list);
        outputs(list);
        others(list);
        return list.checks();
    }

    private static void schedule(Checklist list) {
        list.extension(
                        POLICY,
                        "H01",
                        "a timeout of one microsecond is refused, and not executed",
                        SCHEDULE,
                        RequestChecks::tooLate)
                .extension(POLICY, "H02", "a request with a priority and a timeout is answered", SCHEDULE, server -> {
                    for (int priority = 0; priority < 3; priority++) {
                        Examples.expectSums(server.infer(
                                server.add(),
                                Examples.add().parameter("priority", priority).parameter("timeout", 30_000_000)));
                    }
                });
    }

    private static void tooLate(Server server) throws IOException, InterruptedException {
        boolean counted = server.claims(StatisticsChecks.NAME);
        long before = counted ? StatisticsChecks.executions(server) : 0;
        Answer answer = server.post(server.add(), Examples.add().parameter("timeout", 1));
        answer.refusedWith(TOO_LATE);
        PathChecks.expect(
                "Retry-After beside 429", answer.status() != 429 || answer.header("retry-after") != null, answer);
        long after = counted ? StatisticsChecks.executions(server) : 0;
        PathChecks.expect("execution_count " + before, after == before, after);
    }

    private static void ids(Checklist list) {
        list.specification("I01", "an id comes back", REQUEST, server -> id(server, "request 42"))
                .specification("I02", "an id beyond ASCII comes back", REQUEST, server -> id(server, "Größe \"日本\" 🎻"))
                .specification("I03", "an empty id comes back, or none", REQUEST, server -> {
                    JsonNode id = server.infer(server.add(), Examples.add().id(""))
                            .json()
                            .path("id");
                    PathChecks.expect("an empty id, or none", id.asText().isEmpty(), id);
                })
                .specification(
                        "I04",
                        "without an id none comes back",
                        Source.rest("Inference Response JSON Object"),
                        server -> {
                            JsonNode id = server.infer(server.add(), Examples.add())
                                    .json()
                                    .path("id");
                            PathChecks.expect(
                                    "no id, or an empty one", id.asText().isEmpty(), id);
                        });
    }

    private static void id(Server server, String id) throws IOException, InterruptedException {
        JsonNode seen = server.infer(server.add(), Examples.add().id(id)).json().path("id");
        PathChecks.expect("id " + id, seen.asText().equals(id), seen);
    }

    private static void outputs(Checklist list) {
        Source output = Source.rest("Request Output");
        list.specification("I05", "without outputs all come back", REQUEST, server -> {
                    List<String> names =
                            server.infer(server.add(), Examples.add()).names();
                    PathChecks.expect(
                            "OUTPUT0 and OUTPUT1",
                            names.size() == 2
                                    && names.contains(Examples.OUTPUT)
                                    && names.contains(Examples.SECOND_OUTPUT),
                            names);
                })
                .specification(
                        "I06",
                        "only the outputs that are asked for come back",
                        output,
                        server -> expectOutputs(
                                server.infer(server.add(), Examples.add().output(Examples.SECOND_OUTPUT)),
                                Examples.SECOND_OUTPUT))
                .robustness("I07", "outputs come back in the order in which they are asked for", output, server -> {
                    InferRequest request =
                            Examples.add().output(Examples.SECOND_OUTPUT).output(Examples.OUTPUT);
                    expectOutputs(server.infer(server.add(), request), Examples.SECOND_OUTPUT, Examples.OUTPUT);
                });
    }

    private static void expectOutputs(InferAnswer answer, String... expected) {
        List<String> names = answer.names();
        PathChecks.expect("outputs " + List.of(expected), names.equals(List.of(expected)), names);
    }

    private static void others(Checklist list) {
        list.specification(
                        "I08",
                        "inputs may stand in any order",
                        REQUEST,
                        server -> Examples.expectSums(server.infer(
                                server.add(),
                                new InferRequest().input(Examples.second()).input(Examples.first()))))
                .robustness("I09", "an input's fields may stand in any order", Source.rfc(8259, "4"), server -> {
                    String body = """
                            {"inputs": [{"data": [1, 2, 3], "shape": [1, 3], "datatype": "FP32", "name": "INPUT0"}]}""";
                    Answer answer = server.postJson(
                            Server.inferPath(server.identity(Datatype.FP32)), body.getBytes(StandardCharsets.UTF_8));
                    InferAnswer.of(answer).expect(Examples.OUTPUT, Datatype.FP32, List.of(1f, 2f, 3f));
                })
                .robustness("I10", "parameters that nobody knows are ignored", Source.rest("Parameters"), server -> {
                    InferRequest request = Examples.add()
                            .parameter("no_such_text", JsonNodeFactory.instance.textNode("x"))
                            .parameter("no_such_number", 5)
                            .parameter("no_such_flag", true);
                    Examples.expectSums(server.infer(server.add(), request));
                })
                .specification("I11", "several rows are one batch", Source.rest("Request Input"), server -> {
                    List<Object> rows = Datatype.FP32.sample();
                    server.infer(
                                    server.identity(Datatype.FP32),
                                    new InferRequest().input(Tensor.of(Examples.INPUT, Datatype.FP32, rows, 6, 1)))
                            .expect(Examples.OUTPUT, Datatype.FP32, rows);
                });
    }
}
