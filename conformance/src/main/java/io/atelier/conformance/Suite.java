package io.atelier.conformance;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** All checks. */
public final class Suite {
    private Suite() {}

    /** In the order in which they are asked. */
    public static List<Check> checks() {
        return Stream.of(
                        PathChecks.checks(),
                        JsonChecks.checks(),
                        BinaryChecks.checks(),
                        RefusalChecks.checks(),
                        BinaryRefusalChecks.checks(),
                        TransportChecks.checks(),
                        RequestChecks.checks(),
                        ClassificationChecks.checks(),
                        StatisticsChecks.checks(),
                        RepositoryChecks.checks(),
                        AbuseChecks.checks())
                .flatMap(List::stream)
                .toList();
    }

    /**
     * Asks a server, one check after the other.
     *
     * @param heard is told of each result at once
     * @throws IOException if there is no server, or if it has not the models that every check needs
     */
    public static List<Result> run(Options options, Consumer<Result> heard) throws IOException, InterruptedException {
        Server server = new Server(options);
        for (String model : List.of(options.addModel(), options.identityModel().replace("{type}", "fp32"))) {
            Answer ready = server.get("/v2/models/" + model + "/ready");
            if (ready.status() != 200) {
                throw new IOException("the server has no model " + model + ": " + ready);
            }
        }
        List<Result> results = new ArrayList<>();
        for (Check check : checks()) {
            if (options.levels().contains(check.level())) {
                long began = System.nanoTime();
                Verdict verdict = check.verdict(server);
                Result result = new Result(check, verdict, Duration.ofNanos(System.nanoTime() - began));
                results.add(result);
                heard.accept(result);
            }
        }
        return results;
    }
}
