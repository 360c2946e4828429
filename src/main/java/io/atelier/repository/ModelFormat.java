package io.atelier.repository;

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
