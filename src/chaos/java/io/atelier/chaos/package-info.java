/**
 * An engine that can be made to fail, and a plain queue to compare with. Only the Maven profile {@code chaos} compiles
 * this; the service itself has no such hooks.
 */
@NullMarked
package io.atelier.chaos;

import org.jspecify.annotations.NullMarked;
