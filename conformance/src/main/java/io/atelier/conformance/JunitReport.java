package io.atelier.conformance;

import static io.atelier.conformance.Reports.escaped;

import java.time.Duration;
import java.util.List;
import java.util.Locale;

/** The results as build servers read them. */
final class JunitReport {
    private JunitReport() {}

    static String of(String server, List<Result> results) {
        StringBuilder xml = new StringBuilder("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        xml.append(
                "<testsuite name=\"Open Inference Protocol: %s\" tests=\"%d\" failures=\"%d\" errors=\"0\" skipped=\"%d\" time=\"%s\">\n"
                        .formatted(
                                escaped(server),
                                results.size(),
                                results.stream().filter(Result::failed).count(),
                                results.stream().filter(Result::skipped).count(),
                                seconds(results.stream().map(Result::took).reduce(Duration.ZERO, Duration::plus))));
        results.forEach(result -> append(result, xml));
        return xml.append("</testsuite>\n").toString();
    }

    private static void append(Result result, StringBuilder xml) {
        Check check = result.check();
        xml.append("  <testcase classname=\"%s\" name=\"%s %s\" time=\"%s\""
                .formatted(check.level().word(), check.number(), escaped(check.title()), seconds(result.took())));
        String reason = escaped(result.verdict().reason());
        if (result.failed()) {
            xml.append("><failure message=\"%s\">%s</failure></testcase>\n"
                    .formatted(
                            reason,
                            escaped(check.source() + ", " + check.source().address())));
        } else if (result.skipped()) {
            xml.append("><skipped message=\"%s\"/></testcase>\n".formatted(reason));
        } else {
            xml.append("/>\n");
        }
    }

    private static String seconds(Duration duration) {
        return String.format(Locale.ROOT, "%.3f", duration.toNanos() / 1e9);
    }
}
