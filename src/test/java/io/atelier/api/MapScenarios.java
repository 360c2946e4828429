package io.atelier.api;

import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.startsWith;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.atelier.testing.LineStream;
import io.atelier.testing.ServiceClient;
import io.atelier.testing.SuiteService;
import io.restassured.response.Response;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Streams of lines over real HTTP, to a model that gives back its inputs. */
@Timeout(60)
abstract class MapScenarios {
    static final String MAP = "/v2/models/echo/map";
    private static final ObjectMapper JSON = new ObjectMapper();

    @BeforeEach
    void awaitTheModels() {
        ServiceClient.ofTestedService().awaitStatus("/q/health/started", 200, Duration.ofSeconds(60));
    }

    @Test
    void answersEachLineInItsOrder() {
        String body = IntStream.range(0, 50).mapToObj(i -> line(i) + "\n").collect(Collectors.joining());

        String[] answers = lines(given().body(body).post("/v2/models/echo/versions/1/map"));

        assertThat(answers).hasSize(50);
        for (int i = 0; i < 50; i++) {
            JsonNode answer = json(answers[i]);
            assertThat(answer.get("id").asText()).isEqualTo("" + i);
            assertThat(answer.at("/outputs/0/data/0").asInt()).isEqualTo(i);
            assertThat(answer.get("model_name").asText()).isEqualTo("echo");
        }
    }

    @Test
    void aLineHasNoBinaryPart() {
        String binary = line(1).replace("{\"id\"", "{\"parameters\":{\"binary_data_output\":true},\"id\"");

        String answer =
                given().body(binary).post(MAP).then().statusCode(200).extract().asString();

        error(answer, 1, "INVALID_INPUT", "a line is JSON, its outputs cannot be binary");
    }

    @Test
    void answersBeforeTheInputHasEnded() throws IOException {
        try (LineStream stream = LineStream.open(SuiteService.url(), MAP)) {
            for (int i = 0; i < 10; i++) {
                stream.send(line(i));
                assertThat(json(stream.readLine()).get("id").asInt()).isEqualTo(i);
            }
            stream.end();
            assertThat(stream.readLine()).isNull();
        }
    }

    @Test
    void anEmptyStreamHasNoAnswers() {
        given().post(MAP)
                .then()
                .statusCode(200)
                .contentType("application/x-ndjson")
                .body(equalTo(""));
        given().body("\n\r\n").post(MAP).then().statusCode(200).body(equalTo(""));
    }

    @Test
    void aLineHasToEndInTime() throws Exception {
        try (LineStream stream = LineStream.open(SuiteService.url(), MAP)) {
            stream.send(line(0));
            assertThat(json(stream.readLine()).get("id").asInt()).isZero();
            stream.sendRaw("1\r\n{\r\n");

            error(stream.readLine(), 2, "REQUEST_TIMEOUT", "the line took too long to arrive");
            assertThat(stream.readLine()).isNull();
        }
    }

    @Test
    void refusesBeforeTheFirstLine() {
        given().body(line(1))
                .post("/v2/models/nobody/map")
                .then()
                .statusCode(404)
                .body("error", startsWith("Request for unknown model"));
        given().body(line(1)).post("/v2/models/echo/versions/9/map").then().statusCode(404);
        given().header("Request-Timeout", "soon").body(line(1)).post(MAP).then().statusCode(400);
        given().get(MAP).then().statusCode(405);
    }

    @Test
    void readsCompressedLines() throws IOException {
        ByteArrayOutputStream zipped = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(zipped)) {
            gzip.write((line(1) + "\n" + line(2)).getBytes(UTF_8));
        }

        assertThat(lines(given().header("Content-Encoding", "gzip")
                        .contentType("application/x-ndjson")
                        .body(zipped.toByteArray())
                        .post(MAP)))
                .hasSize(2);
    }

    @Test
    void aBadLineGivesAnErrorInItsPlaceAndTheRestGoesOn() {
        String body = String.join("\n", line(1), "{", "", "[]", line(2), "{\"inputs\":[]}", line(3).replace("\n", ""));

        String[] answers = lines(given().body(body).post(MAP));

        assertThat(answers).hasSize(6);
        assertThat(json(answers[0]).get("id").asText()).isEqualTo("1");
        error(answers[1], 2, "INVALID_INPUT", "malformed JSON");
        error(answers[2], 4, "INVALID_INPUT", "the body is not a JSON object");
        assertThat(json(answers[3]).get("id").asText()).isEqualTo("2");
        error(answers[4], 6, "INVALID_INPUT", "input 'x' is missing");
        assertThat(json(answers[5]).get("id").asText()).isEqualTo("3");
    }

    /** The lines of an answer, which has to be 200. */
    static String[] lines(Response answer) {
        return answer.then()
                .statusCode(200)
                .contentType("application/x-ndjson")
                .extract()
                .asString()
                .strip()
                .split("\n", -1);
    }

    static void error(@Nullable String line, int number, String code, String message) {
        JsonNode error = json(line);
        assertThat(error.get("line").asInt()).isEqualTo(number);
        assertThat(error.get("code").asText()).isEqualTo(code);
        assertThat(error.get("error").asText()).startsWith(message);
    }

    static String line(int number) {
        return "{\"id\":\"" + number + "\",\"inputs\":["
                + "{\"name\":\"x\",\"shape\":[1,1],\"datatype\":\"FP32\",\"data\":[" + number + "]},"
                + "{\"name\":\"y\",\"shape\":[1,1],\"datatype\":\"INT64\",\"data\":[" + number + "]}]}";
    }

    static JsonNode json(@Nullable String line) {
        try {
            return JSON.readTree(Objects.requireNonNull(line, "the stream has ended"));
        } catch (IOException notJson) {
            throw new AssertionError(line, notJson);
        }
    }
}
