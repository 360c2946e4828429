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
 * @param compute           requests whose execution gave outputs, and its time, which they share
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
        Sum compute,
        SortedMap<Integer, Sum> batches) {

    /** How often, and how long in all. */
    public record Sum(long count, long nanos) {}
}
