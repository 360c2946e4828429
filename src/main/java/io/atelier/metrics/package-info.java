/** Micrometer behind the {@link io.atelier.core.ServingListener}: names, units and labels. Uses {@code core} and {@code nvidia}. */
@NullMarked
package io.atelier.metrics;

import org.jspecify.annotations.NullMarked;
