/** The one tree of configuration, {@code atelier.*}. Depends on nothing; {@code app} turns it into policies. */
@NullMarked
package io.atelier.config;

import org.jspecify.annotations.NullMarked;
