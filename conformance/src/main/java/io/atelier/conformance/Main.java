package io.atelier.conformance;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;

/** The command line: exit code 0 where nothing failed, 1 where something did, 2 where nothing could be asked. */
public final class Main {
    private Main() {}

    public static void main(String... args) throws InterruptedException {
        System.exit(run(System.out, args));
    }

    static int run(PrintStream out, String... args) throws InterruptedException {
        try {
            if (args.length == 2 && args[0].equals("--models")) {
                ModelFiles.writeTo(Path.of(args[1]));
                return 0;
            }
            Options options = Options.parse(args);
            List<Result> results = Suite.run(options, result -> out.println(Reports.line(result)));
            out.println(Reports.summary(results));
            Path report = options.report();
            if (report != null) {
                Reports.write(report, options.url().toString(), results);
            }
            return results.stream().anyMatch(Result::failed) ? 1 : 0;
        } catch (IllegalArgumentException wrong) {
            out.println(wrong.getMessage() + "\n\n" + Options.USAGE);
            return 2;
        } catch (IOException nobody) {
            out.println(nobody);
            return 2;
        }
    }
}
