package io.atelier.api;

import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.startsWith;

import io.atelier.testing.ServiceClient;
import java.time.Duration;
import java.util.Collections;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** KServe's first protocol, on models that give back their inputs. */
abstract class KServeScenarios {
    @BeforeEach
    void awaitTheModels() {
        ServiceClient.ofTestedService().awaitStatus("/q/health/started", 200, Duration.ofSeconds(60));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "single | {\"instances\":[[0.5,-1],[2,1e3]]} | {\"predictions\":[[0.5,-1.0],[2.0,1000.0]]}",
                "single | {\"signature_name\":\"s\",\"instances\":[{\"x\":[1,2]},{\"x\":[3,4]}]} | {\"predictions\":[[1.0,2.0],[3.0,4.0]]}",
                "single | { \"inputs\" : [ [ 1 , 2 ] ] } | {\"outputs\":[[1.0,2.0]]}",
                "single | {\"inputs\":{\"x\":[[1,2],[3,4]]}} | {\"outputs\":[[1.0,2.0],[3.0,4.0]]}",
                "echo | {\"instances\":[{\"x\":[1],\"y\":[9007199254740993]},{\"y\":[2],\"x\":[3]}]} | {\"predictions\":[{\"x\":[1.0],\"y\":[9007199254740993]},{\"x\":[3.0],\"y\":[2]}]}",
                "echo | {\"inputs\":{\"x\":[[1,2]],\"y\":[[3]]}} | {\"outputs\":{\"x\":[[1.0,2.0]],\"y\":[[3]]}}",
                "texts | {\"instances\":[\"grün\",{\"b64\":\"aGk=\"},{\"t\":\"by name\"}]} | {\"predictions\":[\"grün\",\"hi\",\"by name\"]}",
                "texts | {\"instances\":[{\"b64\":\"/w==\"}]} | {\"predictions\":[{\"b64\":\"/w==\"}]}",
                "texts | {\"inputs\":[\"a\",{ \"b64\": \"aGk=\" }]} | {\"outputs\":[\"a\",\"hi\"]}",
                "fixed | {\"inputs\":[1,-2]} | {\"outputs\":[1,-2]}",
            })
    void answersAsItIsAsked(String model, String question, String answer) {
        byte[] body = given().body(question.getBytes(UTF_8))
                .post("/v1/models/" + model + ":predict?test_1=1")
                .then()
                .statusCode(200)
                .contentType("application/json")
                .extract()
                .asByteArray();

        assertThat(new String(body, UTF_8)).isEqualTo(answer);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "single | {} | instances is missing",
                "single | [] | the body is not a JSON object",
                "single | {\"instances\":1} | instances is a number, not a list",
                "single | {\"instances\":[]} | instances is empty",
                "single | {\"instances\":[[1,2]],\"inputs\":[[1,2]]} | the body has both instances and inputs, allowed is one",
                "single | {\"instances\":[[1,2,3]]} | input 'x' has shape [1,3], the model takes [-1,2]",
                "single | {\"instances\":[1]} | input 'x' has shape [1], the model takes [-1,2]",
                "single | {\"instances\":[[1,2],[3]]} | input 'x' element 3: 1 values instead of 2 on the last axis of shape [2,2]",
                "single | {\"instances\":[[1,2],\"a\"]} | input 'x' element 2: a string where shape [2,2] needs a list",
                "single | {\"instances\":[[1,\"a\"]]} | input 'x' element 1: a string is not a number, which FP32 needs",
                "single | {\"instances\":[{\"z\":[1,2]}]} | instances[0]: the model has no input 'z', it has x",
                "single | {\"instances\":[{\"x\":[1,2]},{}]} | input 'x' is missing in one of the instances",
                "single | {\"inputs\":5} | input 'x' has shape [], the model takes [-1,2]",
                "echo | {\"instances\":[[1]]} | instances[0] does not name its inputs, the model has [x, y]",
                "echo | {\"instances\":[{\"x\":[1]}]} | input 'y' is missing",
                "echo | {\"instances\":[{\"x\":[1],\"y\":[1]},{\"x\":[1]}]} | input 'y' is missing in one of the instances",
                "echo | {\"inputs\":{\"x\":[[1]],\"y\":[[1],[2]]}} | input 'y' has 2 rows, input 'x' has 1",
                "texts | {\"instances\":[1]} | input 't' has a number where a string or {\"b64\": …} is needed",
                "texts | {\"instances\":[{\"b64\":\"?\"}]} | input 't' has a b64 that is not base64",
                "texts | {\"instances\":[{\"b64\":1}]} | input 't' has an object that is not {\"b64\": \"…\"}",
                "fixed | {\"instances\":[1,2]} | the model takes no rows: send inputs instead of instances",
                "fixed | {\"inputs\":[1,300]} | input 'x' element 1: 300 does not fit INT8",
                "half | {\"inputs\":[1]} | input 'x' is FP16, which travels in binary only",
            })
    void refusesWithTheReason(String model, String question, String error) {
        given().body(question.getBytes(UTF_8))
                .post("/v1/models/" + model + ":predict")
                .then()
                .statusCode(400)
                .contentType("application/problem+json")
                .body("error", equalTo(error));
    }

    /** A first list that is long and others that are empty say nothing of how much there is. */
    @Test
    void unequalListsReserveNoMemory() {
        String lists = "[" + String.join(",", Collections.nCopies(2000, "0")) + "]"
                + String.join("", Collections.nCopies(2000, ",[]"));

        given().body("{\"inputs\":{\"x\":[" + lists + "],\"y\":[[1]]}}")
                .post("/v1/models/echo:predict")
                .then()
                .statusCode(400)
                .body("error", equalTo("input 'x' has lists of unequal lengths"));
    }

    @Test
    void anUnknownModelIsNotFound() {
        given().body("{}")
                .post("/v1/models/no:predict")
                .then()
                .statusCode(404)
                .body("error", startsWith("Request for unknown model: 'no'"));
        given().get("/v1/models/no").then().statusCode(404).body("error.code", equalTo("model_not_found"));
    }
}
