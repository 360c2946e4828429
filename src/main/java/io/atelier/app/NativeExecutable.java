package io.atelier.app;

import io.quarkus.runtime.ImageMode;
import java.nio.file.Path;
import java.util.Optional;

/** The native executable that this process runs, if it is one. */
final class NativeExecutable {
    private static final String LIBRARIES = "lib";

    private NativeExecutable() {}

    /** The folder of native libraries beside the executable; empty on a JVM. */
    static Optional<Path> libraries() {
        return ImageMode.current() == ImageMode.NATIVE_RUN
                ? ProcessHandle.current().info().command().map(NativeExecutable::librariesBeside)
                : Optional.empty();
    }

    static Path librariesBeside(String executable) {
        return Path.of(executable).resolveSibling(LIBRARIES);
    }
}
