/**
 * The port to what computes: load a model version onto a device, run a batch. A batch crosses it as plain buffers and
 * values, never as live engine objects, so that an engine may live in another process. Uses {@code core} alone.
 */
@NullMarked
package io.atelier.engine;

import org.jspecify.annotations.NullMarked;
