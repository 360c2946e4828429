/**
 * Measurements started by hand or by {@code scripts/benchmark.py}; no test runs them. Stands outside the order of
 * the packages: nothing imports it.
 */
@NullMarked
package io.atelier.bench;

import org.jspecify.annotations.NullMarked;
