package io.atelier.docs;

import static io.restassured.RestAssured.given;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** {@code docs/openapi.json} is what the service says of its interface, with the names in order. */
@QuarkusTest
@TestProfile(RealService.class)
class OpenApiSnapshotTest {
    @Test
    void aWrongMethodIsToldTheRightOnesOfEveryPath() {
        Map<String, Map<String, Object>> paths = new TreeMap<>(given().queryParam("format", "json")
                .get("/q/openapi")
                .then()
                .extract()
                .jsonPath()
                .getMap("paths"));

        paths.remove("/v1/models/{model}"); // stands for {model}:predict too, which has methods of its own
        assertThat(paths).isNotEmpty().allSatisfy((path, methods) -> {
            Set<String> described = methods.keySet().stream()
                    .map(method -> method.toUpperCase(Locale.ROOT))
                    .filter(OpenApiSnapshotTest::isMethod)
                    .collect(toSet());
            if (described.contains("GET")) {
                described.add("HEAD");
            }
            String allowed = given().put(path.replaceAll("\\{[^}]+}", "minilm"))
                    .then()
                    .statusCode(405)
                    .extract()
                    .header("Allow");
            assertThat(allowed).isNotNull();
            assertThat(allowed.split(", ?")).containsExactlyInAnyOrderElementsOf(described);
        });
    }

    private static boolean isMethod(String name) {
        return List.of("GET", "POST", "DELETE").contains(name);
    }

    @Test
    void theSnapshotIsInStepWithTheService() throws IOException {
        String description = given().queryParam("format", "json")
                .get("/q/openapi")
                .then()
                .statusCode(200)
                .extract()
                .asString();
        ObjectMapper json = new ObjectMapper().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS);
        DefaultIndenter indenter = new DefaultIndenter("  ", "\n");
        String ordered = json.writer(
                        new DefaultPrettyPrinter().withObjectIndenter(indenter).withArrayIndenter(indenter))
                .writeValueAsString(json.readValue(description, Map.class));

        Page.assertUpToDate("docs/openapi.json", ordered + "\n", "openapi.update");
    }
}
