package io.atelier.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HealthCheckTest {
    @ParameterizedTest
    @CsvSource({"200, true", "503, false", "404, false"})
    void livesIfTheServiceSaysSo(int status, boolean live) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/q/health/live", exchange -> {
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
        });
        server.start();
        try {
            assertThat(new HealthCheck(server.getAddress().getPort()).isLive()).isEqualTo(live);
        } finally {
            server.stop(0);
        }
    }

    @Test
    void doesNotLiveWhereNobodyListens() throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        int port = server.getAddress().getPort();
        server.stop(0);

        assertThat(new HealthCheck(port).isLive()).isFalse();
    }
}
