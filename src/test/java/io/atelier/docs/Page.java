package io.atelier.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A page of this repository. Tests run in its root. */
final class Page {
    private Page() {}

    static String read(String name) throws IOException {
        return Files.readString(Path.of(name));
    }

    /**
     * A generated page is what it should be; or it is made so, if the system property says {@code true}.
     *
     * @param update name of the system property
     */
    static void assertUpToDate(String name, String expected, String update) throws IOException {
        if (Boolean.getBoolean(update)) {
            Files.writeString(Path.of(name), expected);
        }
        assertThat(Files.exists(Path.of(name)) ? read(name) : "")
                .as("%s is out of date; write it again with -D%s=true", name, update)
                .isEqualTo(expected);
    }

    /** Cells of the rows of all tables, headings and rulers left out. */
    static List<List<String>> rows(String page) {
        List<List<String>> rows = new ArrayList<>();
        boolean inTable = false;
        for (String line : page.lines().toList()) {
            boolean ruler = line.matches("\\|[ :|-]+\\|");
            if (inTable && line.startsWith("|") && !ruler) {
                rows.add(List.of(line.substring(1, line.lastIndexOf('|')).split("\\|", -1)).stream()
                        .map(String::strip)
                        .toList());
            }
            inTable = ruler || (inTable && line.startsWith("|"));
        }
        return rows;
    }
}
