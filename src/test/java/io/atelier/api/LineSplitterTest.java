package io.atelier.api;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LineSplitterTest {
    private static final int LIMIT = 8;

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 100})
    void findsTheLinesWhateverTheChunks(int chunk) {
        assertThat(split("one\n\r\n\ntwo\r\n12345678\n12345678\r\n123456789\nünf\nlast", chunk))
                .containsExactly("1 one", "4 two", "5 12345678", "6 12345678", "7 too long", "8 ünf", "9 last");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 1000})
    void keepsNothingOfALineThatIsTooLong(int chunk) {
        assertThat(split("1".repeat(500) + "\ngood\n" + "2".repeat(500), chunk))
                .containsExactly("1 too long", "2 good", "3 too long");
    }

    @Test
    void tellsWhetherALineHasBegun() {
        LineSplitter lines = new LineSplitter(LIMIT);
        lines.add("a\nb".getBytes(UTF_8));
        assertThat(lines.next()).isNotNull();
        assertThat(lines.isInsideLine()).isFalse();

        assertThat(lines.next()).isNull();

        assertThat(lines.isInsideLine()).isTrue();
        assertThat(lines.lineNumber()).isEqualTo(2);
    }

    @Test
    void emptyStreamsHaveNoLines() {
        assertThat(split("", 1)).isEmpty();
        assertThat(split("\n\r\n", 1)).isEmpty();
    }

    private static List<String> split(String text, int chunk) {
        LineSplitter lines = new LineSplitter(LIMIT);
        List<String> found = new ArrayList<>();
        byte[] bytes = text.getBytes(UTF_8);
        for (int from = 0; from < bytes.length; from += chunk) {
            lines.add(Arrays.copyOfRange(bytes, from, Math.min(bytes.length, from + chunk)));
            takeAll(lines, found);
        }
        lines.end();
        takeAll(lines, found);
        return found;
    }

    private static void takeAll(LineSplitter lines, List<String> found) {
        for (LineSplitter.@Nullable Line line = lines.next(); line != null; line = lines.next()) {
            byte[] bytes = line.bytes();
            found.add(line.number() + " " + (bytes == null ? "too long" : new String(bytes, UTF_8)));
        }
    }
}
