package io.atelier.app;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;

/**
 * Asks a service on this machine whether it lives. In an image without a shell there is nothing else that could.
 *
 * @param port where it listens for plain HTTP
 */
record HealthCheck(int port) {
    private static final String PORT_VARIABLE = "QUARKUS_HTTP_PORT";
    private static final int DEFAULT_PORT = 8080;
    private static final int PATIENCE_MILLIS = 2_000;

    static HealthCheck ofThisMachine() {
        String port = System.getenv(PORT_VARIABLE);
        return new HealthCheck(port == null ? DEFAULT_PORT : Integer.parseInt(port));
    }

    boolean isLive() {
        try {
            HttpURLConnection connection = (HttpURLConnection) URI.create("http://127.0.0.1:" + port + "/q/health/live")
                    .toURL()
                    .openConnection();
            connection.setConnectTimeout(PATIENCE_MILLIS);
            connection.setReadTimeout(PATIENCE_MILLIS);
            return connection.getResponseCode() == HttpURLConnection.HTTP_OK;
        } catch (IOException nobodyAnswers) {
            return false;
        }
    }
}
