package io.atelier.api.oip;

import io.atelier.core.InferenceRequest;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What an infer request's body says. Immutable.
 *
 * @param request the question, checked against the model
 * @param timeout {@code parameters.timeout}; null if the caller did not say
 */
record PredictRequest(InferenceRequest request, @Nullable Duration timeout) {}
