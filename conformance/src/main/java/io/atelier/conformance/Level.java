package io.atelier.conformance;

import java.util.Locale;

/** What a check demands, and of whom. */
public enum Level {
    /** The specification says so. */
    SPECIFICATION,
    /** An extension says so that the server claims in {@code GET /v2}. */
    EXTENSION,
    /** HTTP, a stock client or common sense says so. */
    ROBUSTNESS;

    static Level byName(String name) {
        for (Level level : values()) {
            if (level.word().equals(name)) {
                return level;
            }
        }
        throw new IllegalArgumentException("'" + name + "' is not specification, extension or robustness");
    }

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
