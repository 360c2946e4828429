package io.atelier.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What another process of ours on this machine holds.
 *
 * @param residentMib of the whole process; 0 where the system does not say
 * @param heapMib     in use after a full collection; 0 of a native executable, which cannot be asked
 */
public record ProcessMemory(double residentMib, double heapMib) {
    private static final Pattern RESIDENT = Pattern.compile("VmRSS:\\s+(\\d+) kB");
    private static final Pattern USED = Pattern.compile("(?:garbage-first heap|Heap).*?used (\\d+)K", Pattern.DOTALL);

    /** Of a JVM: collects its garbage and looks. */
    public static ProcessMemory of(long pid) throws IOException, InterruptedException {
        String unused = jcmd(pid, "GC.run");
        double heap = mib(USED, jcmd(pid, "GC.heap_info"));
        return new ProcessMemory(resident(pid), heap);
    }

    /** Of a native executable, which a JVM's tool would end. */
    public static ProcessMemory ofNative(long pid) throws IOException {
        return new ProcessMemory(resident(pid), 0);
    }

    private static double resident(long pid) throws IOException {
        Path status = Path.of("/proc/" + pid + "/status");
        return Files.exists(status) ? mib(RESIDENT, Files.readString(status)) : 0;
    }

    private static double mib(Pattern kibibytes, String text) {
        Matcher matcher = kibibytes.matcher(text);
        if (!matcher.find()) {
            throw new IllegalStateException("no " + kibibytes + " in " + text);
        }
        return Long.parseLong(matcher.group(1)) / 1024.0;
    }

    private static String jcmd(long pid, String command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(), Long.toString(pid), command)
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        if (process.waitFor() != 0) {
            throw new IllegalStateException(output);
        }
        return output;
    }

    @Override
    public String toString() {
        return "resident %.0f MiB, heap %.1f MiB".formatted(residentMib, heapMib);
    }
}
