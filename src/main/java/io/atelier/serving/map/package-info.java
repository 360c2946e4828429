/** Streams of requests: a window of them on their way, answered in their order. Knows nothing of HTTP. */
@NullMarked
package io.atelier.serving.map;

import org.jspecify.annotations.NullMarked;
