package io.atelier.engine;

import org.jspecify.annotations.Nullable;

/** A model that cannot be served; the message tells an operator why. */
public class ModelLoadException extends Exception {
    private static final long serialVersionUID = 1;

    public ModelLoadException(String reason) {
        super(reason);
    }

    public ModelLoadException(String reason, @Nullable Throwable cause) {
        super(reason, cause);
    }

    /** Why, for people. */
    public String reason() {
        return String.valueOf(getMessage());
    }
}
