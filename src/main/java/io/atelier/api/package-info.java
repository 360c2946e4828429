/**
 * HTTP. Turns bodies into domain values and back, says every failure in one form, and decides nothing about serving:
 * what it asks is {@link io.atelier.serving.InferenceService}. Nothing depends on this package.
 *
 * <p>A request stays on its event loop unless its body or its answer is large; then that one step runs on the worker
 * pool ({@link io.atelier.api.Exchange}). No thread ever waits.
 */
@NullMarked
package io.atelier.api;

import org.jspecify.annotations.NullMarked;
