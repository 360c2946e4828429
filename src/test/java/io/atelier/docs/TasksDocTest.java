package io.atelier.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.atelier.testing.Images;
import io.atelier.testing.StartUp;
import io.atelier.testing.TaskModels;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The requests of {@code docs/tasks.md}, given to a shell beside the images that they send. */
@QuarkusTest
@TestProfile(TaskService.class)
class TasksDocTest {
    private static final String PAGE = "docs/tasks.md";
    private static final Pattern EXAMPLE = Pattern.compile("(?ms)^```shell\\n(curl .*?)^```\\n\\n```json\\n(.*?)^```$");

    @Inject
    StartUp startUp;

    @TempDir
    Path folder;

    @Test
    void everyRequestIsAnsweredAsShown() throws IOException, InterruptedException {
        Shell shell = new Shell(folder);
        startUp.await();
        Files.write(folder.resolve("turned.png"), TaskModels.resource("/images/turned.png"));
        Files.write(folder.resolve("street.jpg"), Images.jpeg(Images.plain(64, 32, Color.WHITE)));
        String page = Page.read(PAGE);
        List<MatchResult> examples = EXAMPLE.matcher(page).results().toList();
        assertThat(examples).hasSize(page.split("```shell", -1).length - 1).hasSizeGreaterThanOrEqualTo(5);

        for (MatchResult example : examples) {
            assertThat(ShownAnswer.differences(example.group(2), shell.run(example.group(1))))
                    .as(example.group(1))
                    .isEmpty();
        }
    }
}
