package io.atelier.api.oip;

import io.atelier.core.InferenceRequest;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an infer request says. Immutable.
 *
 * @param request the question, checked against the model
 * @param timeout {@code parameters.timeout}; null if the caller did not say
 * @param forms   how each of the request's outputs is to be written, in its order
 */
record PredictRequest(InferenceRequest request, @Nullable Duration timeout, List<OutputForm> forms) {
    PredictRequest {
        forms = List.copyOf(forms);
    }
}
