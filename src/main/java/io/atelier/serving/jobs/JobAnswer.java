package io.atelier.serving.jobs;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a job's caller will read, as it would have been answered at once. Immutable; nobody writes to the body. */
public final class JobAnswer {
    private final int status;
    private final Map<String, String> headers;
    private final byte[] body;
    private final @Nullable String error;

    /**
     * @param body  not copied
     * @param error why there is no result, in words; null if there is one
     */
    public JobAnswer(int status, Map<String, String> headers, byte[] body, @Nullable String error) {
        this.status = status;
        this.headers = Map.copyOf(headers);
        this.body = body;
        this.error = error;
    }

    public int status() {
        return status;
    }

    public Map<String, String> headers() {
        return headers;
    }

    /** Not a copy. */
    public byte[] body() {
        return body;
    }

    public @Nullable String error() {
        return error;
    }
}
