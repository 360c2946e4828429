package io.atelier.serving;

import org.jspecify.annotations.Nullable;

/**
 * How a model version stands.
 *
 * @param version null for a folder of which no version is known
 * @param reason  why it does not serve, or serves one request at a time, for people; empty if there is nothing to say
 */
public record ModelState(String name, @Nullable String version, State state, String reason) {
    /** Triton's states. */
    public enum State {
        LOADING,
        READY,
        UNLOADING,
        UNAVAILABLE
    }
}
