package io.atelier.fuzz;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The fuzzer complains of what it should, and makes the same requests again. */
class FuzzerTest {
    private static final int SOME = 200;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "200 | application/json     | {}                                           | false",
                "202 | application/json     | {}                                           | false",
                "400 | application/json     | {\"error\":\"why\"}                              | false",
                "400 | application/json     | {\"error\":{\"message\":\"why\"}}                  | false",
                "503 | application/json     | {\"error\":\"why\"}                              | false",
                "400 | application/json     | {\"error\":\"\"}                                 | true",
                "400 | application/json     | {\"error\":{\"code\":\"why\"}}                     | true",
                "400 | application/json     | no JSON                                      | true",
                "500 | application/json     | {\"error\":\"why\"}                              | true",
                "200 | application/x-ndjson | {\"outputs\":[]}                               | false",
                "200 | application/x-ndjson | {\"error\":\"why\",\"code\":\"INVALID_INPUT\"}       | false",
                "200 | application/x-ndjson | {\"error\":\"\",\"code\":\"INVALID_INPUT\"}          | true",
                "200 | application/x-ndjson | {\"error\":\"why\",\"code\":\"ENGINE_FAILURE\"}      | true",
                "200 | application/x-ndjson | no JSON                                      | true",
            })
    void complainsOfTheServersFailuresAndOfRefusalsWithoutAReason(
            int status, String type, String body, boolean complains) throws IOException, InterruptedException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            try (exchange) {
                exchange.getRequestBody().readAllBytes();
                exchange.getResponseHeaders().set("Content-Type", type);
                exchange.sendResponseHeaders(status, body.length());
                exchange.getResponseBody().write(body.getBytes(UTF_8));
            }
        });
        server.start();
        try {
            Fuzzer fuzzer = new Fuzzer(
                    URI.create("http://localhost:" + server.getAddress().getPort()), 1);

            fuzzer.send(0, SOME);

            assertThat(fuzzer.count(status)).isGreaterThan(SOME / 2);
            assertThat(fuzzer.failures().size() > SOME / 2)
                    .as("%s", fuzzer.failures())
                    .isEqualTo(complains);
        } finally {
            server.stop(0);
        }
    }

    @Test
    void aSeedAndANumberMakeTheSameRequestAgain() {
        Set<String> requests = new HashSet<>();
        for (int number = 0; number < SOME; number++) {
            byte[] bytes = Fuzzer.request(7, number).bytes();
            assertThat(Fuzzer.request(7, number).bytes()).isEqualTo(bytes);
            requests.add(new String(bytes, UTF_8));
        }
        assertThat(requests).hasSize(SOME);
    }
}
