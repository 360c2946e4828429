package io.atelier.repository;

import java.util.Optional;
import java.util.stream.Stream;

/** The kinds of model file that a version folder may hold; owns the file's name and Triton's words for the kind. */
public enum ModelFormat {
    ONNX("model.onnx", "onnxruntime_onnx", "onnxruntime"),
    /** Loads where the build has PyTorch. */
    TORCHSCRIPT("model.pt", "pytorch_libtorch", "pytorch");

    private final String fileName;
    private final String platform;
    private final String backend;

    ModelFormat(String fileName, String platform, String backend) {
        this.fileName = fileName;
        this.platform = platform;
        this.backend = backend;
    }

    /** The kind that a file's name tells by its end. */
    static Optional<ModelFormat> bySuffix(String name) {
        return Stream.of(values())
                .filter(format -> name.endsWith(format.fileName.substring(format.fileName.lastIndexOf('.'))))
                .findFirst();
    }

    public String fileName() {
        return fileName;
    }

    /** Triton's {@code platform}, as the protocol's metadata names it. */
    public String platform() {
        return platform;
    }

    /** Triton's {@code backend}. */
    public String backend() {
        return backend;
    }
}
