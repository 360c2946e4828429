/**
 * Devices, and what runs on them: a managed executor and a guard for each, permits, states. Uses {@code scheduling},
 * {@code engine} and {@code core}.
 */
@NullMarked
package io.atelier.device;

import org.jspecify.annotations.NullMarked;
