/** Tests and measurements against the packaged service with the chaos engine, over real HTTP. */
@NullMarked
package io.atelier.chaostest;

import org.jspecify.annotations.NullMarked;
