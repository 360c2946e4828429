/**
 * OpenTelemetry behind {@link io.atelier.core.Tracing} and {@link io.atelier.core.ServingListener}: spans, their names and
 * attributes, and how they leave the process. With the composition alone imports {@code io.opentelemetry}. Uses {@code core}.
 */
@NullMarked
package io.atelier.tracing;

import org.jspecify.annotations.NullMarked;
