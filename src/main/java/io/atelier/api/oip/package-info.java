/**
 * The Open Inference Protocol v2 over REST. Tensors are read and written as streams, straight between JSON and the
 * protocol's raw layout: no tree, no boxed numbers.
 *
 * @see <a href="https://github.com/kserve/open-inference-protocol">Open Inference Protocol</a>
 */
@NullMarked
package io.atelier.api.oip;

import org.jspecify.annotations.NullMarked;
