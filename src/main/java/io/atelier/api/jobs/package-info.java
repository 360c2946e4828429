/** Requests that were accepted to be answered later: asked after, fetched, cancelled. */
@NullMarked
package io.atelier.api.jobs;

import org.jspecify.annotations.NullMarked;
