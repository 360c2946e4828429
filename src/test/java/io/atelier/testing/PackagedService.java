package io.atelier.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;

/**
 * The packaged service as a process of its own, on a free port: the jar or the native executable, whichever was built
 * last. What it prints is kept, and can be waited for. Closing it kills it. For tests that end it, read what it prints or
 * need settings of their own; where the tests are to ask a service that runs already, they are skipped. The others use
 * {@link SuiteService}.
 */
public final class PackagedService implements AutoCloseable {
    private static final Path TARGET = Path.of("target");
    private static final Pattern LISTENING = Pattern.compile("Listening on: http://[^:]+:(\\d+)");
    private static final Pattern LISTENING_TLS = Pattern.compile("https://[^:]+:(\\d+)");
    private static final Pattern LOADED = Pattern.compile("Atelier .* started in ");

    private final Process process;
    private final List<String> printed = new ArrayList<>();
    private final Thread reader;
    private boolean ended;

    private PackagedService(Process process) {
        this.process = process;
        this.reader = new Thread(this::read, "output of the service");
        this.reader.setDaemon(true);
        this.reader.start();
    }

    /** Starts it with these system properties, such as {@code atelier.devices=cpu}. */
    public static PackagedService start(String... properties) throws IOException {
        return start(List.of(), properties);
    }

    /** Starts it with these variables in its environment, and these system properties. */
    public static PackagedService start(Map<String, String> environment, String... properties) throws IOException {
        return start(List.of(), environment, properties);
    }

    /** Starts it with options of the JVM that a native executable has too, such as {@code -Xmx256m}, and these properties. */
    public static PackagedService start(List<String> options, String... properties) throws IOException {
        return start(options, Map.of(), properties);
    }

    private static PackagedService start(List<String> options, Map<String, String> environment, String... properties)
            throws IOException {
        Assumptions.assumeTrue(
                SuiteService.elsewhere().isEmpty(),
                "it starts a service with settings of its own, and -Dquarkus.http.test-host names one that runs already");
        List<String> all = new ArrayList<>(options);
        all.add("-Dquarkus.http.port=0");
        Arrays.stream(properties).forEach(property -> all.add("-D" + property));
        ProcessBuilder builder = new ProcessBuilder(command(all)).redirectErrorStream(true);
        builder.environment().putAll(environment);
        return new PackagedService(builder.start());
    }

    /** Starts this jar of the service, whichever was built last: for programs that compare two. */
    public static PackagedService startJar(Path jar, List<String> options, String... properties) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.add("-Dquarkus.http.port=0");
        Arrays.stream(properties).forEach(property -> command.add("-D" + property));
        command.addAll(List.of("-jar", jar.toString()));
        return new PackagedService(
                new ProcessBuilder(command).redirectErrorStream(true).start());
    }

    /** What an image's health check says of the service on this port: 0 if it lives. */
    public static int health(int port) throws IOException, InterruptedException {
        List<String> command = command(List.of());
        command.add("health");
        ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
        builder.environment().put("QUARKUS_HTTP_PORT", Integer.toString(port));
        return builder.start().waitFor();
    }

    /** Whether a native executable was built last, which knows few of a JVM's options and tools. */
    public static boolean isNative() throws IOException {
        return artifact().getProperty("type").startsWith("native");
    }

    private static Properties artifact() throws IOException {
        Properties artifact = new Properties();
        try (Reader file = Files.newBufferedReader(TARGET.resolve("quarkus-artifact.properties"))) {
            artifact.load(file);
        }
        return artifact;
    }

    private static List<String> command(List<String> options) throws IOException {
        String path = TARGET.resolve(artifact().getProperty("path")).toString();
        List<String> command = new ArrayList<>();
        if (isNative()) {
            command.add(path);
            command.addAll(options);
        } else {
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            command.addAll(options);
            command.addAll(List.of("-jar", path));
        }
        return command;
    }

    /** Returns the port, when the service listens and its models are loaded. */
    public int awaitLoaded() throws InterruptedException {
        Matcher listening = awaitPrinted(LISTENING);
        awaitPrinted(LOADED);
        return Integer.parseInt(listening.group(1));
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    public long pid() {
        return process.pid();
    }

    /** The port of HTTPS, once the service listens. */
    public int awaitTlsPort() throws InterruptedException {
        return Integer.parseInt(awaitPrinted(LISTENING_TLS).group(1));
    }

    /** SIGTERM. */
    public void terminate() {
        process.destroy();
    }

    /** The exit code, once the process has ended. */
    public int awaitExit() throws InterruptedException {
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            throw new AssertionError("it has not ended:\n" + output());
        }
        reader.join();
        return process.exitValue();
    }

    /** All that was printed. */
    public synchronized String output() {
        return String.join("\n", printed);
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    private synchronized Matcher awaitPrinted(Pattern pattern) throws InterruptedException {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(90);
        for (int next = 0; ; next++) {
            while (next == printed.size()) {
                long left = until - System.nanoTime();
                if (left <= 0 || ended) {
                    throw new AssertionError("it did not print " + pattern + ":\n" + output());
                }
                TimeUnit.NANOSECONDS.timedWait(this, left);
            }
            Matcher matcher = pattern.matcher(printed.get(next));
            if (matcher.find()) {
                return matcher;
            }
        }
    }

    private void read() {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                print(line);
            }
        } catch (IOException closed) {
            print("(" + closed.getMessage() + ")");
        }
        end();
    }

    private synchronized void end() {
        ended = true;
        notifyAll();
    }

    private synchronized void print(String line) {
        printed.add(line);
        notifyAll();
    }
}
