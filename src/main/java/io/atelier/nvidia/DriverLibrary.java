package io.atelier.nvidia;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import java.util.Optional;

/**
 * One library of the driver, whose functions all answer 0 or an error code. Called by name: no interface, no mapped
 * class and no structure that a native executable would have to be told of. Thread-safe.
 */
final class DriverLibrary {
    static final int SUCCESS = 0;

    /** What a call answers whose function this driver does not have. */
    static final int NO_FUNCTION = -1;

    private final NativeLibrary library;

    private DriverLibrary(NativeLibrary library) {
        this.library = library;
    }

    /** The library of this file name or path; empty where it cannot be loaded. */
    static Optional<DriverLibrary> open(String name) {
        try {
            return Optional.of(new DriverLibrary(NativeLibrary.getInstance(name)));
        } catch (UnsatisfiedLinkError absent) {
            return Optional.empty();
        }
    }

    int call(String name, Object... arguments) {
        Function function;
        try {
            function = library.getFunction(name);
        } catch (UnsatisfiedLinkError absent) {
            return NO_FUNCTION;
        }
        return function.invokeInt(arguments);
    }
}
