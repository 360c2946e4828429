/** Requests that are nearly right, by the million. A seed makes the same ones again. */
@NullMarked
package io.atelier.fuzz;

import org.jspecify.annotations.NullMarked;
