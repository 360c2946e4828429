package io.atelier.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.RestAssured;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every body that the service takes, with each of its members null in turn: as if the member were not there. */
@QuarkusTest
class NullMembersComponentTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    /** Without these a body is refused; the others are optional. */
    private static final Set<String> REQUIRED = Set.of(
            "name", "shape", "datatype", "data", "model", "input", "inputs", "instances", "x", "y", "text", "texts");

    private static final String INFER = """
            {"id": "7",
             "parameters": {"timeout": 3000000, "priority": 1, "binary_data_output": false, "other": "x"},
             "inputs": [
               {"name": "x", "shape": [1, 2], "datatype": "FP32", "parameters": {"other": 1}, "data": [1, 2]},
               {"name": "y", "shape": [1, 1], "datatype": "INT64", "data": [3]}],
             "outputs": [
               {"name": "x", "parameters": {"binary_data": false, "classification": 1}},
               {"name": "y", "parameters": {"other": true}}],
             "unknown": {"a": 1}}""";

    static Stream<Arguments> bodies() {
        return Stream.of(
                Arguments.of("/v2/models/echo/infer", INFER),
                Arguments.of("/v2/models/echo/versions/1/infer", INFER),
                Arguments.of("/v2/models/echo/map", INFER),
                Arguments.of("/v2/models/echo/infer#respond-async", INFER),
                Arguments.of(
                        "/v1/models/echo:predict",
                        "{\"inputs\": {\"x\": [[1]], \"y\": [[2]]}, \"signature_name\": \"s\"}"),
                Arguments.of("/v1/models/echo:predict", "{\"instances\": [{\"x\": [1], \"y\": [2]}], \"id\": \"1\"}"),
                Arguments.of("/v1/models/texts:predict", "{\"instances\": [\"a\"], \"parameters\": {\"p\": 1}}"),
                Arguments.of("/predict/echo", "{\"x\": [[1]], \"y\": [[2]]}"),
                Arguments.of("/predict/embedder", "{\"text\": \"a\"}"),
                Arguments.of("/predict/embedder", "{\"texts\": [\"a\", \"b\"]}"),
                Arguments.of(
                        "/v1/embeddings",
                        "{\"model\": \"embedder\", \"input\": [\"abc\", \"de\"], \"encoding_format\": \"base64\","
                                + " \"dimensions\": 3, \"user\": \"me\"}"),
                Arguments.of("/v2/repository/index", "{\"ready\": true, \"repository_name\": \"r\"}"),
                Arguments.of(
                        "/v2/repository/models/echo/load",
                        "{\"parameters\": {\"config\": \"{}\", \"file:1/model.onnx\": null}, \"other\": 1}"),
                Arguments.of(
                        "/v2/repository/models/echo/unload",
                        "{\"parameters\": {\"unload_dependents\": true}, \"other\": 1}"));
    }

    @ParameterizedTest
    @MethodSource("bodies")
    void aMemberThatIsNullCountsAsAbsent(String path, String text) throws Exception {
        for (JsonPointer member : members(JSON.readTree(text), JsonPointer.empty())) {
            JsonNode withNull = JSON.readTree(text);
            JsonNode without = JSON.readTree(text);
            ((ObjectNode) withNull.at(member.head())).putNull(member.last().getMatchingProperty());
            ((ObjectNode) without.at(member.head())).remove(member.last().getMatchingProperty());

            HttpResponse<String> answer = post(path, withNull.toString());

            HttpResponse<String> expected = post(path, without.toString());
            assertThat(answer.statusCode()).as("%s of %s", member, text).isEqualTo(expected.statusCode());
            if (!path.endsWith("#respond-async")) { // whose answers name different jobs
                assertThat(answer.body()).as("%s of %s", member, text).isEqualTo(expected.body());
            }
            if (!REQUIRED.contains(member.last().getMatchingProperty())) {
                assertThat(answer.body()).as("%s of %s", member, text).doesNotContain("INVALID_INPUT");
            }
        }
    }

    /** Members that another alternative stands for, which many clients write both of. */
    @ParameterizedTest
    @MethodSource("alternatives")
    void aMemberThatIsNullLeavesTheOtherAlternative(String path, String body) throws Exception {
        assertThat(post(path, body))
                .satisfies(answer ->
                        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200));
    }

    static Stream<Arguments> alternatives() {
        return Stream.of(
                Arguments.of("/v1/models/single:predict", "{\"instances\": null, \"inputs\": [[1, 2]]}"),
                Arguments.of("/v1/models/single:predict", "{\"instances\": [[1, 2]], \"inputs\": null}"),
                Arguments.of("/predict/embedder", "{\"text\": null, \"texts\": [\"a\"]}"),
                Arguments.of("/predict/embedder", "{\"text\": \"a\", \"texts\": null}"),
                Arguments.of(
                        "/v2/models/single/infer",
                        "{\"inputs\": [{\"data\": [1, 2], \"parameters\": {\"binary_data_size\": null}, \"name\": \"x\","
                                + " \"shape\": [1, 2], \"datatype\": \"FP32\"}]}"));
    }

    /** Every member of every object that is not inside data. */
    private static List<JsonPointer> members(JsonNode node, JsonPointer at) {
        List<JsonPointer> members = new ArrayList<>();
        if (node.isObject()) {
            node.properties().forEach(member -> {
                JsonPointer there = at.appendProperty(member.getKey());
                members.add(there);
                members.addAll(members(member.getValue(), there));
            });
        }
        for (int i = 0; node.isArray() && i < node.size(); i++) {
            members.addAll(members(node.get(i), at.appendIndex(i)));
        }
        return members;
    }

    private static HttpResponse<String> post(String path, String body)
            throws IOException, InterruptedException, JsonProcessingException {
        URI uri = URI.create("http://localhost:" + RestAssured.port + path);
        HttpRequest.Builder request = HttpRequest.newBuilder(uri).header("Content-Type", "application/json");
        if (uri.getFragment() != null) {
            request.header("Prefer", uri.getFragment());
        }
        return CLIENT.send(request.POST(BodyPublishers.ofString(body)).build(), BodyHandlers.ofString());
    }
}
