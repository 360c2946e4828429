/** Values and rules that every other package shares. Imports the JDK alone. */
@NullMarked
package io.atelier.core;

import org.jspecify.annotations.NullMarked;
