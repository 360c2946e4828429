package io.atelier.core;

import java.util.Locale;

/**
 * Whether requests to a model may share executions, and why, or why not. Immutable.
 *
 * @param extent which requests may
 * @param padded whether inputs of different lengths are filled up to share one
 * @param reason for people: what showed it, or what stands against it
 */
public record Sharing(Extent extent, boolean padded, String reason) {
    /** Which requests may share an execution. From the least to the most. */
    public enum Extent {
        /** None: each is run by itself, as it came. */
        NONE,
        /** Those of one row, each of which is answered as alone. One of more rows is run by itself, as it came. */
        SINGLE_ROWS,
        /** All: each row is answered as alone, so a request may also be cut into parts. */
        ROWS;

        /** The name in what people read, such as {@code single-rows}. */
        public String word() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** All requests may, also those of different lengths. */
    public static Sharing rows(String reason) {
        return new Sharing(Extent.ROWS, true, reason);
    }

    public static Sharing none(String reason) {
        return new Sharing(Extent.NONE, false, reason);
    }

    /** Whether any two requests may share an execution. */
    public boolean isAllowed() {
        return extent != Extent.NONE;
    }

    /** What holds where both hold: of two devices, each has the right to say no. */
    public Sharing and(Sharing other) {
        Sharing lesser = other.extent.compareTo(extent) < 0 ? other : this;
        return new Sharing(
                lesser.extent, padded && other.padded, padded && !other.padded ? other.reason : lesser.reason);
    }
}
