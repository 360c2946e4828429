package io.atelier.conformance;

import java.net.URI;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What a client asks the stub.
 *
 * @param lines the header's lines
 */
record StubRequest(String method, String target, List<String> lines) {
    /** Decoded, without its query. */
    String path() {
        return URI.create(target).getPath();
    }

    boolean hasQuery() {
        return target.contains("?");
    }

    @Nullable
    String header(String lowerCaseName) {
        List<String> values = headers(lowerCaseName);
        return values.isEmpty() ? null : values.get(0);
    }

    List<String> headers(String lowerCaseName) {
        return lines.stream()
                .filter(line -> line.toLowerCase(Locale.ROOT).startsWith(lowerCaseName + ":"))
                .map(line -> line.substring(lowerCaseName.length() + 1).strip())
                .toList();
    }
}
