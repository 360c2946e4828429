package io.atelier.engine.djl;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Tells DJL, ONNX Runtime and JNA to load their native libraries from one folder. Without it they take them out of their
 * jars at each start, and a native executable has no jars. To be called before anything of theirs is touched.
 */
public final class NativeLibraries {
    private static final List<String> NAMES = List.of("onnxruntime", "onnxruntime4j_jni", "tokenizers", "jnidispatch");

    private NativeLibraries() {}

    /**
     * Loads from this folder, except what a system property sends elsewhere already.
     *
     * @throws IllegalArgumentException if a library is not there
     */
    public static void loadFrom(Path folder) {
        Path libraries = folder.toAbsolutePath();
        for (String name : NAMES) {
            if (!Files.isRegularFile(file(libraries, name))) {
                throw new IllegalArgumentException("atelier.native-libraries: there is no %s in %s"
                        .formatted(System.mapLibraryName(name), libraries));
            }
        }
        setDefault("onnxruntime.native.path", libraries.toString());
        setDefault("RUST_LIBRARY_PATH", file(libraries, "tokenizers").toString()); // DJL's tokenizers are Rust
        setDefault("jna.boot.library.path", libraries.toString());
        setDefault("jna.library.path", libraries.toString());
        setDefault("jna.nounpack", "true");
    }

    private static Path file(Path folder, String name) {
        return folder.resolve(System.mapLibraryName(name));
    }

    private static void setDefault(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }
}
