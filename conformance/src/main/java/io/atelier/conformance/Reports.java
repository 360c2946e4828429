package io.atelier.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The results for people and for build servers. */
public final class Reports {
    private Reports() {}

    /** One line; of a failure also why, and where it is written. */
    public static String line(Result result) {
        Check check = result.check();
        String line = "%s  %-7s  %s".formatted(check.number(), result.verdict().word(), check.title());
        Verdict verdict = result.verdict();
        if (verdict instanceof Verdict.Failed failed) {
            return line + "\n       expected " + failed.expected() + "\n       seen     " + failed.seen()
                    + "\n       source   " + check.source();
        }
        return verdict.reason().isEmpty() ? line : line + " (" + verdict.reason() + ")";
    }

    /** How many there were of each. */
    public static String summary(List<Result> results) {
        long failed = results.stream().filter(Result::failed).count();
        long skipped = results.stream().filter(Result::skipped).count();
        return "%d checks: %d passed, %d failed, %d skipped"
                .formatted(results.size(), results.size() - failed - skipped, failed, skipped);
    }

    /** Writes {@code conformance.txt}, {@code conformance.xml} and {@code conformance.html}. */
    public static void write(Path folder, String server, List<Result> results) throws IOException {
        Files.createDirectories(folder);
        StringBuilder text = new StringBuilder(server).append('\n');
        results.forEach(result -> text.append(line(result)).append('\n'));
        Files.writeString(
                folder.resolve("conformance.txt"), text.append(summary(results)).append('\n'), UTF_8);
        Files.writeString(folder.resolve("conformance.xml"), JunitReport.of(server, results), UTF_8);
        Files.writeString(folder.resolve("conformance.html"), HtmlReport.of(server, results), UTF_8);
    }

    /** Text as XML and HTML have it; characters that XML has no way to write become question marks. */
    static String escaped(String text) {
        StringBuilder escaped = new StringBuilder();
        text.codePoints().forEach(each -> {
            switch (each) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                default -> escaped.appendCodePoint(isXml(each) ? each : '?');
            }
        });
        return escaped.toString();
    }

    private static boolean isXml(int character) {
        return character >= ' '
                ? character < 0xd800 || (character > 0xdfff && character != 0xfffe && character != 0xffff)
                : character == '\t' || character == '\n' || character == '\r';
    }
}
