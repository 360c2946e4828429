package io.atelier.conformance;

/** A server does not do what a check demands. */
public final class Failure extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final String expected;
    private final String seen;

    Failure(String expected, String seen) {
        super("expected " + expected + ", seen " + seen);
        this.expected = expected;
        this.seen = seen;
    }

    Verdict verdict() {
        return new Verdict.Failed(expected, seen);
    }
}
