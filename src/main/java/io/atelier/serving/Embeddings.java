package io.atelier.serving;

import io.atelier.core.ModelId;
import java.util.List;

/**
 * One vector for each text, in order; each of length 1.
 *
 * @param tokens tokens that were read, special ones included
 */
public record Embeddings(ModelId model, List<float[]> vectors, long tokens) {}
