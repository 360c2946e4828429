package io.atelier.core;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How inputs of different lengths share a batch: their dynamic axes (all but the first) are filled up.
 *
 * @param values the number to fill with, by name of input; an input that is not named is never padded
 * @param mask   the input that is 1 where there is data and 0 where there is padding; null if the model has none
 * @param isProposal whether nobody said it and it is only the usual way: what does not fit the model is no error, and is
 *                   left away
 */
public record Padding(Map<String, Double> values, @Nullable String mask, boolean isProposal) {
    /** Nothing is padded: only equal shapes share a batch. */
    public static final Padding NONE = new Padding(Map.of(), null);

    public Padding(Map<String, Double> values, @Nullable String mask) {
        this(values, mask, false);
    }

    /** The usual way for models of this kind. */
    public static Padding proposed(Map<String, Double> values, String mask) {
        return new Padding(values, mask, true);
    }

    public Padding {
        values = Map.copyOf(values);
    }
}
