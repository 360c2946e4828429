package io.atelier.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.serving.InferenceService;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.RestAssured;
import jakarta.inject.Inject;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The pages' requests, sent to the service as it is shipped; {@link CurlExample} says how they are found. */
@QuarkusTest
@TestProfile(RealService.class)
class ReadmeTest {
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @Inject
    InferenceService service;

    @BeforeEach
    void ready() {
        RealService.awaitReady(service);
    }

    @ParameterizedTest
    @CsvSource({"README.md, 3", "docs/clients.md, 2"})
    void requestsAreAnsweredAsShown(String page, int answers) throws IOException, InterruptedException {
        List<CurlExample> examples = CurlExample.in(Page.read(page));
        assertThat(examples.stream().filter(example -> example.answer().isPresent()))
                .hasSizeGreaterThanOrEqualTo(answers);
        for (CurlExample example : examples) {
            HttpResponse<String> answer = send(example);
            Optional<String> shown = example.answer();
            if (shown.isPresent()) {
                assertThat(ShownAnswer.differences(shown.get(), answer))
                        .as(example.command())
                        .isEmpty();
            } else {
                assertThat(answer.statusCode()).as(example.command()).isEqualTo(200);
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "200 OK | 201 Created | shown is HTTP/1.1 201 Created, the status is 200",
                "Content-Type: application/json | Content-Type: text/plain | the answer has [application/json]",
                "prompt_tokens | tokens | body.usage has [prompt_tokens, total_tokens]",
                ":4, | :5, | body.usage.prompt_tokens is 4, shown is 5",
                "-0.03 | 0.93 | body.data[0].embedding[0] is -0.03",
                ",…] | ] | body.data[0].embedding has 384 elements",
            })
    void aLieIsFound(String truth, String lie, String difference) throws IOException, InterruptedException {
        CurlExample example = CurlExample.in(Page.read("README.md")).get(0);
        String shown = example.answer().orElseThrow();
        assertThat(shown).contains(truth);

        assertThat(ShownAnswer.differences(shown.replace(truth, lie), send(example)))
                .singleElement()
                .asString()
                .contains(difference);
    }

    @Test
    void commandsAreReadAsAShellReadsThem() {
        String page = "```shell\ncurl -s -X PUT \\\n  -H 'A: b c' \"localhost:8080/x?y=1\" -d '{\n}'\n```\n";

        var request = CurlExample.in(page).get(0).request(99);

        assertThat(request.uri()).hasToString("http://localhost:99/x?y=1");
        assertThat(request.method()).isEqualTo("PUT");
        assertThat(request.headers().firstValue("A")).hasValue("b c");
        assertThat(request.bodyPublisher().orElseThrow().contentLength()).isEqualTo(3);
        assertThatThrownBy(() -> new CurlExample("curl --compressed localhost:8080/", Optional.empty()).request(99))
                .hasMessageContaining("--compressed");
    }

    private HttpResponse<String> send(CurlExample example) throws IOException, InterruptedException {
        return client.send(example.request(RestAssured.port), BodyHandlers.ofString());
    }
}
