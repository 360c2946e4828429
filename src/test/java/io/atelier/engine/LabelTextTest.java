package io.atelier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LabelTextTest {
    private static final String TEXT = "Ameise\r\nBär\n  Kätzchen  \n\n猫😀\n\n";
    private static final List<String> NAMES = List.of("Ameise", "Bär", "Kätzchen", "", "猫😀");

    @TempDir
    Path folder;

    @Test
    void readsUtf8WithOrWithoutAByteOrderMark() throws Exception {
        assertThat(names(TEXT, StandardCharsets.UTF_8)).isEqualTo(NAMES);
        assertThat(names("\uFEFF" + TEXT, StandardCharsets.UTF_8)).isEqualTo(NAMES);
    }

    @Test
    void readsUtf16WithAByteOrderMark() throws Exception {
        assertThat(names("\uFEFF" + TEXT, StandardCharsets.UTF_16LE)).isEqualTo(NAMES);
        assertThat(names("\uFEFF" + TEXT, StandardCharsets.UTF_16BE)).isEqualTo(NAMES);
    }

    @Test
    void refusesWhatIsNeitherByFileAndLine() {
        assertThatThrownBy(() -> names("Ameise\nBär\n", StandardCharsets.ISO_8859_1))
                .hasMessage("names.txt: line 2 is not UTF-8, allowed is UTF-8, or UTF-16 with a byte order mark");
        assertThatThrownBy(() -> LabelText.read(folder.resolve("none.txt"), "none.txt"))
                .hasMessage("none.txt cannot be read");
    }

    private List<String> names(String text, Charset charset) throws IOException, ModelLoadException {
        Path file = folder.resolve("names.txt");
        Files.write(file, text.getBytes(charset));
        return LabelText.lines(LabelText.read(file, "names.txt"));
    }
}
