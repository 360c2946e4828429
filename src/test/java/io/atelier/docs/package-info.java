/**
 * Tests that hold the pages against the code: what a page shows, names or lists has to be true. Stands outside the
 * order of the packages: nothing imports it.
 */
@NullMarked
package io.atelier.docs;

import org.jspecify.annotations.NullMarked;
