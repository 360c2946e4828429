package io.atelier.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.atelier.core.ModelId;
import io.atelier.core.Padding;
import io.atelier.engine.TaskConfig.Pooling;
import io.atelier.engine.TaskConfig.Prompts;
import io.atelier.engine.TaskConfig.TextEmbedding;
import io.atelier.engine.TaskConfig.TextInput;
import io.atelier.repository.ModelRepository.Scan;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedModelTest {
    @TempDir
    Path temp;

    @Test
    void isARepositoryLikeAnyOther() throws Exception {
        Path root = temp.resolve("new/repository");
        EmbeddedModel.unpackInto(root);

        Scan scan = new ModelRepository(root).scan();

        assertThat(scan.broken()).isEmpty();
        assertThat(scan.models()).singleElement().satisfies(model -> {
            assertThat(model.id()).isEqualTo(new ModelId("minilm", "1"));
            assertThat(model.file()).hasSize(22_972_370);
            assertThat(model.folder().resolve("tokenizer.json")).hasSize(711_661);
            assertThat(model.config().batching().padding())
                    .isEqualTo(new Padding(
                            Map.of("input_ids", 0.0, "attention_mask", 0.0, "token_type_ids", 0.0), "attention_mask"));
            assertThat(model.config().task())
                    .contains(new TextEmbedding(
                            new TextInput("tokenizer.json", 512, false),
                            Set.of(Pooling.MEAN),
                            true,
                            Prompts.NONE,
                            Optional.of("last_hidden_state")));
        });
    }

    @Test
    void leavesNothingElseBehind() throws Exception {
        EmbeddedModel.unpackInto(temp);

        try (Stream<Path> entries = Files.list(temp)) {
            assertThat(entries).containsExactly(temp.resolve("minilm"));
        }
    }

    @Test
    void leavesAloneWhatIsThereAndTheSame() throws Exception {
        EmbeddedModel.unpackInto(temp);
        Path model = temp.resolve("minilm/1/model.onnx");
        FileTime longAgo = FileTime.fromMillis(1000);
        Files.setLastModifiedTime(model, longAgo);

        EmbeddedModel.unpackInto(temp);

        assertThat(Files.getLastModifiedTime(model)).isEqualTo(longAgo);
    }

    @Test
    void replacesAnotherReleasesFiles() throws Exception {
        EmbeddedModel.unpackInto(temp);
        Path yaml = temp.resolve("minilm/model.yaml");
        String current = Files.readString(yaml);
        Files.writeString(yaml, "instances: 3");

        EmbeddedModel.unpackInto(temp);

        assertThat(yaml).hasContent(current);
        try (Stream<Path> entries = Files.list(temp)) {
            assertThat(entries).containsExactly(temp.resolve("minilm"));
        }
    }

    @Test
    void saysWhyItCannotBeUnpacked() throws Exception {
        Path file = Files.createFile(temp.resolve("file"));

        assertThatThrownBy(() -> EmbeddedModel.unpackInto(file))
                .isInstanceOf(ModelRepositoryException.class)
                .hasMessageStartingWith("the embedded model cannot be unpacked: ")
                .hasMessageNotContaining(temp.toString());
    }
}
