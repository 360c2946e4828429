/**
 * What models are for: plain values to the tensors of one request, and back. DJL gives the tokenizers, the ranking of
 * classes and the thinning out of boxes; its Translators as a whole need array operations that its OnnxRuntime engine has
 * not, so the arithmetic on pixels and scores is here. Uses {@code engine} and {@code core}.
 */
@NullMarked
package io.atelier.engine.djl.task;

import org.jspecify.annotations.NullMarked;
