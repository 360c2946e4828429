/**
 * The use case, in one place: find the model, offer the request, watch its deadline, settle it. What {@code api} talks
 * to, and nothing of HTTP.
 */
@NullMarked
package io.atelier.serving;

import org.jspecify.annotations.NullMarked;
