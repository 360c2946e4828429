package io.atelier.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The requests of {@code docs/jobs.md}, sent to the service as it is shipped. */
@QuarkusTest
@TestProfile(RealService.class)
class JobsDocTest {
    /** The job that the page shows; the real one has another id. */
    private static final String SHOWN_JOB = "5a0b52a5-0e3c-4b7e-9d6b-2f6f6f1f8d55";

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @Inject
    InferenceService service;

    @BeforeEach
    void ready() {
        RealService.awaitReady(service);
    }

    @Test
    void aJobIsAcceptedFollowedFetchedAndDeletedAsShown() throws IOException, InterruptedException {
        List<CurlExample> examples = examples("/infer", "/v2/jobs/");
        assertThat(examples).hasSize(4);
        HttpResponse<String> accepted = send(examples.get(0));
        String job = accepted.headers().firstValue("Location").orElseThrow().replace("/v2/jobs/", "");
        await().until(() -> send(of(job, examples.get(1))).body().contains("\"succeeded\""));

        assertShown(job, examples.get(0), accepted);
        for (CurlExample example : examples.subList(1, examples.size())) {
            CurlExample own = of(job, example);
            assertShown(job, own, send(own));
        }
    }

    @Test
    void aStreamIsAnsweredLineByLineAsShown() throws IOException, InterruptedException {
        CurlExample example = examples("/map").get(0);

        HttpResponse<String> answer = send(example);

        String[] shown = example.answer().orElseThrow().split("\n\n", 2);
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/x-ndjson");
        assertThat(shown[0]).endsWith("\nContent-Type: application/x-ndjson");
        List<String> lines = answer.body().lines().toList();
        List<String> shownLines = shown[1].lines().toList();
        assertThat(lines).hasSameSizeAs(shownLines).hasSize(3);
        for (int i = 0; i < lines.size(); i++) {
            assertThat(ShownAnswer.differences(shownLines.get(i), lines.get(i))).isEmpty();
        }
    }

    /** Those whose command has one of these words, in the order of the page. */
    private static List<CurlExample> examples(String... words) throws IOException {
        return CurlExample.in(Page.read("docs/jobs.md")).stream()
                .filter(example -> List.of(words).stream().anyMatch(example.command()::contains))
                .toList();
    }

    private static CurlExample of(String job, CurlExample example) {
        return new CurlExample(example.command().replace(SHOWN_JOB, job), example.answer());
    }

    /** Ids and times are those of the moment; all else is as shown. */
    private static void assertShown(String job, CurlExample example, HttpResponse<String> answer) throws IOException {
        Optional<String> shown = example.answer().map(text -> sameTimes(text.replace(SHOWN_JOB, job), answer.body()));
        assertThat(ShownAnswer.differences(shown.orElseThrow(), answer))
                .as(example.command())
                .isEmpty();
    }

    private static String sameTimes(String shown, String answer) {
        String result = shown;
        for (String member : List.of("created", "expires")) {
            String pattern = "\"" + member + "\":\"[^\"]*\"";
            Matcher real = Pattern.compile(pattern).matcher(answer);
            if (real.find()) {
                result = result.replaceAll(pattern, real.group());
            }
        }
        return result;
    }

    private HttpResponse<String> send(CurlExample example) throws IOException, InterruptedException {
        return client.send(example.request(RestAssured.port), BodyHandlers.ofString());
    }
}
