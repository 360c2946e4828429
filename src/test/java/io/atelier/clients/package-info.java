/** Clients as people use them: run where they can be had here, replayed byte for byte where not. */
@NullMarked
package io.atelier.clients;

import org.jspecify.annotations.NullMarked;
