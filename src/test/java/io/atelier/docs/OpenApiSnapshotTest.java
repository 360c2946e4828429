package io.atelier.docs;

import static io.restassured.RestAssured.given;

import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** {@code docs/openapi.json} is what the service says of its interface, with the names in order. */
@QuarkusTest
@TestProfile(RealService.class)
class OpenApiSnapshotTest {
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
