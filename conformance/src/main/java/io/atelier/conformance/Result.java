package io.atelier.conformance;

import java.time.Duration;

/** A check, what became of it, and how long that took. */
public record Result(Check check, Verdict verdict, Duration took) {
    public boolean failed() {
        return verdict instanceof Verdict.Failed;
    }

    public boolean skipped() {
        return verdict instanceof Verdict.Skipped;
    }
}
