package io.atelier.conformance;

import static io.atelier.conformance.Reports.escaped;

import java.util.List;
import java.util.Locale;

/** The results as one page that needs nothing else. */
final class HtmlReport {
    private static final String HEAD = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Open Inference Protocol: %1$s</title>
            <style>
            body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
            table { border-collapse: collapse; width: 100%%; }
            th, td { border-bottom: 1px solid #ddd; padding: .35rem .6rem; text-align: left; vertical-align: top; }
            .passed { color: #176d2d; }
            .failed { color: #b00020; font-weight: bold; }
            .skipped { color: #666; }
            .reason { font-family: ui-monospace, monospace; font-size: .85em; overflow-wrap: anywhere; }
            @media (prefers-color-scheme: dark) {
              body { background: #151515; color: #ddd; }
              th, td { border-color: #333; }
              a { color: #8ab4f8; }
              .passed { color: #6fcf87; } .failed { color: #ff7b88; } .skipped { color: #999; }
            }
            </style>
            </head>
            <body>
            <h1>Open Inference Protocol v2</h1>
            <p>%1$s</p>
            <p>%2$s</p>
            <table>
            <thead><tr><th>No.</th><th>Verdict</th><th>Demand</th><th>Level</th><th>Source</th></tr></thead>
            <tbody>
            """;

    private HtmlReport() {}

    static String of(String server, List<Result> results) {
        StringBuilder html = new StringBuilder(HEAD.formatted(escaped(server), escaped(Reports.summary(results))));
        results.forEach(result -> append(result, html));
        return html.append("</tbody>\n</table>\n</body>\n</html>\n").toString();
    }

    private static void append(Result result, StringBuilder html) {
        Check check = result.check();
        Verdict verdict = result.verdict();
        String reason =
                verdict.reason().isEmpty() ? "" : "<div class=\"reason\">" + escaped(verdict.reason()) + "</div>";
        html.append(
                "<tr id=\"%1$s\"><td><a href=\"#%1$s\">%1$s</a></td><td class=\"%2$s\">%2$s</td><td>%3$s%4$s</td><td>%5$s</td><td><a href=\"%6$s\">%7$s</a></td></tr>\n"
                        .formatted(
                                check.number(),
                                verdict.word().toLowerCase(Locale.ROOT),
                                escaped(check.title()),
                                reason,
                                check.level().word(),
                                escaped(check.source().address()),
                                escaped(check.source().toString())));
    }
}
