package io.atelier.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/**
 * What the machine can do at most: ONNX Runtime in a loop, without HTTP, queue or DJL. A service's throughput is
 * reported as a share of this.
 *
 * <p>All callers share one session, one intra-op thread per run and no spinning. Inputs are made once and outputs are
 * closed unread, so only native work and its call are counted. Rows hold random word pieces without padding.
 *
 * <pre>{@code CeilingBench [--model FILE] [--batches 1,8] [--tokens 32] [--callers 2] [--warmup 2] [--seconds 5] [--json]}</pre>
 *
 * <p>Without {@code --model} it runs the MiniLM of the class path. Times are seconds per batch size. CPU time is the
 * whole process's, so it includes the JVM's own threads.
 */
public final class CeilingBench {

    private static final String EMBEDDED_MODEL = "/all-minilm-l6-v2-q.onnx";
    private static final long SEED = 42;

    /** Word pieces of BERT's vocabulary proper; special and unused tokens stand outside. */
    private static final long FIRST_WORD = 1996;

    private static final long END_OF_WORDS = 30522;
    private static final long CLS = 101;
    private static final long SEP = 102;

    private CeilingBench() {}

    /**
     * What is measured.
     *
     * @param model   the ONNX file; empty means the class path's MiniLM
     * @param batches rows per run, one measurement each
     * @param tokens  word pieces per row, the two special ones included
     * @param callers threads that call the session at once
     */
    private record Plan(
            Optional<Path> model,
            List<Integer> batches,
            int tokens,
            int callers,
            Duration warmup,
            Duration time,
            boolean json) {

        static Plan parse(String... args) {
            Map<String, String> options = new HashMap<>();
            for (int i = 0; i < args.length; i++) {
                boolean flag = args[i].equals("--json");
                if (!flag && i + 1 == args.length) {
                    throw new IllegalArgumentException("no value for " + args[i]);
                }
                options.put(args[i], flag ? "true" : args[++i]);
            }
            Plan plan = new Plan(
                    Optional.ofNullable(options.remove("--model")).map(Path::of),
                    Stream.of(take(options, "--batches", "1,2,4,8,16,32").split(",", -1))
                            .map(Integer::valueOf)
                            .toList(),
                    Integer.parseInt(take(options, "--tokens", "32")),
                    Integer.parseInt(take(options, "--callers", "2")),
                    Duration.ofSeconds(Long.parseLong(take(options, "--warmup", "2"))),
                    Duration.ofSeconds(Long.parseLong(take(options, "--seconds", "5"))),
                    Boolean.parseBoolean(take(options, "--json", "false")));
            if (!options.isEmpty()) {
                throw new IllegalArgumentException("unknown options " + options.keySet());
            }
            return plan;
        }

        private static String take(Map<String, String> options, String name, String byDefault) {
            String value = options.remove(name);
            return value == null ? byDefault : value;
        }

        byte[] readModel() throws IOException {
            if (model.isPresent()) {
                return Files.readAllBytes(model.get());
            }
            try (InputStream embedded = CeilingBench.class.getResourceAsStream(EMBEDDED_MODEL)) {
                if (embedded == null) {
                    throw new IllegalArgumentException("no " + EMBEDDED_MODEL + " on the class path: name a --model");
                }
                return embedded.readAllBytes();
            }
        }
    }

    /** One measured stretch; {@code cpuNanos} is the process's. */
    private record Measurement(int batch, long sentences, long wallNanos, long cpuNanos) {

        double sentencesPerSecond() {
            return sentences * 1e9 / wallNanos;
        }

        double cpuMillisPerSentence() {
            return cpuNanos / 1e6 / sentences;
        }
    }

    public static void main(String[] args) throws Exception {
        Plan plan = Plan.parse(args);
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        ExecutorService callers = Executors.newFixedThreadPool(plan.callers());
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(1);
            options.addConfigEntry("session.intra_op.allow_spinning", "0");
            try (OrtSession session = environment.createSession(plan.readModel(), options)) {
                if (!plan.json()) {
                    System.out.printf(
                            Locale.ROOT,
                            "ONNX Runtime %s, %d callers x 1 thread, %d tokens%n%n%s%n%s%n",
                            environment.getVersion(),
                            plan.callers(),
                            plan.tokens(),
                            "| Batch | Sentences/s | CPU ms per sentence |",
                            "| ---: | ---: | ---: |");
                }
                for (int batch : plan.batches()) {
                    print(measure(session, environment, plan, batch, callers), plan, environment.getVersion());
                }
            }
        } finally {
            callers.shutdown();
        }
    }

    private static Measurement measure(
            OrtSession session, OrtEnvironment environment, Plan plan, int batch, ExecutorService callers)
            throws OrtException, InterruptedException, ExecutionException {
        Map<String, OnnxTensor> inputs = inputs(session, environment, batch, plan.tokens());
        try {
            stretch(session, inputs, batch, plan.callers(), plan.warmup(), callers);
            return stretch(session, inputs, batch, plan.callers(), plan.time(), callers);
        } finally {
            inputs.values().forEach(OnnxTensor::close);
        }
    }

    /** Runs every caller until the time is up; the clock stops when the last of them has finished its last run. */
    private static Measurement stretch(
            OrtSession session,
            Map<String, OnnxTensor> inputs,
            int batch,
            int callerCount,
            Duration time,
            ExecutorService callers)
            throws InterruptedException, ExecutionException {
        OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        long cpuBefore = system.getProcessCpuTime();
        long start = System.nanoTime();
        Callable<Long> caller = () -> {
            long runs = 0;
            while (System.nanoTime() - start < time.toNanos()) {
                session.run(inputs).close();
                runs++;
            }
            return runs;
        };
        List<Callable<Long>> work = new ArrayList<>();
        for (int i = 0; i < callerCount; i++) {
            work.add(caller);
        }
        long runs = 0;
        for (Future<Long> done : callers.invokeAll(work)) {
            runs += done.get();
        }
        return new Measurement(batch, runs * batch, System.nanoTime() - start, system.getProcessCpuTime() - cpuBefore);
    }

    /** Tensors of shape [batch, tokens] for the BERT inputs that the model declares. */
    private static Map<String, OnnxTensor> inputs(OrtSession session, OrtEnvironment environment, int batch, int tokens)
            throws OrtException {
        SplittableRandom random = new SplittableRandom(SEED);
        long[] shape = {batch, tokens};
        Map<String, OnnxTensor> inputs = new HashMap<>();
        for (String name : session.getInputNames()) {
            LongBuffer values = LongBuffer.allocate(batch * tokens);
            for (int i = 0; i < values.capacity(); i++) {
                values.put(
                        i,
                        switch (name) {
                            case "input_ids" -> wordPiece(i % tokens, tokens, random);
                            case "attention_mask" -> 1;
                            case "token_type_ids" -> 0;
                            default -> throw new IllegalArgumentException("not an input of BERT: " + name);
                        });
            }
            inputs.put(name, OnnxTensor.createTensor(environment, values, shape));
        }
        return inputs;
    }

    private static long wordPiece(int position, int tokens, SplittableRandom random) {
        if (position == 0) {
            return CLS;
        }
        return position == tokens - 1 ? SEP : random.nextLong(FIRST_WORD, END_OF_WORDS);
    }

    private static void print(Measurement measured, Plan plan, String runtime) {
        String format = plan.json()
                ? "{\"runtime\":\"%4$s\",\"callers\":%5$d,\"tokens\":%6$d,\"batch\":%1$d,"
                        + "\"sentences_per_second\":%2$.2f,\"cpu_ms_per_sentence\":%3$.3f}%n"
                : "| %1$d | %2$.0f | %3$.2f |%n";
        System.out.printf(
                Locale.ROOT,
                format,
                measured.batch(),
                measured.sentencesPerSecond(),
                measured.cpuMillisPerSentence(),
                runtime,
                plan.callers(),
                plan.tokens());
    }
}
