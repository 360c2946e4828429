package io.atelier.core;

/** Why a request was not answered with a result; owns the HTTP status and the title that callers read. */
public enum ErrorCode {
    INVALID_INPUT(400, "Invalid input"),
    /** A model could not be loaded; what served before goes on. The status is the one of Triton. */
    LOAD_FAILED(400, "Load failed"),
    UNAUTHENTICATED(401, "Unauthenticated"),
    FORBIDDEN(403, "Forbidden"),
    MODEL_NOT_FOUND(404, "Model not found"),
    PAYLOAD_TOO_LARGE(413, "Payload too large"),
    UNSUPPORTED_MEDIA_TYPE(415, "Unsupported media type"),
    OVERLOADED(429, "Overloaded"),
    /** The caller went away; nobody reads the answer. The status is nginx's, for logs and metrics. */
    CANCELLED(499, "Cancelled"),
    ENGINE_FAILURE(500, "Engine failure"),
    NOT_READY(503, "Not ready"),
    /** A request waited in the queue as long as its model lets it. The status is the one of Triton. */
    QUEUE_TIMEOUT(503, "Queue timeout"),
    DEADLINE_EXCEEDED(504, "Deadline exceeded");

    private final int status;
    private final String title;

    ErrorCode(int status, String title) {
        this.status = status;
        this.title = title;
    }

    public int status() {
        return status;
    }

    public String title() {
        return title;
    }
}
