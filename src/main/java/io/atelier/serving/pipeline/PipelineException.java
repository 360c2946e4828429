package io.atelier.serving.pipeline;

/** Steps that do not fit together; the message says which, for people. */
public final class PipelineException extends Exception {
    private static final long serialVersionUID = 1;

    public PipelineException(String reason) {
        super(reason);
    }

    public String reason() {
        return String.valueOf(getMessage());
    }
}
