/**
 * The DJL adapter: the only importer of {@code ai.djl}. Engine OnnxRuntime on CPU and CUDA. Uses {@code engine},
 * {@code engine.onnx}, {@code nvidia} and {@code core}.
 */
@NullMarked
package io.atelier.engine.djl;

import org.jspecify.annotations.NullMarked;
