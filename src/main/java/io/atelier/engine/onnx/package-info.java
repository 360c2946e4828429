/** Reads and rewrites ONNX models as bytes. Depends on the JDK alone. */
@NullMarked
package io.atelier.engine.onnx;

import org.jspecify.annotations.NullMarked;
