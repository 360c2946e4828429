/** Plain bodies: an image, a text or JSON in, readable JSON out. */
@NullMarked
package io.atelier.api.predict;

import org.jspecify.annotations.NullMarked;
