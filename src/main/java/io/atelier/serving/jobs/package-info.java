/**
 * Requests that nobody waits for: accepted, run when there is room, kept for a while. Knows nothing of HTTP; an answer
 * is bytes.
 */
@NullMarked
package io.atelier.serving.jobs;

import org.jspecify.annotations.NullMarked;
