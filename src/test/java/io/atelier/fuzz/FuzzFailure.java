package io.atelier.fuzz;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A request that was not answered as it should be, and how to send it again. */
record FuzzFailure(long seed, long number, String complaint) {
    /** Keeps the request as a file, and says what to do with it. */
    String keptIn(Path folder) throws IOException {
        Path file = Files.createDirectories(folder).resolve(seed + "-" + number + ".http");
        Files.write(file, Fuzzer.request(seed, number).bytes());
        return "%s%n  again: mvn verify -Pfuzz -Dfuzz.seed=%d -Dfuzz.first=%d -Dfuzz.requests=1%n  or:    nc localhost 8080 < %s"
                .formatted(complaint, seed, number, file);
    }
}
