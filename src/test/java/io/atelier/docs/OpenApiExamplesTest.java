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
    private static final String SHOWN_JOB = "7b0c2c38-8f0e-4a53-9a3e-3a1f1f6f8d55";
    private static final String JOB = """
            {"inputs": [{"name": "INPUT0", "datatype": "INT32", "shape": [1, 2], "data": [5, 7]},
                        {"name": "INPUT1", "datatype": "INT32", "shape": [1, 2], "data": [1, 2]}]}""";

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

    @Test
    void everyOperationWithoutABodyAnswersAsDescribed() throws IOException, InterruptedException {
        List<OpenApiExample> operations = OpenApiExample.withoutBody(description);

        assertThat(operations)
                .hasSizeGreaterThan(15)
                .allSatisfy(operation ->
                        assertThat(operation.answer()).as(operation.target()).isPresent());
        List<String> all = new ArrayList<>();
        for (OpenApiExample operation : operations) {
            for (String difference : differences(operation)) {
                all.add("%s %s: %s".formatted(operation.method(), operation.target(), difference));
            }
        }
        assertThat(all).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "/schemas/ServerMetadata/properties, version, body.version is not described",
        "/schemas/Ready/properties, ready, body.ready is not described",
        "/schemas/Job/properties, expires, body.expires is not described",
    })
    void aMemberThatIsNotDescribedIsFound(String place, String member, String difference)
            throws IOException, InterruptedException {
        assertThat(((ObjectNode) description.at("/components" + place)).remove(member))
                .isNotNull();

        List<String> found = new ArrayList<>();
        for (OpenApiExample operation : OpenApiExample.withoutBody(description)) {
            found.addAll(differences(operation));
        }
        assertThat(found).contains(difference);
    }

    @Test
    void everyRefusalHasABodyAndEveryOperationButHealthMayWantAKey() {
        description
                .get("paths")
                .properties()
                .forEach(path -> path.getValue().properties().stream()
                        .filter(operation -> operation.getValue().has("responses"))
                        .forEach(operation -> {
                            JsonNode responses = operation.getValue().get("responses");
                            assertThat(responses.has("401"))
                                    .as(path.getKey())
                                    .isEqualTo(!path.getKey().startsWith("/v2/health/"));
                            responses
                                    .properties()
                                    .forEach(response -> assertThat(
                                                    OpenApiExample.resolved(description, response.getValue())
                                                            .path("content"))
                                            .as(operation.getKey() + " " + path.getKey() + ", " + response.getKey())
                                            .isNotEmpty());
                        }));
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
        String target = example.target().contains(SHOWN_JOB)
                ? example.target().replace(SHOWN_JOB, finishedJob())
                : example.target();
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        URI.create("http://localhost:" + RestAssured.port + target))
                .method(example.method(), example.body());
        example.headers().forEach(request::header);
        HttpResponse<String> real = client.send(request.build(), BodyHandlers.ofString());

        OpenApiExample.Answer shown = example.answer().orElseThrow();
        if (real.statusCode() != shown.status()) {
            return List.of("the status is " + real.statusCode() + ": " + real.body());
        }
        String mediaType =
                real.headers().firstValue("Content-Type").orElse("none").replace(";charset=UTF-8", "");
        if (!mediaType.equals(shown.mediaType())) {
            return List.of("the answer is " + mediaType + ", shown is " + shown.mediaType());
        }
        if (shown.value().filter(JsonNode::isTextual).isPresent()) {
            String text = shown.value().get().asText();
            return real.body().equals(text)
                    ? List.of()
                    : List.of("the answer is " + real.body() + ", shown is " + text);
        }
        JsonNode answer = JSON.readTree(real.body());
        List<String> differences = new ArrayList<>(DescribedAnswer.differences(description, shown.schema(), answer));
        shown.value().ifPresent(value -> differences.addAll(ShownAnswer.differencesFromBeginnings(value, answer)));
        return differences;
    }

    /** The identifier of a job that has its result, in the place of the one that the description shows. */
    private static String finishedJob() {
        String location = given().header("Prefer", "respond-async")
                .body(JOB)
                .post("/v2/models/adder/infer")
                .then()
                .statusCode(202)
                .extract()
                .header("Location");
        while (!given().get(location).jsonPath().getString("status").equals("succeeded")) {
            Thread.onSpinWait(); // each look is a request
        }
        return location.substring(location.lastIndexOf('/') + 1);
    }
}
