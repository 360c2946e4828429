package io.atelier.api.oip;

import org.jspecify.annotations.Nullable;

/**
 * How one output is written.
 *
 * @param binary         behind the JSON, instead of in it
 * @param classification its best classes instead of itself; null for the output as it is
 */
record OutputForm(boolean binary, @Nullable Classification classification) {
    /** In JSON, as it is. */
    static final OutputForm JSON = new OutputForm(false, null);
}
