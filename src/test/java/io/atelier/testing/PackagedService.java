package io.atelier.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The packaged service as a process of its own, on a free port. What it prints is kept, and can be waited for. Closing
 * it kills it.
 */
public final class PackagedService implements AutoCloseable {
    private static final Path JAR = Path.of("target", "quarkus-app", "quarkus-run.jar");
    private static final Pattern LISTENING = Pattern.compile("Listening on: http://[^:]+:(\\d+)");
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

    /** Starts it with options of the JVM, such as {@code -Xmx256m}, and these system properties. */
    public static PackagedService start(List<String> options, String... properties) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.add("-Dquarkus.http.port=0");
        Arrays.stream(properties).forEach(property -> command.add("-D" + property));
        command.add("-jar");
        command.add(JAR.toString());
        return new PackagedService(
                new ProcessBuilder(command).redirectErrorStream(true).start());
    }

    /** Returns the port, when the service listens and its models are loaded. */
    public int awaitLoaded() throws InterruptedException {
        Matcher listening = awaitPrinted(LISTENING);
        awaitPrinted(LOADED);
        return Integer.parseInt(listening.group(1));
    }

    public long pid() {
        return process.pid();
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
