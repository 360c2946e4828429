package io.atelier.serving;

import java.util.SortedMap;

/**
 * What a model version has done since it was loaded first.
 *
 * @param lastRequestMillis when the last request was taken in, in milliseconds since 1970; 0 if none was
 * @param inferences        rows of the requests that were answered with a result
 * @param executions        executions that gave outputs
 * @param success           requests answered with a result, from arrival to answer
 * @param fail              requests answered without one, refused ones included, from arrival to answer
 * @param cancel            those of them whose callers had gone
 * @param queue             requests answered with a result, from arrival to the start of their execution
 * @param compute           requests whose execution gave outputs; each is charged the whole of it
 * @param batches           executions that gave outputs, by their rows
 */
public record ModelCounts(
        long lastRequestMillis,
        long inferences,
        long executions,
        Sum success,
        Sum fail,
        Sum cancel,
        Sum queue,
        Compute compute,
        SortedMap<Integer, Compute> batches) {

    /** How often, and how long in all. */
    public record Sum(long count, long nanos) {}

    /**
     * Executions, by where their time went; the counts are the same.
     *
     * @param input  the requests' inputs were put together for the model
     * @param infer  the model ran
     * @param output its outputs were taken apart
     */
    public record Compute(Sum input, Sum infer, Sum output) {}
}
