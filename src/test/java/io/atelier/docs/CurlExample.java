package io.atelier.docs;

import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A request that a page shows as a {@code curl} command, and the answer shown below it.
 *
 * <p>A block of the language {@code shell} that begins with {@code curl} is a request. The next block, if its language
 * is {@code http}, is its answer: status line, any of its headers, an empty line, JSON. There {@code …} stands for more
 * elements of an array.
 *
 * @param command as in the page
 * @param answer  as in the page
 */
record CurlExample(String command, Optional<String> answer) {
    private static final Pattern BLOCK = Pattern.compile("(?ms)^```(\\w+)\\n(.*?)^```$");
    private static final String WRITTEN_ADDRESS = "localhost:8080/";

    static List<CurlExample> in(String page) {
        List<CurlExample> examples = new ArrayList<>();
        Matcher block = BLOCK.matcher(page);
        boolean found = block.find();
        while (found) {
            String command = block.group(2);
            boolean request = block.group(1).equals("shell") && command.startsWith("curl ");
            found = block.find();
            if (request) {
                boolean answered = found && block.group(1).equals("http");
                examples.add(
                        new CurlExample(command.strip(), answered ? Optional.of(block.group(2)) : Optional.empty()));
            }
        }
        return examples;
    }

    /**
     * The request that curl would send.
     *
     * @throws IllegalArgumentException if the command has an option that is not understood here
     */
    HttpRequest request(int port) {
        HttpRequest.Builder request = HttpRequest.newBuilder();
        String url = null;
        String method = null;
        String body = null;
        Iterator<String> words = words().iterator();
        words.next();
        while (words.hasNext()) {
            String word = words.next();
            switch (word) {
                case "-i", "-s" -> {
                    // what curl prints, not what it sends
                }
                case "-d" -> body = words.next();
                case "-X" -> method = words.next();
                case "-H" -> {
                    String[] header = words.next().split(":", 2);
                    request.setHeader(header[0].strip(), header[1].strip());
                }
                default -> {
                    if (url != null || !word.startsWith(WRITTEN_ADDRESS)) {
                        throw new IllegalArgumentException("not understood in '" + command + "': " + word);
                    }
                    url = "http://localhost:" + port + "/" + word.substring(WRITTEN_ADDRESS.length());
                }
            }
        }
        if (url == null) {
            throw new IllegalArgumentException("no address in '" + command + "'");
        }
        if (body != null) {
            request.header("Content-Type", "application/x-www-form-urlencoded"); // as curl does
        }
        return request.uri(URI.create(url))
                .method(
                        method != null ? method : body == null ? "GET" : "POST",
                        body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
                .build();
    }

    /** The command's words, as a shell takes them apart: quotes, and a backslash at the end of a line. */
    private List<String> words() {
        List<String> words = new ArrayList<>();
        Matcher word = Pattern.compile("(?s)(?:'[^']*'|\"[^\"]*\"|[^\\s'\"\\\\])+|\\\\\\n|\\s+")
                .matcher(command);
        int end = 0;
        while (word.find() && word.start() == end) {
            end = word.end();
            String text = word.group();
            if (!text.isBlank() && !text.equals("\\\n")) {
                words.add(text.replaceAll("(?s)'([^']*)'|\"([^\"]*)\"", "$1$2"));
            }
        }
        if (end != command.length()) {
            throw new IllegalArgumentException("not understood: " + command.substring(end));
        }
        return words;
    }
}
