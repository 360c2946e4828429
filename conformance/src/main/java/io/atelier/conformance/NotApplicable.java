package io.atelier.conformance;

/** A check demands nothing of this server. */
final class NotApplicable extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final String reason;

    NotApplicable(String reason) {
        super(reason);
        this.reason = reason;
    }

    Verdict verdict() {
        return new Verdict.Skipped(reason);
    }
}
