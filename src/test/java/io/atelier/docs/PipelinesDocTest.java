package io.atelier.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.app.FakeService;
import io.atelier.testing.StartUp;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.RestAssured;
import jakarta.inject.Inject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpClient;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The ensemble of {@code docs/pipelines.md}, served with the page's own {@code model.yaml}. */
@QuarkusTest
@TestProfile(PipelinesDocTest.ThePagesRepository.class)
class PipelinesDocTest {
    private static final String PAGE = "docs/pipelines.md";
    private static final Pattern YAML = Pattern.compile("(?ms)^```yaml\\n(.*?)^```$");

    /** The folders that the page shows. */
    public static class ThePagesRepository extends FakeService.Profile {
        @Override
        protected Map<String, String> repository() {
            try {
                String yaml = YAML.matcher(Page.read(PAGE))
                        .results()
                        .map(MatchResult::group)
                        .findFirst()
                        .orElseThrow()
                        .replaceAll("(?m)^```.*$", "");
                return Map.of("add/1/model.onnx", "", "add-both/model.yaml", yaml);
            } catch (IOException unreadable) {
                throw new UncheckedIOException(unreadable);
            }
        }
    }

    @Inject
    StartUp startUp;

    @Test
    void answersAsShown() throws IOException, InterruptedException {
        startUp.await();
        List<CurlExample> examples = CurlExample.in(Page.read(PAGE));
        assertThat(examples).hasSize(1);

        for (CurlExample example : examples) {
            var answer = HttpClient.newHttpClient().send(example.request(RestAssured.port), BodyHandlers.ofString());
            assertThat(ShownAnswer.differences(example.answer().orElseThrow(), answer))
                    .isEmpty();
        }
    }
}
