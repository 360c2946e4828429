package io.atelier.api.kserve;

import io.atelier.core.InferenceRequest;

/**
 * What a prediction's body asks. Immutable.
 *
 * @param byRow whether the answer is wanted row by row, as the question came
 */
record Prediction(InferenceRequest request, boolean byRow) {}
