package io.atelier.app;

import io.quarkus.runtime.LaunchMode;
import io.quarkus.runtime.Quarkus;
import java.lang.reflect.Proxy;

/**
 * SIGTERM is how a service is asked to leave, not a failure: having left in order, the process exits with 0. Without
 * this a JVM exits with 143, whatever it did.
 *
 * <p>{@code sun.misc.Signal} is the only way to hear a signal, on the JVM as in a native executable. The compiler warns
 * of the name and cannot be told not to, so it is reached by reflection.
 */
final class TerminationSignal {
    private TerminationSignal() {}

    static void exitsOrderly() {
        if (LaunchMode.current() != LaunchMode.NORMAL) {
            return;
        }
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object exit = Proxy.newProxyInstance(
                    handler.getClassLoader(), new Class<?>[] {handler}, (proxy, method, arguments) -> {
                        Quarkus.asyncExit(0);
                        return null;
                    });
            signal.getMethod("handle", signal, handler)
                    .invoke(null, signal.getConstructor(String.class).newInstance("TERM"), exit);
        } catch (ReflectiveOperationException missing) {
            throw new IllegalStateException("SIGTERM cannot be heard", missing);
        }
    }
}
