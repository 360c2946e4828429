package io.atelier.repository;

/** A configuration that cannot be used; the message names the file, the key and what is allowed. */
final class ModelConfigException extends Exception {
    private static final long serialVersionUID = 1;

    ModelConfigException(String file, String problem) {
        super(file + ": " + problem);
    }

    /** @param problem that is none of a configuration's keys */
    ModelConfigException(String problem) {
        super(problem);
    }

    String reason() {
        return String.valueOf(getMessage());
    }
}
