/** The three questions of a probe, {@code /q/health/live}, {@code /ready} and {@code /started}, for Kubernetes. */
@NullMarked
package io.atelier.api.health;

import org.jspecify.annotations.NullMarked;
