package io.atelier.repository;

import io.atelier.core.DataType;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A request that a model must answer before it serves, as its owner wrote it down. Immutable.
 *
 * @param name   of the sample, for people; may be empty
 * @param rows   how often each input is repeated along an axis in front of it; 0 where the inputs are whole, since the model
 *     has no rows
 * @param count  how often it is asked; at least 1
 * @param inputs by name
 * @see <a href="https://github.com/triton-inference-server/server/blob/main/docs/user_guide/model_configuration.md#model-warmup">Triton:
 *     model warmup</a>
 */
public record WarmUpRequest(String name, int rows, int count, Map<String, Input> inputs) {
    /** The folder beside the versions in which the files of the data lie. */
    public static final String FOLDER = "warmup";

    public static final int MOST_ROWS = ModelConfig.Batching.LARGEST_BATCH;
    public static final int MOST_TIMES = 10_000;

    public WarmUpRequest {
        inputs = Collections.unmodifiableMap(new LinkedHashMap<>(inputs));
    }

    /**
     * One input.
     *
     * @param shape of the data, without the axis of rows where there are some; no dimension is dynamic
     */
    public record Input(DataType dataType, List<Long> shape, Data data) {
        public Input {
            shape = List.copyOf(shape);
        }
    }

    /** What fills an input. */
    public sealed interface Data {
        /** Zeros, and empty strings. */
        record Zero() implements Data {}

        /** Any values; of strings, empty ones. */
        record Random() implements Data {}

        /**
         * The protocol's raw layout, row-major.
         *
         * @param name of a file in {@link #FOLDER}
         */
        record File(String name) implements Data {}
    }
}
