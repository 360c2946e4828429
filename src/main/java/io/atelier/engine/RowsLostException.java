package io.atelier.engine;

/**
 * An execution of several requests gave an output whose first axis is not their rows, so that nobody can say which part
 * is whose. The requests are to be run one by one, and so are all later ones.
 */
public final class RowsLostException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public RowsLostException(String reason) {
        super(reason, null, false, false);
    }

    /** For people. */
    public String reason() {
        return String.valueOf(getMessage());
    }
}
