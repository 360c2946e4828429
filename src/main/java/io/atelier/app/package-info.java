/** The composition root: makes the parts from the configuration, loads models, drains. Uses everything but {@code api}. */
@NullMarked
package io.atelier.app;

import org.jspecify.annotations.NullMarked;
