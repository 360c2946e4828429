package io.atelier.engine.onnx;

import java.io.IOException;
import java.nio.ByteBuffer;

/** The files beside a model in which it keeps weights. */
@FunctionalInterface
public interface WeightFiles {
    /**
     * A part of a file, as a view.
     *
     * @param location as the model writes it: a path relative to the model's folder
     * @param offset   in bytes from the file's start
     * @param length   in bytes
     * @throws IOException if there is no such file or part
     */
    ByteBuffer read(String location, long offset, long length) throws IOException;
}
