/**
 * Which tickets run next, and together: the bounded waiting line of a model, admission, the forming of batches. Pure
 * Java without threads of its own; uses {@code core} alone.
 */
@NullMarked
package io.atelier.scheduling;

import org.jspecify.annotations.NullMarked;
