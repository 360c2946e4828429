/**
 * KServe's first protocol, which is TensorFlow Serving's: rows of JSON in, rows of JSON out; and the list of models, which
 * clients of KServe and of OpenAI read at one path.
 *
 * @see <a href="https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol">KServe: V1 protocol</a>
 */
@NullMarked
package io.atelier.api.kserve;

import org.jspecify.annotations.NullMarked;
