/** Who may ask: API keys, where a folder of them is configured. Knows nothing of HTTP. */
@NullMarked
package io.atelier.access;

import org.jspecify.annotations.NullMarked;
