/** Models that feed each other inside the service: how they fit together, and one request's way through them. */
@NullMarked
package io.atelier.serving.pipeline;

import org.jspecify.annotations.NullMarked;
