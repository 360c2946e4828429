package io.atelier.serving.map;

import io.atelier.core.InferenceRequest;
import java.time.Duration;

/**
 * How much of a stream is on its way at once, and how its requests are treated. Immutable.
 *
 * @param window       most requests of one stream, from being read until their answer is being sent
 * @param windowBytes  no more is read while they hold so much
 * @param maxLineBytes longest request
 * @param maxStreams   most streams at once
 * @param timeout      how long a request may take when its caller does not ask for less
 * @param priority     level of those that ask for none
 */
public record MapPolicy(
        int window, long windowBytes, int maxLineBytes, int maxStreams, Duration timeout, int priority) {
    public MapPolicy {
        if (window < 1 || windowBytes < 1 || maxLineBytes < 1 || maxStreams < 1) {
            throw new IllegalArgumentException("window " + window + " of " + windowBytes + " bytes, lines of "
                    + maxLineBytes + " bytes, " + maxStreams + " streams: all must be at least 1");
        }
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("timeout is " + timeout + ", must be positive");
        }
        if (priority < 1 || priority > InferenceRequest.LOWEST_PRIORITY) {
            throw new IllegalArgumentException(
                    "priority is " + priority + ", must be 1 to " + InferenceRequest.LOWEST_PRIORITY);
        }
    }
}
