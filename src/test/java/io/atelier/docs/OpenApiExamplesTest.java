package io.atelier.docs;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.atelier.testing.StartUp;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.RestAssured;
import jakarta.inject.Inject;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The examples of the API's description, taken from the running service and sent to it. */
@QuarkusTest
@TestProfile(TaskService.class)
class OpenApiExamplesTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @Inject
    StartUp startUp;

    private JsonNode description;

    /** One of the examples unloads a model. */
    @BeforeEach
    void everyModelServes() throws IOException, InterruptedException {
        startUp.await();
        given().post("/v2/repository/models/adder/load").then().statusCode(200);
        description = JSON.readTree(given().queryParam("format", "json")
                .get("/q/openapi")
                .then()
                .statusCode(200)
                .extract()
                .asString());
    }

    @Test
    void everyBodyHasAnExampleThatIsAnsweredAsShown() throws IOException, InterruptedException {
        List<OpenApiExample> examples = OpenApiExample.in(description);

        assertThat(OpenApiExample.missing(description)).isEmpty();
        assertThat(examples).hasSizeGreaterThan(20);
        List<String> all = new ArrayList<>();
        for (OpenApiExample example : examples) {
            for (String difference : differences(example)) {
                all.add("%s %s, %s: %s".formatted(example.method(), example.target(), example.name(), difference));
            }
        }
        assertThat(all).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/requestBodies/lines/content/application~1x-ndjson",
                "/responses/embedded/content/application~1json"
            })
    void anExampleThatIsMissingIsFound(String place) {
        ((ObjectNode) description.at("/components" + place)).remove("examples");

        assertThat(OpenApiExample.missing(description)).isNotEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "/parameters/model/example | 'adder' | 'none' | the status is 404",
                "/parameters/header-length/examples/binary/value | 227 | 226 | the status is 400",
                "/requestBodies/inference/content/application~1json/examples/json/value/inputs/0/data/0 | 5 | 6 | data[0] is 7",
                "/responses/inferred/content/application~1json/examples/json/value/outputs/0/datatype | 'INT32' | 'INT64' | datatype is \"INT32\"",
                "/responses/embedded/content/application~1json/examples/embeddings/value/usage/total_tokens | 8 | '8' | total_tokens is 8",
            })
    void aLieIsFound(String place, String truth, String lie, String difference)
            throws IOException, InterruptedException {
        String parent = "/components" + place.substring(0, place.lastIndexOf('/'));
        String member = place.substring(place.lastIndexOf('/') + 1);
        assertThat(description.at("/components" + place)).isEqualTo(json(truth));
        if (description.at(parent) instanceof ObjectNode object) {
            object.set(member, json(lie));
        } else {
            ((ArrayNode) description.at(parent)).set(Integer.parseInt(member), json(lie));
        }

        List<String> found = new ArrayList<>();
        for (OpenApiExample example : OpenApiExample.in(description)) {
            if (example.target().startsWith("/v2/models/") || example.target().startsWith("/v1/")) {
                found.addAll(differences(example));
            }
        }
        assertThat(found).anyMatch(text -> text.contains(difference));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v2/models/none", "/v1/models/none"})
    void refusalsHaveTheMembersThatAreDescribed(String path) throws JsonProcessingException {
        JsonNode problem = JSON.readTree(given().get(path)
                .then()
                .statusCode(404)
                .contentType("application/problem+json")
                .extract()
                .asString());

        JsonNode schema = description.at("/components/schemas/Problem");
        assertThat(schema.get("required")).isNotEmpty().allMatch(name -> problem.has(name.asText()));
        assertThat(problem.properties())
                .allSatisfy(member -> assertThat(schema.get("properties").has(member.getKey()))
                        .isTrue());
    }

    private static JsonNode json(String text) throws JsonProcessingException {
        return JSON.readTree(text.replace('\'', '"'));
    }

    private List<String> differences(OpenApiExample example) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        URI.create("http://localhost:" + RestAssured.port + example.target()))
                .method(example.method(), example.body());
        example.headers().forEach(request::header);
        HttpResponse<String> real = client.send(request.build(), BodyHandlers.ofString());

        OpenApiExample.Answer shown = example.answer().orElseThrow();
        if (real.statusCode() != 200) {
            return List.of("the status is " + real.statusCode() + ": " + real.body());
        }
        String mediaType = real.headers().firstValue("Content-Type").orElse("none");
        if (!mediaType.equals(shown.mediaType())) {
            return List.of("the answer is " + mediaType + ", shown is " + shown.mediaType());
        }
        if (!shown.value().isTextual()) {
            return ShownAnswer.differencesFromBeginnings(shown.value(), JSON.readTree(real.body()));
        }
        return real.body().equals(shown.value().asText())
                ? List.of()
                : List.of("the answer is " + real.body() + ", shown is "
                        + shown.value().asText());
    }
}
