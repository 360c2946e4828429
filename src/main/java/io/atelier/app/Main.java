package io.atelier.app;

import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;

/** Runs the service; with the word {@code health} asks the one that runs already, which is what an image's check needs. */
@QuarkusMain
public final class Main {
    private static final String HEALTH = "health";

    public static void main(String... arguments) {
        if (arguments.length == 1 && arguments[0].equals(HEALTH)) {
            System.exit(HealthCheck.ofThisMachine().isLive() ? 0 : 1);
        }
        // images are decoded without a display; where a shell names one, AWT would look for libraries of X11
        System.setProperty("java.awt.headless", "true");
        Quarkus.run(arguments);
    }
}
