/** What tests share: clocks that are moved by hand, an engine whose misbehaviour is under the test's control. */
@NullMarked
package io.atelier.testing;

import org.jspecify.annotations.NullMarked;
