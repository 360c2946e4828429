package io.atelier.core;

/**
 * How a request fits into batches.
 *
 * @param rows     rows that it adds; at least 1
 * @param elements elements of all its inputs, the measure of its cost; at least 1
 * @param key      requests with equal keys may share a batch
 */
public record BatchShape(int rows, long elements, Object key) {}
