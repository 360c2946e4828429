/**
 * A black-box suite for servers of the Open Inference Protocol v2 over REST. It knows a server by its base address alone
 * and shares no code with any.
 *
 * @see <a href="https://github.com/kserve/open-inference-protocol">Open Inference Protocol</a>
 */
@NullMarked
package io.atelier.conformance;

import org.jspecify.annotations.NullMarked;
