package io.atelier.conformance;

/** The stub does not answer. */
final class StubRefusal extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int status;
    private final String detail;

    StubRefusal(int status, String detail) {
        super(detail);
        this.status = status;
        this.detail = detail;
    }

    int status() {
        return status;
    }

    String detail() {
        return detail;
    }
}
