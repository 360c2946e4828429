package io.atelier.engine.onnx;

/** The bytes do not follow the protobuf wire format, or end too early. */
final class MalformedModelException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    MalformedModelException(String message) {
        super(message);
    }
}
