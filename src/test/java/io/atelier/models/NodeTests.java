package io.atelier.models;

import static java.nio.charset.StandardCharsets.UTF_8;

import ai.onnxruntime.OrtException;
import io.atelier.models.InferClient.Answer;
import io.atelier.models.InferClient.Form;
import io.atelier.models.OnnxFiles.Declared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/**
 * ONNX's own backend tests through the packaged service: each is a model that is loaded, asked alone in JSON and by several
 * callers at once in binary, and unloaded; each outcome is held against ONNX Runtime's own. Writes a page, and exits with 1
 * if any answer was wrong or the service ended.
 *
 * <pre>{@code NodeTests --jar JAR --onnx-data DIR --page FILE [--only PART-OF-NAME]}</pre>
 */
public final class NodeTests {
    private static final int CALLERS = 8;
    private static final int THROWS = 4;
    private static final int LONGEST_REASON = 200;

    private enum Outcome {
        SAME("answered as ONNX Runtime answers"),
        NEITHER("refused by the service and by ONNX Runtime"),
        NOT_ASKED("cannot be asked: an input is no tensor, or of a type that the protocol does not have"),
        REFUSED("refused by the service, run by ONNX Runtime"),
        WRONG("answered wrongly"),
        ENDED("the service ended or did not answer");

        final String words;

        Outcome(String words) {
            this.words = words;
        }
    }

    private record Row(String name, Outcome outcome, String reason) {}

    /** What ONNX Runtime says of one set of inputs. */
    private record Right(List<Value> outputs, boolean random) {}

    private final ModelService service;
    private final ExecutorService callers = Executors.newFixedThreadPool(CALLERS);

    private NodeTests(ModelService service) {
        this.service = service;
    }

    public static void main(String... arguments) throws Exception {
        Map<String, String> options = new HashMap<>();
        for (int i = 0; i + 1 < arguments.length; i += 2) {
            options.put(arguments[i], arguments[i + 1]);
        }
        String only = options.getOrDefault("--only", "");
        List<NodeTest> tests = NodeTest.under(Path.of(options.getOrDefault("--onnx-data", "."))).stream()
                .filter(test -> test.name().contains(only))
                .toList();
        List<Row> rows = new ArrayList<>();
        try (ModelService service = new ModelService(
                Path.of(options.getOrDefault("--jar", "")),
                "atelier.slots=1",
                "atelier.batching.max-queue-delay=2MS")) {
            NodeTests run = new NodeTests(service);
            for (NodeTest test : tests) {
                Row row = run.row(test);
                rows.add(row);
                if (row.outcome() != Outcome.SAME) {
                    System.out.println(row.outcome() + " " + row.name() + ": " + row.reason());
                }
            }
            run.callers.shutdownNow();
        }
        Map<Outcome, Long> counts = counts(rows);
        System.out.println(counts);
        if (options.containsKey("--page")) {
            Files.writeString(Path.of(options.get("--page")), page(rows, counts));
        }
        System.exit(counts.getOrDefault(Outcome.WRONG, 0L) + counts.getOrDefault(Outcome.ENDED, 0L) == 0 ? 0 : 1);
    }

    private Row row(NodeTest test) throws Exception {
        try {
            return judge(test);
        } catch (IOException | ExecutionException unanswered) {
            String alive = service.isAlive() ? "it did not answer: " : "it ended: ";
            service.restart();
            return new Row(test.name(), Outcome.ENDED, alive + unanswered);
        }
    }

    private Row judge(NodeTest test) throws Exception {
        byte[] model = test.bytes();
        List<Declared> declared = OnnxFiles.inputs(model);
        String name =
                String.valueOf(Objects.requireNonNull(test.model().getParent()).getFileName());
        try {
            Optional<String> notLoaded = service.load(name, test.model(), "").map(reason -> "not loaded: " + reason);
            List<Row> rows = new ArrayList<>();
            for (List<byte[]> files : test.sets()) {
                rows.add(judge(test.name(), name, model, declared, files, notLoaded));
            }
            return rows.stream()
                    .max(Comparator.comparing(Row::outcome))
                    .orElseGet(() -> new Row(test.name(), Outcome.NOT_ASKED, "it has no inputs"));
        } finally {
            service.unload(name);
        }
    }

    private Row judge(
            String test,
            String model,
            byte[] onnx,
            List<Declared> declared,
            List<byte[]> files,
            Optional<String> notLoaded)
            throws Exception {
        List<Value> inputs = new ArrayList<>();
        for (int i = 0; i < files.size(); i++) {
            if (!declared.get(i).isTensor()) {
                String reason =
                        "input '%s' is no tensor".formatted(declared.get(i).name());
                return new Row(test, notLoaded.isPresent() ? Outcome.NOT_ASKED : Outcome.WRONG, reason);
            }
            try {
                inputs.add(OnnxFiles.tensor(declared.get(i), files.get(i)));
            } catch (IllegalArgumentException noSuchType) {
                return new Row(
                        test,
                        notLoaded.isPresent() ? Outcome.NOT_ASKED : Outcome.WRONG,
                        String.valueOf(noSuchType.getMessage()));
            }
        }
        Right right;
        try {
            right = right(onnx, inputs, files);
        } catch (OrtException refused) {
            if (notLoaded.isPresent()) {
                return new Row(test, Outcome.NEITHER, String.valueOf(refused.getMessage()));
            }
            Answer answer = service.client().infer(model, inputs, Form.BINARY);
            return answer.ok()
                    ? new Row(test, Outcome.WRONG, "answered, ONNX Runtime says " + refused.getMessage())
                    : new Row(test, Outcome.NEITHER, String.valueOf(refused.getMessage()));
        }
        if (notLoaded.isPresent()) {
            return new Row(test, Outcome.REFUSED, notLoaded.get());
        }
        return ask(test, model, inputs, right);
    }

    private Row ask(String test, String model, List<Value> inputs, Right right) throws Exception {
        List<Answer> answers = new ArrayList<>();
        if (Stream.concat(inputs.stream(), right.outputs().stream()).noneMatch(NodeTests::needsBinary)) {
            answers.add(service.client().infer(model, inputs, Form.JSON));
        }
        List<Future<Answer>> together = new ArrayList<>();
        for (int i = 0; i < CALLERS; i++) {
            together.add(callers.submit(() -> service.client().infer(model, inputs, Form.BINARY)));
        }
        for (Future<Answer> answer : together) {
            answers.add(answer.get());
        }
        for (int i = 0; i < answers.size(); i++) {
            Answer answer = answers.get(i);
            if (!answer.ok()) {
                return new Row(test, Outcome.REFUSED, answer.status() + " " + answer.problem());
            }
            Optional<String> difference = right.random()
                    ? Comparison.differenceOfShapes(right.outputs(), answer.outputs())
                    : Comparison.difference(right.outputs(), answer.outputs());
            if (difference.isPresent()) {
                String way = answers.size() > CALLERS && i == 0 ? "in JSON " : "at once ";
                return new Row(test, Outcome.WRONG, way + difference.get());
            }
        }
        return new Row(test, Outcome.SAME, "");
    }

    private static boolean needsBinary(Value value) {
        return value.datatype().equals("FP16") || value.datatype().equals("BF16");
    }

    /** A model that throws dice says something else each time. */
    private static Right right(byte[] onnx, List<Value> inputs, List<byte[]> files) throws OrtException {
        boolean unsigned = inputs.stream()
                .map(Value::datatype)
                .anyMatch(type -> type.equals("UINT16") || type.equals("UINT32") || type.equals("UINT64"));
        byte[] asked = unsigned
                ? OnnxFiles.withInputs(onnx, inputs.stream().map(Value::name).toList(), files)
                : onnx;
        List<Value> given = unsigned ? List.of() : inputs;
        try (OnnxRuntime alone = new OnnxRuntime(asked)) {
            List<Value> once = alone.run(given);
            boolean random = false;
            for (int i = 0; i < THROWS; i++) {
                random |= Comparison.difference(once, alone.run(given)).isPresent();
            }
            return new Right(once, random);
        }
    }

    private static Map<Outcome, Long> counts(List<Row> rows) {
        Map<Outcome, Long> counts = new EnumMap<>(Outcome.class);
        for (Outcome outcome : Outcome.values()) {
            counts.put(
                    outcome,
                    rows.stream().filter(row -> row.outcome() == outcome).count());
        }
        return counts;
    }

    private static String page(List<Row> rows, Map<Outcome, Long> counts) {
        StringBuilder page = new StringBuilder("""
                # ONNX's own tests, through the service

                To see whether the service answers what ONNX Runtime answers, operator by operator, on your machine:

                ```shell
                mvn -q package -DskipTests && scripts/onnx-node-tests.sh
                ```

                The tests are ONNX's backend tests, as Debian's `libonnx-testdata` has them; `--onnx-data DIR` takes them from elsewhere. Each model is put into a repository and loaded, asked with the test's own inputs in JSON, asked by %d callers at once in binary, and unloaded. What comes is held against ONNX Runtime, asked with the same inputs by itself; numbers may differ by 1e-4 of the largest in their row. Of a model that throws dice only types and shapes are compared. The command writes this page, and exits with 1 if an answer was wrong or the service ended.

                | Outcome | Tests |
                | --- | ---: |
                """.formatted(CALLERS));
        for (Outcome outcome : Outcome.values()) {
            page.append("| ")
                    .append(outcome.words)
                    .append(" | ")
                    .append(counts.get(outcome))
                    .append(" |\n");
        }
        page.append("| all | ").append(rows.size()).append(" |\n");
        page.append("""

                ## Not the same as ONNX Runtime

                | Test | Outcome | Reason |
                | --- | --- | --- |
                """);
        rows.stream()
                .filter(row -> row.outcome() != Outcome.SAME && row.outcome() != Outcome.NEITHER)
                .forEach(row -> page.append("| `")
                        .append(row.name())
                        .append("` | ")
                        .append(row.outcome().words)
                        .append(" | ")
                        .append(cell(row.reason()))
                        .append(" |\n"));
        page.append("""

                ## Refused by both

                | Test | ONNX Runtime says |
                | --- | --- |
                """);
        rows.stream()
                .filter(row -> row.outcome() == Outcome.NEITHER)
                .forEach(row -> page.append("| `")
                        .append(row.name())
                        .append("` | ")
                        .append(cell(row.reason()))
                        .append(" |\n"));
        return page.toString();
    }

    /** One line without what would end a cell, and not too long. */
    private static String cell(String reason) {
        String line = reason.replaceAll("\\s+", " ")
                .replace("|", "\\|")
                .replace("<", "&lt;")
                .strip();
        return line.getBytes(UTF_8).length <= LONGEST_REASON ? line : line.substring(0, LONGEST_REASON) + "…";
    }
}
