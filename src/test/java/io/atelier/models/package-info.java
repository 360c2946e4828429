/**
 * Whether any model is answered rightly: made models, ONNX's own tests and real files, each asked through the service and
 * compared with ONNX Runtime for that request alone.
 *
 * <p>{@code AnyModelComponentTest} is a test of every build. {@code NodeTests} and {@code RealModels} are programs, started
 * by {@code scripts/onnx-node-tests.sh} and {@code scripts/real-models.sh}; they write pages of {@code docs}.
 */
@NullMarked
package io.atelier.models;

import org.jspecify.annotations.NullMarked;
